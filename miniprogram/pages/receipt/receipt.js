const { texts } = require('../../i18n/index');
const { follow } = require('../../styles/look');

/** What one answer used and cost, and why. */
Page({
  data: /** @type {any} */ ({ t: texts('zh'), lang: 'zh', loading: true, receipt: null, error: null }),

  onLoad(/** @type {any} */ query) {
    this.turn = decodeURIComponent(query.turn || '');
    this.offs = [follow(this, { title: 'receipt', ground: true })];
    this.load();
  },

  onUnload() {
    this.offs.forEach((/** @type {() => void} */ off) => off());
  },

  load() {
    this.setData({ loading: true, error: null });
    getApp().yunliao.credits.receipt(this.turn).then((/** @type {any} */ found) => this.setData({ loading: false, ...found }));
  },

  credits() {
    wx.navigateTo({ url: '/pages/credits/credits' });
  },

  turn: '',
  /** @type {any[]} */ offs: []
});
