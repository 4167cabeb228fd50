const { follow, fill, paintBar } = require('../../i18n/index');

const OPEN = -152;

/** All conversations of the person: newest first, searchable, with swipe actions and the same ones by a long press. */
Page({
  data: /** @type {any} */ ({ t: {}, items: [], loaded: false, loading: false, query: '', undo: null, error: null, swiped: '', shift: 0, undoText: '' }),

  onLoad() {
    const { yunliao } = getApp();
    this.store = yunliao.conversations;
    this.setData(this.store.state);
    this.offs = [
      follow(this, () => {
        paintBar(yunliao.settings.state.dark);
        wx.setNavigationBarTitle({ title: this.data.t.conversations });
      }),
      this.store.subscribe((/** @type {any} */ patch) => {
        const { undo } = this.store.state;
        this.setData({ ...patch, undoText: undo ? fill(this.data.t.deleted, { title: undo.title || this.data.t.untitled }) : '' });
      })
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
    if (channel.emit) channel.emit('open', { id });
    wx.navigateBack();
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
    this.setData({ swiped: this.touch.id, shift: Math.max(OPEN, Math.min(0, this.touch.from + moved)) });
  },

  touchEnd() {
    if (!this.touch) return;
    this.touch = null;
    if (!this.data.swiped) return;
    const open = this.data.shift < OPEN / 2;
    this.setData({ shift: open ? OPEN : 0, swiped: open ? this.data.swiped : '' });
  },

  /** @param {any} event */
  menu(event) {
    const { id } = event.currentTarget.dataset;
    const { t } = this.data;
    wx.showActionSheet({
      itemList: [t.rename, t.delete],
      success: (answer) => (answer.tapIndex === 0 ? this.askTitle(id) : this.store.remove(id)),
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
