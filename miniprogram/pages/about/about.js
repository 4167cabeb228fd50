const { texts } = require('../../i18n/index');
const { follow } = require('../../styles/look');
const { copy } = require('../../components/markdown/runs');

const KNOCKS = 5;

/** Who answers for the service, and what was agreed to. */
Page({
  data: /** @type {any} */ ({ t: texts('zh'), lang: 'zh', session: {} }),

  onLoad() {
    const { yunliao } = getApp();
    this.setData({ session: yunliao.session.state });
    this.offs = [
      follow(this, { title: 'about', ground: true }),
      yunliao.session.subscribe((/** @type {any} */ patch) => this.setData(patch), 'session')
    ];
  },

  onUnload() {
    this.offs.forEach((/** @type {() => void} */ off) => off());
  },

  copyContact() {
    const { contact } = this.data.session.provider;
    if (contact) copy(contact, this.data.lang);
  },

  /** The way in for operators; nobody else has a code. */
  knock() {
    this.knocks += 1;
    if (this.knocks < KNOCKS) return;
    this.knocks = 0;
    wx.navigateTo({ url: '/pages/operator/operator' });
  },

  /** @param {any} event */
  read(event) {
    wx.navigateTo({ url: `/pages/document/document?name=${event.currentTarget.dataset.name}` });
  },

  knocks: 0,
  /** @type {any[]} */ offs: []
});
