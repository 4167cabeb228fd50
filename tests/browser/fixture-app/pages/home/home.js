const words = require('../../words')
let Image = 1
Page({
  data: { name: 'ada', items: [], into: '', last: words.idle, globals: '' },
  onLoad(query) {
    getApp().globalData.log.push('load')
    this.setData({
      globals: [typeof window, typeof document, typeof fetch, typeof localStorage, typeof URL].join(),
      items: Array.from({ length: 20 }, (_, i) => ({ id: i, title: 'card ' + i })),
      query,
    })
  },
  onShow() { getApp().globalData.log.push('pageShow') },
  onReady() { getApp().globalData.log.push('ready') },
  onHide() { getApp().globalData.log.push('pageHide') },
  onUnload() { getApp().globalData.log.push('unload') },
  tap(e) { this.setData({ last: 'tap ' + e.currentTarget.dataset.noteId + ' ' + typeof e.touches }) },
  press() { this.setData({ last: 'press' }) },
  pick(e) { this.setData({ last: 'picked ' + e.detail.title }) },
  low() { this.setData({ last: 'low' }) },
  go() {
    wx.navigateTo({ url: '/pages/second/second?a=1', events: { back: (x) => this.setData({ last: x }) }, success: (r) => r.eventChannel.emit('hi', 'there') })
  },
})
