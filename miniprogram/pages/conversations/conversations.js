const { texts } = require('../../i18n/index');
const { follow } = require('../../styles/look');

/** How far a row stands open, in px: the width of its two actions. */
const OPEN = -152;

/** All conversations of the person: newest first, searchable, with swipe actions and the same ones by a long press. */
Page({
  data: /** @type {any} */ ({ t: texts('zh'), items: [], hits: [], searching: false, loaded: false, loading: false, query: '', undo: null, error: null, swiped: '', moving: '', shift: 0 }),

  onLoad() {
    const { yunliao } = getApp();
    this.store = yunliao.conversations;
    this.setData(this.store.state);
    this.offs = [
      follow(this, { title: 'conversations', ground: true }),
      this.store.subscribe((/** @type {any} */ patch) => this.setData(patch))
    ];
    this.store.load();
  },

  onUnload() {
    this.offs.forEach((/** @type {() => void} */ off) => off());
  },

  onReachBottom() {
    this.store.loadMore();
  },

  /** @param {any} event */
  search(event) {
    this.store.search(event.detail.value);
  },

  clearSearch() {
    this.setData({ query: '' });
    this.store.search('');
  },

  /** @param {any} event */
  open(event) {
    if (this.data.swiped) {
      this.setData({ swiped: '', shift: 0 });
      return;
    }
    this.leave(event.currentTarget.dataset.id);
  },

  fresh() {
    this.leave('');
  },

  /** @param {string} id */
  leave(id) {
    const channel = this.getOpenerEventChannel();
    if (channel.emit && getCurrentPages().length > 1) {
      channel.emit('open', { id });
      wx.navigateBack();
    } else wx.reLaunch({ url: '/pages/chat/chat' + (id ? `?id=${encodeURIComponent(id)}` : '') });
  },

  /** @param {any} event */
  touchStart(event) {
    const { clientX, clientY } = event.touches[0];
    this.touch = { x: clientX, y: clientY, id: event.currentTarget.dataset.id, from: this.data.swiped === event.currentTarget.dataset.id ? OPEN : 0 };
  },

  /** @param {any} event */
  touchMove(event) {
    if (!this.touch) return;
    const { clientX, clientY } = event.touches[0];
    const moved = clientX - this.touch.x;
    if (Math.abs(moved) < 12 || Math.abs(clientY - this.touch.y) > Math.abs(moved)) return;
    this.setData({ swiped: this.touch.id, moving: this.touch.id, shift: Math.max(OPEN, Math.min(0, this.touch.from + moved)) });
  },

  touchEnd() {
    if (!this.touch) return;
    this.touch = null;
    if (!this.data.moving) return;
    const open = this.data.shift < OPEN / 2;
    this.setData({ moving: '', shift: open ? OPEN : 0, swiped: open ? this.data.swiped : '' });
  },

  /** @param {any} event */
  menu(event) {
    const { id } = event.currentTarget.dataset;
    const { t } = this.data;
    wx.showActionSheet({
      itemList: [t.rename, t.delete, t.deleteForever],
      success: (answer) => [() => this.askTitle(id), () => this.store.remove(id), () => this.askErase(id)][answer.tapIndex](),
      fail: () => {}
    });
  },

  /** @param {any} event */
  rename(event) {
    this.askTitle(event.currentTarget.dataset.id);
  },

  /** @param {any} event */
  remove(event) {
    this.setData({ swiped: '', shift: 0 });
    this.store.remove(event.currentTarget.dataset.id);
  },

  /** @param {string} id */
  askTitle(id) {
    const { t } = this.data;
    const item = this.data.items.find((/** @type {any} */ one) => one.id === id);
    this.setData({ swiped: '', shift: 0 });
    wx.showModal({
      title: t.rename,
      editable: true,
      content: item ? item.title : '',
      confirmText: t.ok,
      cancelText: t.cancel,
      success: (answer) => {
        if (answer.confirm && answer.content && answer.content.trim()) this.store.rename(id, answer.content.trim());
      }
    });
  },

  /** @param {string} id */
  askErase(id) {
    const { t } = this.data;
    wx.showModal({
      title: t.deleteForever, content: t.deleteForeverAsk, confirmText: t.delete, confirmColor: '#cf3a3a', cancelText: t.cancel,
      success: (answer) => {
        if (answer.confirm) this.store.erase(id).then((/** @type {boolean} */ done) => wx.showToast({ title: done ? t.deletedForever : t.eraseFailed, icon: 'none' }));
      }
    });
  },

  undoDelete() {
    this.store.undo();
  },

  reload() {
    this.store.load();
  },

  /** @type {any} */ store: null,
  /** @type {any} */ touch: null,
  /** @type {any[]} */ offs: []
});
