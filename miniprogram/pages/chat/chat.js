const { follow, fill, paintBar } = require('../../i18n/index');

const NEAR_END = 80;

/** The chat: shows the stores' state, tells them what the person wants. The answers' text goes straight to their components. */
Page({
  data: /** @type {any} */ ({ t: {}, session: {}, older: [], recent: [], following: true, scrollTop: 0, into: '', saving: false, menuOf: '', limitText: '' }),

  onLoad(/** @type {any} */ query) {
    const { yunliao } = getApp();
    this.offs = [];
    this.scrolled = 0;
    this.setData({ session: yunliao.session.state });
    this.offs.push(follow(this, () => paintBar(yunliao.settings.state.dark)));
    this.offs.push(yunliao.session.subscribe((/** @type {any} */ patch) => this.setData(patch), 'session'));
    this.show(query.id || '');
  },

  onShow() {
    getApp().chatOnScreen = this.chat;
  },

  onUnload() {
    this.offs.concat(this.chatOffs || []).forEach((/** @type {any} */ off) => off());
  },

  /** Puts a conversation on the screen; '' is a new one. @param {string} id */
  show(id) {
    const { yunliao } = getApp();
    (this.chatOffs || []).forEach((/** @type {() => void} */ off) => off());
    const chat = yunliao.chat(id);
    this.chat = chat;
    getApp().chatOnScreen = chat;
    this.setData({ ...chat.state, following: true });
    this.chatOffs = [
      chat.subscribe((/** @type {any} */ patch) => this.take(patch)),
      chat.onGrow(() => this.toEnd())
    ];
    chat.open();
  },

  /** @param {any} patch */
  take(patch) {
    const { t } = this.data;
    if ('limit' in patch || 'limit.seconds' in patch) {
      const limit = this.chat.state.limit;
      patch.limitText = limit ? fill(t.limited, { n: limit.seconds }) : '';
    }
    this.setData(patch, () => this.toEnd());
  },

  toEnd() {
    if (!this.data.following) return;
    this.scrolled += 1;
    this.setData({ scrollTop: 1000000 + this.scrolled });
  },

  /** @param {any} event */
  scroll(event) {
    const { scrollTop, scrollHeight } = event.detail;
    const up = scrollTop < this.lastTop - 4;
    this.lastTop = scrollTop;
    const near = scrollHeight - scrollTop - this.viewHeight() < NEAR_END;
    if (near !== this.data.following && (near || up)) this.setData({ following: near });
  },

  viewHeight() {
    if (!this.height) {
      wx.createSelectorQuery().select('#list').boundingClientRect((/** @type {any} */ box) => { this.height = box ? box.height : 0; }).exec();
    }
    return this.height || 600;
  },

  follow() {
    this.setData({ following: true });
    this.toEnd();
  },

  older() {
    const first = this.data.older[this.data.older.length - 1] || this.data.recent[0];
    this.chat.loadOlder();
    if (first) this.anchor = first.key;
  },

  /** @param {any} event */
  draft(event) {
    this.chat.setDraft(event.detail.text);
  },

  /** @param {any} event */
  send(event) {
    if (this.chat.send(event.detail.text)) this.follow();
  },

  stop() {
    this.chat.stop();
  },

  keyboard() {
    this.height = 0;
    this.toEnd();
  },

  /** @param {any} event */
  starter(event) {
    if (this.chat.send(event.currentTarget.dataset.prompt)) this.follow();
  },

  /** One of the small buttons under a message. @param {any} event */
  act(event) {
    const { key, what } = event.currentTarget.dataset;
    this.perform(what, key);
  },

  /** @param {string} what @param {string} key */
  perform(what, key) {
    const { t } = this.data;
    const { chat } = this;
    if (what === 'copy') wx.setClipboardData({ data: chat.copyText(key) });
    else if (what === 'regenerate') chat.regenerate(key);
    else if (what === 'continue') chat.continueAnswer(key);
    else if (what === 'retry') chat.retry(key);
    else if (what === 'remove') chat.remove(key);
    else if (what === 'edit') chat.startEdit(key);
    else if (what === 'up') this.thank(chat.feedback(key, 'up'));
    else if (what === 'down') this.choose(t.whyList, (/** @type {string} */ reason) => this.thank(chat.feedback(key, 'down', [reason])));
    else if (what === 'report') this.choose(t.reportList, (/** @type {string} */ reason) => chat.report(key, reason).then((/** @type {boolean} */ done) => done && wx.showToast({ title: t.reported, icon: 'none' })));
  },

  /** @param {Promise<boolean>} done */
  thank(done) {
    done.then((ok) => { if (ok) wx.showToast({ title: this.data.t.thanks, icon: 'none' }); });
  },

  /** @param {string[]} itemList @param {(chosen: string) => void} then */
  choose(itemList, then) {
    wx.showActionSheet({ itemList, success: (answer) => then(itemList[answer.tapIndex]), fail: () => {} });
  },

  /** The menu of a message, by a long press. @param {any} event */
  menu(event) {
    const { key, role } = event.currentTarget.dataset;
    const { t } = this.data;
    const message = this.data.recent.concat(this.data.older).find((/** @type {any} */ one) => one.key === key);
    if (!message) return;
    const entries = [['copy', t.copy]];
    if (role === 'user' && message.canEdit) entries.push(['edit', t.edit]);
    if (message.canRegenerate) entries.push(['regenerate', t.regenerate]);
    if (role === 'assistant' && message.id) entries.push(['up', t.up], ['down', t.down], ['report', t.report]);
    this.choose(entries.map((entry) => entry[1]), (/** @type {string} */ chosen) => {
      const found = entries.find((entry) => entry[1] === chosen);
      if (found) this.perform(found[0], key);
    });
  },

  /** @param {any} event */
  copyRequest(event) {
    wx.setClipboardData({ data: event.currentTarget.dataset.id });
  },

  cancelEdit() {
    this.chat.cancelEdit();
  },

  /** @param {any} event */
  agree(event) {
    this.setData({ saving: true });
    getApp().yunliao.session.accept({ overseas: event.detail.overseas }).then((/** @type {boolean} */ done) => {
      this.setData({ saving: false });
      if (!done) wx.showToast({ title: this.data.t.consentFailed, icon: 'none' });
    });
  },

  again() {
    getApp().yunliao.session.retry();
  },

  reopen() {
    this.chat.dismissError();
    this.chat.open();
  },

  conversations() {
    wx.navigateTo({
      url: '/pages/conversations/conversations',
      events: { open: (/** @type {{ id: string }} */ chosen) => this.show(chosen.id) }
    });
  },

  settings() {
    wx.navigateTo({ url: '/pages/settings/settings' });
  },

  fresh() {
    this.show('');
  },

  /** Nothing of a chat is in the address that is shared. */
  onShareAppMessage() {
    return { title: this.data.session.name || '云聊', path: '/pages/chat/chat' };
  },

  /** @type {any} */ chat: null,
  /** @type {any[]} */ offs: [],
  /** @type {any[]} */ chatOffs: [],
  /** @type {string} */ anchor: '',
  lastTop: 0,
  height: 0,
  scrolled: 0
});
