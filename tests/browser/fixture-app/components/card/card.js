Component({
  properties: { title: { type: String, value: '' } },
  data: { readied: false },
  lifetimes: { ready() { this.setData({ readied: true }) } },
  methods: { pick() { this.triggerEvent('pick', { title: this.data.title }) } },
})
