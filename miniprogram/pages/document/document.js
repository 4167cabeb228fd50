const { texts } = require('../../i18n/index');
const { follow } = require('../../styles/look');
const { parse, codeOf } = require('../../core/markdown');
const { tapRun, copy } = require('../../components/markdown/runs');

/** Something to read: `name` = the agreement or the privacy notice as the server has it, `key` = the words of one message, to select from. */
Page({
  data: /** @type {any} */ ({ t: texts('zh'), lang: 'zh', b: [], copyLabel: '', select: true, words: '', waiting: false }),

  onLoad(/** @type {any} */ query) {
    const app = getApp();
    if (query.key) {
      this.offs = [follow(this, { title: 'select' })];
      // Words of a chat stay in memory: the address carries only which message it is.
      this.setData({ words: app.chatOnScreen ? app.chatOnScreen.copyText(decodeURIComponent(query.key)) : '' });
      return;
    }
    const { session } = app.yunliao;
    const name = query.name === 'privacy' ? 'privacy' : 'agreement';
    const show = () => {
      const english = session.state[`${name}En`];
      const { markdown } = this.data.lang === 'en' && english.markdown ? english : session.state[name];
      const { phase } = session.state;
      this.setData({ copyLabel: this.data.t.copyCode, b: markdown ? parse(markdown, { imageHosts: [] }) : [], waiting: !markdown && phase !== 'ready' && phase !== 'failed' });
    };
    this.offs = [
      follow(this, { title: name }),
      session.subscribe((/** @type {any} */ patch) => { if (name in patch || 'phase' in patch) show(); })
    ];
    show();
  },

  onUnload() {
    this.offs.forEach((/** @type {() => void} */ off) => off());
  },

  /** @param {any} event */
  tapRun(event) {
    tapRun(event, this.data.lang);
  },

  /** @param {any} event */
  copyCode(event) {
    copy(codeOf(this.data.b[event.currentTarget.dataset.index]), this.data.lang);
  },

  /** @type {any[]} */ offs: []
});
