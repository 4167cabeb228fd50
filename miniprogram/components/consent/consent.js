/** First use: what is agreed to, before anything is sent. */
const { texts } = require('../../i18n/index');

Component({
  properties: {
    t: { type: Object, value: texts('zh') },
    name: { type: String, value: '' },
    saving: { type: Boolean, value: false }
  },

  data: { overseas: false },

  methods: {
    change() {
      this.setData({ overseas: !this.data.overseas });
    },

    /** @param {any} event */
    read(event) {
      wx.navigateTo({ url: `/pages/document/document?name=${event.currentTarget.dataset.name}` });
    },

    agree() {
      if (!this.data.saving) this.triggerEvent('agree', { overseas: this.data.overseas });
    }
  }
});
