Component({
  properties: { a: String },
  data: { text: '' },
  methods: {
    onLoad(q) {
      this.setData({ text: 'a=' + q.a + ' prop=' + this.data.a })
      this.getOpenerEventChannel().on('hi', (x) => this.setData({ text: this.data.text + ' ' + x }))
    },
    back() { this.getOpenerEventChannel().emit('back', 'came back'); wx.navigateBack() },
  },
})
