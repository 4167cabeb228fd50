const { createYunliao } = require('./stores/index');
const config = require('./config');

App({
  onLaunch() {
    // The program below the screens; pages reach it by getApp().yunliao.
    this.yunliao = createYunliao({ wx, env: config.env, service: config.service });
    this.yunliao.launch();
  },

  onShow() {
    if (this.yunliao) this.yunliao.show();
  },

  onHide() {
    if (this.yunliao) this.yunliao.hide();
  },

  /** @type {any} */ yunliao: null,
  /** The chat store of the page that is on the screen: its answers take their text from it. @type {any} */
  chatOnScreen: null
});
