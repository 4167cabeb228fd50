// What every built-in tag has in common.
import { glassEasel } from '../engine.js'

export const camel = (name) => name.replace(/-(\w)/g, (_, c) => c.toUpperCase())
export const truthy = (value) => value !== undefined && value !== false && value !== null && value !== 'false'

const PRESSABLE = new Set(['button', 'link', 'tab', 'switch', 'checkbox', 'radio', 'menuitem', 'option'])
const DIRECT = /^(?:aria-|role$)/

export class WxElement extends HTMLElement {
  static defaults = {}

  constructor() {
    super()
    this.mpProps = {}
  }

  /** Sets a property of the tag; called by the engine with the value as the template computed it. */
  mpSet(name, value) {
    if (DIRECT.test(name)) {
      const attribute = name === 'aria-role' ? 'role' : name
      if (value === undefined || value === null) this.removeAttribute(attribute)
      else this.setAttribute(attribute, String(value))
      if (attribute === 'role' && PRESSABLE.has(String(value))) this.mpPressable()
      return
    }
    const key = camel(name)
    this.mpProps[key] = value
    if (key === 'hidden') this.toggleAttribute('hidden', truthy(value))
    else if (key === 'disabled') this.toggleAttribute('disabled', truthy(value))
    this.mpChanged(key, this.mpGet(key))
  }

  mpGet(key) {
    const value = this.mpProps[key]
    const fallback = this.constructor.defaults[key]
    if (value === undefined || value === null) return fallback
    if (typeof fallback === 'boolean') return truthy(value)
    if (typeof fallback === 'number') return Number.isNaN(Number(value)) ? fallback : Number(value)
    return value
  }

  mpChanged() {}

  /** Reached and pressed by keyboard too. */
  mpPressable() {
    if (this.mpKeys) return
    this.mpKeys = true
    this.tabIndex = 0
    this.addEventListener('keydown', (event) => {
      if ((event.key !== 'Enter' && event.key !== ' ') || event.target !== this) return
      event.preventDefault()
      this.click()
    })
  }

  /** Raises an event on this tag only, as WeChat's own tags do. Returns what the last listener returned. */
  mpFire(name, detail, bubbles = false) {
    let answer
    if (this.__wxElement) {
      glassEasel.triggerEvent(this.__wxElement, name, detail, {
        bubbles,
        composed: false,
        handleListenerReturn: (value) => {
          if (value !== undefined) answer = value
        },
      })
    }
    return answer
  }

  /** Hands a new value to a `model:` binding. */
  mpModelSet(key, value) {
    this.mpProps[key] = value
    const listener = this.mpModel && this.mpModel[key]
    if (listener) listener(value)
  }

  mpHoverClass() {
    const name = this.mpGet('hoverClass')
    return name && name !== 'none' ? name : ''
  }

  mpHoverStart() {
    return this.mpGet('hoverStartTime') ?? 50
  }

  mpHoverStay() {
    return this.mpGet('hoverStayTime') ?? 400
  }

  mpToggleClass(name, on) {
    const list = this.__wxElement && this.__wxElement.classList
    if (!list) return
    for (const one of String(name).split(/\s+/).filter(Boolean)) list.toggle(one, on, TEMPORARY)
  }
}

// The class segment that a template never writes.
const TEMPORARY = 3

export const define = (tag, type) => customElements.define(`wx-${tag}`, type)
