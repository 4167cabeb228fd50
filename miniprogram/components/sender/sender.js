/** The field at the bottom: it receives what to show and tells what the person wants. */
Component({
  properties: {
    value: { type: String, value: '' },
    busy: { type: Boolean, value: false },
    stopping: { type: Boolean, value: false },
    disabled: { type: Boolean, value: false },
    t: { type: Object, value: {} }
  },

  data: { text: '', height: 0, typed: false },

  observers: {
    // Only a text that came from outside (a draft, an edit, the clearing after a send) is put back into the field.
    value(/** @type {string} */ value) {
      if (value !== this.data.text) this.setData({ text: value });
    }
  },

  methods: {
    /** @param {any} event */
    input(event) {
      this.data.text = event.detail.value;
      this.triggerEvent('draft', { text: event.detail.value });
      const typed = Boolean(event.detail.value.trim());
      if (typed !== this.data.typed) this.setData({ typed });
    },

    send() {
      if (!this.data.text.trim() || this.data.disabled) return;
      this.triggerEvent('send', { text: this.data.text });
    },

    stop() {
      this.triggerEvent('stop');
    },

    /** @param {any} event */
    keyboard(event) {
      this.setData({ height: event.detail.height || 0 });
      this.triggerEvent('keyboard', { height: event.detail.height || 0 });
    }
  }
});
