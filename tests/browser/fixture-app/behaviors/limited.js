module.exports = Behavior({
  properties: { max: { type: Number, value: 6 } },
  data: { fromBehavior: true },
  methods: { clamp(n) { return Math.min(n, this.data.max) } },
})
