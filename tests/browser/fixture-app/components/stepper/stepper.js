const limited = require('../../behaviors/limited')
Component({
  behaviors: [limited, 'wx://form-field'],
  properties: { value: { type: Number, value: 0 }, step: { type: Number, value: 1 } },
  data: { twice: 0 },
  observers: { value(v) { this.setData({ twice: v * 2 }) } },
  methods: {
    more() {
      const next = this.clamp(this.data.value + this.data.step)
      if (next === this.data.value) this.triggerEvent('over-limit', { at: next })
      this.setData({ value: next })
    },
  },
})
