const { texts, fill } = require('../../i18n/index');
const { follow, topRows } = require('../../styles/look');
const { copy } = require('../../components/markdown/runs');
const { Far } = require('./far');
const models = require('../model_choice');
const menu = require('./menu');

/** The reader has come back to the end when no more than this is below the screen, and has left it when more than that is, in px. */
const NEAR_END = 80;
const LEAVES_END = 24;

/** A message put above, as a whole. */
const WHOLE_OLDER = /^older\[\d+\]$/;

/** The chat: shows the stores' state, tells them what the person wants. The answers' text goes straight to their components. */
Page({
  data: /** @type {any} */ ({
    t: texts('zh'), lang: 'zh', session: {}, older: [], recent: [], rows: {}, following: true, scrollTop: 0, saving: false, limitText: '', modelName: '',
    title: '', draft: '', editing: '', busy: false, stopping: false, canSend: true, loading: false, empty: false, still: false
  }),

  onLoad(/** @type {any} */ query) {
    const { yunliao } = getApp();
    this.far = new Far(this);
    this.setData({ session: yunliao.session.state, rows: topRows() });
    this.offs = [
      follow(this, {}),
      yunliao.session.subscribe((/** @type {any} */ patch) => {
        this.setData(patch);
        if ('session.models' in patch) this.nameModel();
      }, 'session'),
      yunliao.settings.subscribe(() => this.nameModel())
    ];
    this.nameModel();
    this.show(query.id || '');
  },

  onShow() {
    // Deleted meanwhile, or erased: what can no longer be answered does not stay on the screen.
    if (this.chat.disposed) this.show(getApp().yunliao.conversations.has(this.chat.state.conversationId) ? this.chat.state.conversationId : '');
    getApp().chatOnScreen = this.chat;
  },

  onUnload() {
    this.far.stop();
    this.offs.concat(this.chatOffs || []).forEach((/** @type {any} */ off) => off());
  },

  /** Puts a conversation on the screen; '' is a new one. @param {string} id */
  show(id) {
    const { yunliao } = getApp();
    (this.chatOffs || []).forEach((/** @type {() => void} */ off) => off());
    const chat = yunliao.chat(id);
    this.chat = chat;
    getApp().chatOnScreen = chat;
    this.far.stop();
    this.hasPast = chat.state.older.length > 0;
    this.setData({ ...chat.state, following: true, limitText: '' }, () => this.arranged());
    this.chatOffs = [
      chat.subscribe((/** @type {any} */ patch) => this.take(patch)),
      chat.onGrow(() => this.toEnd())
    ];
    chat.open();
  },

  /** @param {any} patch */
  take(patch) {
    if ('limit' in patch || 'limit.seconds' in patch) {
      const { limit } = this.chat.state;
      patch.limitText = limit ? fill(this.data.t.limited, { n: limit.seconds }) : '';
    }
    const { lastTop, lastHeight } = this;
    // Told from the patch: whether the page's data are the store's own lists or a copy is WeChat's affair.
    const above = this.hasPast && Object.keys(patch).some((path) => WHOLE_OLDER.test(path));
    this.setData(patch, () => {
      this.hasPast = this.data.older.length > 0;
      this.arranged();
      if (above && !this.data.following) this.stay(lastTop, lastHeight);
    });
  },

  /** After the list changed. */
  arranged() {
    this.far.update(this.data.older.length + this.data.recent.length);
    this.toEnd();
  },

  /** A finger on the list is not pulled along. */
  hold() {
    this.held = true;
    this.missed = false;
  },

  letGo() {
    this.held = false;
    if (this.missed) this.toEnd();
  },

  toEnd() {
    this.missed = true;
    if (!this.data.following || this.held) return;
    this.scrolled += 1;
    this.setData({ scrollTop: 1000000 + this.scrolled });
  },

  /**
   * A page was put above: what was being read stays where it is. Where the view keeps it itself (scroll anchoring) nothing is left to do.
   * @param {number} top scrollTop before @param {number} height scrollHeight before
   */
  stay(top, height) {
    if (this.data.busy || !height) return;
    wx.createSelectorQuery().select('#list').scrollOffset((now) => {
      const wanted = now.scrollHeight - height + top;
      // A finger that went on in the meantime is not pulled back: only the jump of a whole page is mended.
      if (Math.abs(now.scrollTop - wanted) < 240 || now.scrollTop > wanted) return;
      this.setData({ scrollTop: wanted });
    }).exec();
  },

  /** @param {any} event */
  scroll(event) {
    const { scrollTop, scrollHeight } = event.detail;
    // Text that folds together moves the place too; only a reader moves up while the list stays as high as it was.
    const up = scrollTop < this.lastTop - 2 && scrollHeight >= this.lastHeight;
    const down = scrollTop > this.lastTop + 2;
    this.lastTop = scrollTop;
    this.lastHeight = scrollHeight;
    const gap = scrollHeight - scrollTop - this.viewHeight();
    if (this.data.following && up && gap > LEAVES_END) this.setData({ following: false });
    else if (!this.data.following && ((down && gap < NEAR_END) || (!up && gap < 4))) this.setData({ following: true });
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
    if (this.chat.state.loaded && this.chat.state.hasOlder) this.chat.loadOlder();
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
    menu.perform(this, what, key);
  },

  /** The menu of a message, by a long press or its last button. @param {any} event */
  menu(event) {
    const { key } = event.currentTarget.dataset;
    const message = this.data.recent.concat(this.data.older).find((/** @type {any} */ one) => one.key === key);
    if (message) menu.open(this, message);
  },

  /** Name of the model in use, for the head. */
  nameModel() {
    const { session, settings } = getApp().yunliao;
    const chosen = session.state.models.find((/** @type {any} */ one) => one.id === settings.state.model) || session.state.models.find((/** @type {any} */ one) => one.default);
    const modelName = chosen ? chosen.name : '';
    if (modelName !== this.data.modelName) this.setData({ modelName });
  },

  chooseModel() {
    const all = getApp().yunliao.session.state.models;
    // WeChat's sheet has at most six entries; a longer list is in the settings.
    if (all.length > 6) this.settings();
    else if (all.length > 1) {
      wx.showActionSheet({
        itemList: all.map((/** @type {any} */ one) => (one.overseas ? `${one.name} · ${this.data.t.overseasModel}` : one.name)),
        success: (answer) => { models.choose(all[answer.tapIndex], this.data.t); },
        fail: () => {}
      });
    }
  },

  /** @param {any} event */
  copyRequest(event) {
    copy(event.currentTarget.dataset.id, this.data.lang);
  },

  /** Where what a refusal lacks is found. @param {any} event */
  help(event) {
    const { page } = event.currentTarget.dataset;
    wx.navigateTo({ url: `/pages/${page}/${page}` });
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

  dismiss() {
    this.chat.dismissError();
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
    if (!this.data.empty) this.show('');
  },

  /** Nothing of a chat is in the address that is shared. */
  onShareAppMessage() {
    return { title: this.data.session.name || '云聊', path: '/pages/chat/chat' };
  },

  /** @type {any} */ chat: null,
  /** @type {any} */ far: null,
  /** @type {any[]} */ offs: [],
  /** @type {any[]} */ chatOffs: [],
  hasPast: false,
  held: false,
  missed: false,
  lastTop: 0,
  lastHeight: 0,
  height: 0,
  scrolled: 0
});
