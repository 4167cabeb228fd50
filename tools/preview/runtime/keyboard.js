// The soft keyboard of a phone, when the panel asks for one: a height that the page hears of.
const listeners = new Set()

export const keyboard = {
  size: 0,
  height: 0,
  field: null,
  drawn: () => {},

  show(field) {
    this.field = field
    this.change(this.size)
  },
  hide(field) {
    if (this.field !== field) return
    this.field = null
    this.change(0)
  },
  change(height) {
    if (height === this.height) return
    this.height = height
    this.drawn(height, this.field)
    for (const listener of [...listeners]) listener({ height, duration: 0.25 })
    if (this.field) this.field.mpFire('keyboardheightchange', { height, duration: 0.25 })
  },
  on: (listener) => listeners.add(listener),
  off: (listener) => (listener ? listeners.delete(listener) : listeners.clear()),
}
