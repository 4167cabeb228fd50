const { follow, paintBar } = require('../../i18n/index');

/** Who answers for the service, and what was agreed to. */
Page({
  data: /** @type {any} */ ({ t: {}, session: {} }),

  onLoad() {
    const { yunliao } = getApp();
    this.setData({ session: yunliao.session.state });
    this.offs = [
      follow(this, () => {
        paintBar(yunliao.settings.state.dark);
        wx.setNavigationBarTitle({ title: this.data.t.about });
      }),
      yunliao.session.subscribe((/** @type {any} */ patch) => this.setData(patch), 'session')
    ];
  },

  onUnload() {
    this.offs.forEach((/** @type {() => void} */ off) => off());
  },

  /** @param {any} event */
  read(event) {
    wx.navigateTo({ url: `/pages/document/document?name=${event.currentTarget.dataset.name}` });
  },

  /** @type {any[]} */ offs: []
});
