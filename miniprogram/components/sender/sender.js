/** The field at the bottom: it receives what to show and tells what the person wants. */
const { texts } = require('../../i18n/index');

/** @type {any} */
const definition = {
  properties: {
    value: { type: String, value: '' },
    busy: { type: Boolean, value: false },
    stopping: { type: Boolean, value: false },
    disabled: { type: Boolean, value: false },
    editing: { type: Boolean, value: false },
    t: { type: Object, value: texts('zh') }
  },

  data: { text: '', height: 0, typed: false },

  lifetimes: {
    /** @this {any} */
    created() {
      // What the person typed; the view has it already, so it is not handed back at every key.
      this.words = '';
    }
  },

  observers: {
    /** Only a text from outside (a draft, an edit, the clearing after a send) is put into the field. @this {any} */
    value(/** @type {string} */ value) {
      if (value === this.words) return;
      const typed = this.words;
      this.words = value;
      // The field changes only when its value differs from the last one it was given: give it what was typed first.
      if (value === this.data.text && typed !== value) this.setData({ text: typed }, () => this.setData({ text: this.words }));
      else this.setData({ text: value });
      this.setData({ typed: value.trim() !== '' });
    }
  },

  methods: {
    /** @this {any} @param {any} event */
    input(event) {
      this.words = event.detail.value;
      this.triggerEvent('draft', { text: this.words });
      const typed = this.words.trim() !== '';
      if (typed !== this.data.typed) this.setData({ typed });
    },

    /** @this {any} */
    send() {
      if (this.words.trim() && !this.data.disabled) this.triggerEvent('send', { text: this.words });
    },

    /** @this {any} */
    stop() {
      this.triggerEvent('stop');
    },

    /** @this {any} @param {any} event */
    keyboard(event) {
      const height = event.detail.height || 0;
      if (height !== this.data.height) this.setData({ height });
      this.triggerEvent('keyboard', { height });
    }
  }
};

Component(definition);
