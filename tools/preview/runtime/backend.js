// Where the engine draws: elements of the real page, with the names and units of WXML.
import { glassEasel } from './engine.js'
import { BUILT_IN_TAGS } from '../tags.js'

const LENGTH = /(^|[^\w#-])(-?\d*\.?\d+)(rpx|vw|vh)\b/g
const VARIABLE = { rpx: '--mp-rpx', vw: '--mp-vw', vh: '--mp-vh' }

/** rpx, vw and vh of an inline style, in units of the phone frame. */
export function spellStyle(style) {
  return String(style)
    .replace(LENGTH, (_, before, number, unit) => `${before}calc(${number} * var(${VARIABLE[unit]}))`)
    .replace(/\b(?:env|constant)\(\s*safe-area-inset-(top|bottom|left|right)\s*(?:,[^)]*)?\)/g, 'var(--mp-safe-$1)')
}

// The DOM's own events that a template may listen to; all others are raised by the built-in elements.
const NATIVE_EVENTS = new Set(['transitionend', 'animationstart', 'animationiteration', 'animationend'])

export class PhoneBackend extends glassEasel.CurrentWindowBackendContext {
  constructor(size) {
    super()
    this.size = size
    this.document = {
      createElement: (tag) => {
        const node = document.createElement(BUILT_IN_TAGS.has(tag) ? `wx-${tag}` : tag)
        const set = node.setAttribute
        node.setAttribute = (name, value) => set.call(node, name, name === 'style' ? spellStyle(value) : value)
        return node
      },
      createTextNode: (text) => document.createTextNode(text),
      createDocumentFragment: () => document.createDocumentFragment(),
    }
  }

  getWindowWidth() {
    return this.size().width
  }

  getWindowHeight() {
    return this.size().height
  }

  onEvent(listener) {
    this.listener = listener
  }

  setListenerStats(element, type) {
    if (!element || !NATIVE_EVENTS.has(type)) return
    element.mpNative = element.mpNative || {}
    if (element.mpNative[type]) return
    element.mpNative[type] = true
    element.addEventListener(type, (event) => {
      if (event.target !== element || !element.__wxElement) return
      glassEasel.triggerEvent(element.__wxElement, type, { elapsedTime: event.elapsedTime }, { bubbles: true })
    })
  }

  setModelBindingStat(element, name, listener) {
    element.mpModel = element.mpModel || {}
    element.mpModel[name.replace(/-(\w)/g, (_, c) => c.toUpperCase())] = listener
  }
}
