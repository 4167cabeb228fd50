const { texts } = require('../../i18n/index');
const { follow } = require('../../styles/look');

/** What a person may choose, and what they may have deleted. */
Page({
  data: /** @type {any} */ ({ t: texts('zh'), settings: {}, session: {}, saving: false, sizes: ['small', 'normal', 'large', 'huge'], themes: ['system', 'light', 'dark'], languages: ['system', 'zh', 'en'] }),

  onLoad() {
    const { yunliao } = getApp();
    this.setData({ settings: yunliao.settings.state, session: yunliao.session.state });
    this.offs = [
      follow(this, { title: 'settings', ground: true }),
      yunliao.settings.subscribe((/** @type {any} */ patch) => this.setData(patch), 'settings'),
      yunliao.session.subscribe((/** @type {any} */ patch) => this.setData(patch), 'session')
    ];
  },

  onUnload() {
    this.offs.forEach((/** @type {() => void} */ off) => off());
  },

  /** @param {any} event */
  choose(event) {
    const { name, value } = event.currentTarget.dataset;
    getApp().yunliao.settings.set(name, value);
  },

  motion() {
    getApp().yunliao.settings.set('reducedMotion', !this.data.settings.reducedMotion);
  },

  /** Consent to models abroad is given and taken back separately. */
  overseas() {
    const { session } = getApp().yunliao;
    if (this.data.saving) return;
    this.setData({ saving: true });
    session.accept({ overseas: !session.state.overseas }).then((/** @type {boolean} */ done) => {
      this.setData({ saving: false, session: session.state });
      if (!done) wx.showToast({ title: this.data.t.notSaved, icon: 'none' });
    });
  },

  about() {
    wx.navigateTo({ url: '/pages/about/about' });
  },

  clear() {
    getApp().yunliao.settings.clearCache();
    wx.showToast({ title: this.data.t.cleared, icon: 'none' });
  },

  /** Two questions, since nothing brings it back. */
  erase() {
    const { t } = this.data;
    this.ask(t.eraseAsk, t.eraseGo, () => this.ask(t.eraseAgain, t.eraseYes, () => this.eraseNow()));
  },

  /** @param {string} content @param {string} confirmText at most four Chinese characters or eight letters @param {() => void} then */
  ask(content, confirmText, then) {
    const { t } = this.data;
    wx.showModal({
      title: t.eraseAll, content, confirmText, confirmColor: '#cf3a3a', cancelText: t.cancel,
      success: (answer) => { if (answer.confirm) then(); }
    });
  },

  eraseNow() {
    const { t } = this.data;
    wx.showLoading({ title: t.loading, mask: true });
    getApp().yunliao.session.eraseAll().then((/** @type {boolean} */ done) => {
      wx.hideLoading();
      wx.showToast({ title: done ? t.erased : t.eraseFailed, icon: 'none' });
      if (done) wx.reLaunch({ url: '/pages/chat/chat' });
    });
  },

  /** @type {any[]} */ offs: []
});
