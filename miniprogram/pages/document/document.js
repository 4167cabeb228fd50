const { follow, paintBar } = require('../../i18n/index');
const { parse } = require('../../core/markdown');

/** The agreement or the privacy notice, as the server has it. */
Page({
  data: /** @type {any} */ ({ t: {}, blocks: [] }),

  onLoad(/** @type {any} */ query) {
    const { yunliao } = getApp();
    const name = query.name === 'privacy' ? 'privacy' : 'agreement';
    this.off = follow(this, () => {
      paintBar(yunliao.settings.state.dark);
      wx.setNavigationBarTitle({ title: this.data.t[name] });
    });
    this.setData({ blocks: parse(yunliao.session.state[name].markdown || '', { imageHosts: [] }) });
  },

  onUnload() {
    this.off();
  },

  /** @type {any} */ off: null
});
