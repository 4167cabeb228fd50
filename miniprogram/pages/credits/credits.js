const { texts, fill } = require('../../i18n/index');
const { follow } = require('../../styles/look');

/** What a person has to spend, what came and went, and where more comes from. */
Page({
  data: /** @type {any} */ ({ t: texts('zh'), lang: 'zh', loaded: false, loading: false, code: '' }),

  onLoad() {
    const { credits } = getApp().yunliao;
    this.credits = credits;
    this.setData(credits.state);
    this.offs = [
      follow(this, { title: 'credits', ground: true }),
      credits.subscribe((/** @type {any} */ patch) => this.setData(patch))
    ];
    credits.load();
  },

  onUnload() {
    this.offs.forEach((/** @type {() => void} */ off) => off());
  },

  onReachBottom() {
    this.credits.loadMore();
  },

  reload() {
    this.credits.load();
  },

  more() {
    this.credits.loadMore();
  },

  /** @param {any} event */
  type(event) {
    this.setData({ code: event.detail.value });
  },

  redeem() {
    this.credits.redeem(this.data.code).then((/** @type {boolean} */ done) => {
      if (!done) return;
      this.setData({ code: '' });
      wx.showToast({ title: fill(this.data.t.redeemed, { n: this.data.redeemed }), icon: 'none' });
    });
  },

  /** @param {any} event */
  open(event) {
    const { turn } = event.currentTarget.dataset;
    if (turn) wx.navigateTo({ url: `/pages/receipt/receipt?turn=${encodeURIComponent(turn)}` });
  },

  /** @type {any} */ credits: null,
  /** @type {any[]} */ offs: []
});
