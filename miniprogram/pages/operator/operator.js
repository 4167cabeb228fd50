const { texts } = require('../../i18n/index');
const { follow } = require('../../styles/look');

const DECISIONS = ['upheld', 'rejected', 'suspended', 'noted'];

/** An operator's desk on the phone: what goes on, cases, users, relays. Whoever is not bound sees a field for a code. */
Page({
  data: /** @type {any} */ ({ t: texts('zh'), lang: 'zh', tabs: ['overview', 'cases', 'users', 'relays'], states: ['open', 'looked', 'decided'], code: '', number: '' }),

  onLoad() {
    const { operator } = getApp().yunliao;
    this.operator = operator;
    this.setData(operator.state);
    this.offs = [
      follow(this, { title: 'operator', ground: true }),
      operator.subscribe((/** @type {any} */ patch) => this.setData(patch))
    ];
    operator.load();
  },

  /** Words of people do not stay on the phone. */
  onUnload() {
    this.offs.forEach((/** @type {() => void} */ off) => off());
    this.operator.openCase('');
  },

  reload() {
    this.operator.load();
  },

  /** @param {any} event */
  typeCode(event) {
    this.setData({ code: event.detail.value });
  },

  bind() {
    if (!this.data.code.trim()) return;
    this.operator.bind(this.data.code).then((/** @type {boolean} */ done) => {
      if (!done) return;
      this.setData({ code: '' });
      this.operator.load();
    });
  },

  leave() {
    this.operator.leave();
  },

  /** @param {any} event */
  show(event) {
    this.operator.show(event.currentTarget.dataset.tab);
  },

  // --- cases ------------------------------------------------------------------------------------------------------------

  /** @param {any} event */
  showCases(event) {
    this.operator.showCases(event.currentTarget.dataset.state);
  },

  moreCases() {
    this.operator.moreCases();
  },

  /** @param {any} event */
  openCase(event) {
    this.operator.openCase(event.currentTarget.dataset.id);
  },

  closeCase() {
    this.operator.openCase('');
  },

  readWords() {
    const { t } = this.data;
    this.typed(t.readWords, t.reasonAsk, (reason) => this.operator.readWords(reason));
  },

  decide() {
    const { t } = this.data;
    wx.showActionSheet({
      itemList: DECISIONS.map((one) => t.decisions[one]),
      success: ({ tapIndex }) => this.typed(t.decisions[DECISIONS[tapIndex]], t.decideNote, (note) => this.done(this.operator.decide(DECISIONS[tapIndex], note)))
    });
  },

  // --- users ------------------------------------------------------------------------------------------------------------

  /** @param {any} event */
  typeNumber(event) {
    this.setData({ number: event.detail.value });
  },

  find() {
    if (this.data.number.trim()) this.operator.find(this.data.number);
  },

  suspend() {
    const { t } = this.data;
    this.typed(t.suspendUser, t.reasonAsk, (reason) => this.done(this.operator.suspend(reason)));
  },

  lift() {
    const { t } = this.data;
    this.typed(t.liftUser, t.reasonAsk, (reason) => this.done(this.operator.lift(reason)));
  },

  // --- relays -----------------------------------------------------------------------------------------------------------

  /** @param {any} event */
  switchRelay(event) {
    const { name, off } = event.currentTarget.dataset;
    const { t } = this.data;
    if (off) this.done(this.operator.relayOn(name));
    else this.typed(`${t.relayOff} ${name}`, t.relayOffAsk, (reason) => this.done(this.operator.relayOff(name, reason)));
  },

  /** @param {any} event */
  tryRelay(event) {
    this.operator.tryRelay(event.currentTarget.dataset.name);
  },

  // --- parts ------------------------------------------------------------------------------------------------------------

  /** Asks for words, then does. @param {string} title @param {string} hint @param {(text: string) => void} act */
  typed(title, hint, act) {
    const { t } = this.data;
    wx.showModal({
      title, editable: true, placeholderText: hint, confirmText: t.ok, cancelText: t.cancel,
      success: ({ confirm, content }) => {
        if (confirm && content && content.trim()) act(content.trim());
      }
    });
  },

  /** @param {Promise<boolean>} work */
  done(work) {
    work.then((ok) => {
      if (ok) wx.showToast({ title: this.data.t.operatorDone, icon: 'none' });
    });
  },

  /** @type {any} */ operator: null,
  /** @type {any[]} */ offs: []
});
