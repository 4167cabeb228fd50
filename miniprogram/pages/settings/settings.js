const { texts } = require('../../i18n/index');
const { follow } = require('../../styles/look');
const models = require('../model_choice');

/** What a person may choose, and the way to everything about them. */
Page({
  data: /** @type {any} */ ({ t: texts('zh'), settings: {}, session: {}, operator: {}, sizes: ['small', 'normal', 'large', 'huge'], themes: ['system', 'light', 'dark'], languages: ['system', 'zh', 'en'] }),

  onLoad() {
    const { yunliao } = getApp();
    this.setData({ settings: yunliao.settings.state, session: yunliao.session.state, operator: { bound: yunliao.operator.state.bound } });
    this.offs = [
      follow(this, { title: 'settings', ground: true }),
      yunliao.settings.subscribe((/** @type {any} */ patch) => this.setData(patch), 'settings'),
      yunliao.session.subscribe((/** @type {any} */ patch) => this.setData(patch), 'session'),
      yunliao.operator.subscribe((/** @type {any} */ patch) => { if (patch.bound !== undefined) this.setData({ 'operator.bound': patch.bound }); })
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

  /** @param {any} event */
  chooseModel(event) {
    models.choose(this.data.session.models[event.currentTarget.dataset.at], this.data.t);
  },

  motion() {
    getApp().yunliao.settings.set('reducedMotion', !this.data.settings.reducedMotion);
  },

  /** @param {any} event */
  go(event) {
    const { page } = event.currentTarget.dataset;
    wx.navigateTo({ url: `/pages/${page}/${page}` });
  },

  clear() {
    getApp().yunliao.settings.clearCache();
    wx.showToast({ title: this.data.t.cleared, icon: 'none' });
  },

  /** @type {any[]} */ offs: []
});
