App({
  globalData: { log: [] },
  onLaunch() { this.globalData.log.push('launch') },
  onShow() { this.globalData.log.push('show') },
  onHide() { this.globalData.log.push('hide') },
})
