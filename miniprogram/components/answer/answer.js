const { texts, fill } = require('../../i18n/index');
const { duration } = require('../../core/format');
const { tapRun, copy } = require('../markdown/runs');
const { shown } = require('./shown');

/**
 * One answer: blocks come by patches of the chat store straight into this component, never through the page's list.
 * Its properties are plain values, so that a change in the list touches no other answer. Far from the screen it
 * rests: its words leave the view, its height stays.
 */
/** @type {any} */
const definition = {
  properties: {
    messageKey: { type: String, value: '' },
    hasReasoning: { type: Boolean, value: false },
    thinking: { type: Boolean, value: false },
    seconds: { type: Number, value: 0 },
    live: { type: Boolean, value: false },
    lang: { type: String, value: 'zh' },
    still: { type: Boolean, value: false }
  },

  data: { b: [], rb: [], open: false, rest: 0, head: '', copyLabel: '', select: false },

  lifetimes: {
    /** @this {any} */
    attached() {
      this.chat = getApp().chatOnScreen;
      shown.set(this.data.messageKey, this);
      this.watch();
    },
    /** @this {any} */
    detached() {
      if (shown.get(this.data.messageKey) === this) shown.delete(this.data.messageKey);
      if (this.off) this.off();
      this.off = null;
    }
  },

  observers: {
    /** @this {any} */
    'hasReasoning, thinking, seconds, lang'(/** @type {boolean} */ has, /** @type {boolean} */ thinking, /** @type {number} */ seconds, /** @type {'zh'|'en'} */ lang) {
      const t = texts(lang);
      const change = /** @type {Record<string, string>} */ ({});
      if (this.data.copyLabel !== t.copyCode) change.copyLabel = t.copyCode;
      const head = !has ? '' : !thinking && !seconds ? t.reasoning : fill(thinking ? t.thinkingFor : t.thought, { n: duration(seconds, lang) });
      if (this.data.head !== head) change.head = head;
      if (Object.keys(change).length) this.setData(change);
    }
  },

  methods: {
    /** @this {any} */
    watch() {
      if (this.chat) this.off = this.chat.watchAnswer(this.data.messageKey, (/** @type {any} */ patch) => this.setData(patch));
    },

    /** @this {any} @param {number} height px that it takes now */
    sleep(height) {
      if (this.data.live || this.data.rest || !this.off || height < 1) return;
      this.off();
      this.off = null;
      this.setData({ rest: height, b: [], rb: [] });
    },

    /** @this {any} */
    rouse() {
      if (!this.data.rest) return;
      this.watch();
      this.setData({ rest: 0 });
    },

    /** @this {any} */
    toggleReasoning() {
      const open = !this.data.open;
      this.chat.openReasoning(this.data.messageKey, open);
      this.setData({ open });
    },

    /** @this {any} @param {any} event */
    copyCode(event) {
      copy(this.chat.codeText(this.data.messageKey, event.currentTarget.dataset.index), this.data.lang);
    },

    /** @this {any} @param {any} event */
    tapRun(event) {
      tapRun(event, this.data.lang);
    }
  }
};

Component(definition);
