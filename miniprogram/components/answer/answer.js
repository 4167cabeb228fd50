const { fill } = require('../../i18n/index');

/** One answer: blocks come by patches of the chat store straight into this component, never through the page's list. */
/** @type {any} */
const definition = {
  properties: {
    messageKey: { type: String, value: '' },
    message: { type: Object, value: {} },
    // Handed in: texts of its own in every answer would cross the bridge once an answer.
    t: { type: Object, value: {} },
    still: { type: Boolean, value: false }
  },

  data: { b: [], rb: [], open: false, thoughtText: '' },

  lifetimes: {
    /** @this {any} */
    attached() {
      const chat = getApp().chatOnScreen;
      this.chat = chat;
      if (chat) this.off = chat.watchAnswer(this.data.messageKey, (/** @type {any} */ patch) => this.setData(patch));
    },
    /** @this {any} */
    detached() {
      if (this.off) this.off();
    }
  },

  observers: {
    /** @this {any} */
    'message.thinkSeconds, t'(/** @type {number} */ seconds, /** @type {any} */ t) {
      if (seconds && t && t.thought) this.setData({ thoughtText: fill(t.thought, { n: `${seconds || 0} s` }) });
    }
  },

  methods: {
    /** @this {any} */
    toggleReasoning() {
      const open = !this.data.open;
      this.chat.openReasoning(this.data.messageKey, open);
      this.setData({ open });
    },

    /** @this {any} @param {any} event */
    copyCode(event) {
      wx.setClipboardData({ data: this.chat.codeText(this.data.messageKey, event.currentTarget.dataset.index) });
    },

    /** A link is shown and can be copied; it is never opened. @this {any} @param {any} event */
    tapRun(event) {
      const { url } = event.currentTarget.dataset;
      if (!url) return;
      const { t } = this.data;
      wx.showModal({
        title: t.linkTitle,
        content: url,
        confirmText: t.copyLink.slice(0, 4) === 'Copy' ? 'Copy' : t.copyLink,
        cancelText: t.cancel,
        success: (/** @type {any} */ answer) => answer.confirm && wx.setClipboardData({ data: url })
      });
    }
  }
};

Component(definition);
