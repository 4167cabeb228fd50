const { texts } = require('../../i18n/index');
const { follow } = require('../../styles/look');
const { copy } = require('../../components/markdown/runs');

/** What was agreed to, a copy of everything to take along, and its erasure. */
Page({
  data: /** @type {any} */ ({ t: texts('zh'), lang: 'zh', saving: false, session: {}, step: 'idle', receipt: null }),

  onLoad() {
    const { privacy, session } = getApp().yunliao;
    this.privacy = privacy;
    this.setData({ ...privacy.state, session: session.state });
    this.offs = [
      follow(this, { title: 'privacyPage', ground: true }),
      privacy.subscribe((/** @type {any} */ patch) => this.setData(patch)),
      session.subscribe((/** @type {any} */ patch) => this.setData(patch), 'session')
    ];
    privacy.load();
  },

  /** Words of a person do not stay on the phone: the file goes with the page. */
  onUnload() {
    this.offs.forEach((/** @type {() => void} */ off) => off());
    this.privacy.leave();
    this.privacy.dismissReceipt();
  },

  reload() {
    this.privacy.load();
  },

  /** Consent to models abroad is given and taken back separately. */
  overseas() {
    if (this.data.saving || !this.data.given) return;
    this.setData({ saving: true });
    this.privacy.setOverseas(!this.data.overseas).then((/** @type {boolean} */ done) => {
      this.setData({ saving: false });
      if (!done) wx.showToast({ title: this.data.t.notSaved, icon: 'none' });
    });
  },

  /** @param {any} event */
  read(event) {
    wx.navigateTo({ url: `/pages/document/document?name=${event.currentTarget.dataset.name}` });
  },

  /** @param {any} event */
  take(event) {
    if (this.data.step !== 'working') this.privacy.take(event.currentTarget.dataset.format);
  },

  again() {
    this.privacy.take(this.data.format);
  },

  cancel() {
    this.privacy.leave();
  },

  share() {
    this.privacy.share().then((/** @type {boolean} */ done) => { if (done) wx.showToast({ title: this.data.t.sent, icon: 'none' }); });
  },

  save() {
    this.privacy.save();
  },

  withdraw() {
    const { t } = this.data;
    this.ask(t.withdraw, t.withdrawAsk, t.withdrawGo, () => this.privacy.withdraw().then((/** @type {boolean} */ done) => {
      wx.showToast({ title: done ? t.withdrawn : t.notSaved, icon: 'none' });
      if (done) wx.reLaunch({ url: '/pages/chat/chat' });
    }));
  },

  /** Two questions, since nothing brings it back. */
  erase() {
    const { t } = this.data;
    this.ask(t.eraseAll, t.eraseAsk, t.eraseGo, () => this.ask(t.eraseAll, t.eraseAgain, t.eraseYes, () => this.eraseNow()));
  },

  /** @param {string} title @param {string} content @param {string} confirmText at most four Chinese characters or eight letters @param {() => void} then */
  ask(title, content, confirmText, then) {
    wx.showModal({
      title, content, confirmText, confirmColor: '#cf3a3a', cancelText: this.data.t.cancel,
      success: (answer) => { if (answer.confirm) then(); }
    });
  },

  eraseNow() {
    const { t } = this.data;
    wx.showLoading({ title: t.loading, mask: true });
    this.privacy.eraseAll().then((/** @type {boolean} */ done) => {
      wx.hideLoading();
      if (done && this.data.receipt) return;
      wx.showToast({ title: done ? t.erased : t.eraseFailed, icon: 'none' });
      if (done) this.finish();
    });
  },

  copyReceipt() {
    copy(this.data.receipt.words, this.data.lang);
  },

  finish() {
    wx.reLaunch({ url: '/pages/chat/chat' });
  },

  /** @type {any} */ privacy: null,
  /** @type {any[]} */ offs: []
});
