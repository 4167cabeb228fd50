// Page(), Component() and Behavior() as a mini-program calls them, handed to the engine in the form it takes.
import { glassEasel, MiniProgramEnv, ComponentCaller, recordError, recordWarning } from './engine.js'
import { PhoneBackend } from './backend.js'
import { sizes } from './frame.js'
import { nextFrame } from './frames.js'
import { intersectionObserver, selectorQuery } from './wx/query.js'

export const stats = { calls: 0, bytes: 0, largest: 0, byComponent: {}, reset() {
  Object.assign(stats, { calls: 0, bytes: 0, largest: 0, byComponent: {} })
} }

const env = new MiniProgramEnv()
export const backendContext = new PhoneBackend(() => {
  const size = sizes()
  return { width: size.windowWidth, height: size.windowHeight }
})
export const backend = env.associateBackend(backendContext)
export const space = env.createCodeSpace('app', true)

const own = (is) => !/miniprogram_npm/.test(is)
const MB = 1024 * 1024

/** A value that WeChat could not carry between its two threads, as the path to it; '' when all is well. */
function unsendable(value, path, seen) {
  if (value === undefined) return `${path} is undefined`
  if (typeof value === 'function') return `${path} is a function`
  if (typeof value === 'symbol' || typeof value === 'bigint') return `${path} is a ${typeof value}`
  if (value === null || typeof value !== 'object') return ''
  if (seen.has(value)) return `${path} is circular`
  seen.add(value)
  for (const key of Object.keys(value)) {
    const found = unsendable(value[key], `${path}.${key}`, seen)
    if (found) return found
  }
  seen.delete(value)
  return ''
}

const utf8Length = (text) => new Blob([text]).size
const { setData } = ComponentCaller.prototype
ComponentCaller.prototype.setData = function (data, callback) {
  const { is } = this
  if (data && own(is)) {
    for (const key of Object.keys(data)) {
      const fault = unsendable(data[key], key, new Set())
      if (fault) recordWarning(`${is}: setData: ${fault}`)
    }
    let bytes = 0
    try {
      bytes = utf8Length(JSON.stringify(data) || '')
    } catch {
      bytes = 0
    }
    stats.calls += 1
    stats.bytes += bytes
    stats.largest = Math.max(stats.largest, bytes)
    const entry = stats.byComponent[is] || (stats.byComponent[is] = { calls: 0, bytes: 0 })
    entry.calls += 1
    entry.bytes += bytes
    if (bytes > MB) recordWarning(`${is}: setData of ${bytes} bytes: WeChat allows 1 MB`)
  }
  return setData.call(this, data || {}, callback)
}
ComponentCaller.prototype.createSelectorQuery = function () {
  return selectorQuery(this)
}
ComponentCaller.prototype.createIntersectionObserver = function (options) {
  return intersectionObserver(this, options)
}
const { triggerEvent } = ComponentCaller.prototype
ComponentCaller.prototype.triggerEvent = function (name, detail, options) {
  return triggerEvent.call(this, name, detail === undefined ? {} : detail, options || {})
}
ComponentCaller.prototype.getPageId = function () {
  return this.__pageId || 'mp-page'
}
ComponentCaller.prototype.getTabBar = () => null
ComponentCaller.prototype.hasBehavior = ComponentCaller.prototype.hasBehavior || (() => false)
ComponentCaller.prototype.animate = function (selector, frames, duration, callback) {
  const targets = this._$.getShadowRoot().querySelectorAll(selector)
  const keyframes = frames.map(({ ease, ...rest }) => ({ ...rest, easing: ease || 'linear' }))
  const running = targets.map((t) => t.getBackendElement().animate(keyframes, { duration, fill: 'forwards' }).finished)
  Promise.all(running).then(() => callback && callback())
}
ComponentCaller.prototype.clearAnimation = function (selector, options, callback) {
  for (const t of this._$.getShadowRoot().querySelectorAll(selector)) for (const a of t.getBackendElement().getAnimations()) a.cancel()
  const done = typeof options === 'function' ? options : callback
  if (done) done()
}

// `hidden` is an attribute of every tag, so also of a component's host; the compiler hands it on under this name.
space.setOverallBehavior(
  space.getComponentSpace().define().property('mpHidden', { type: Boolean, value: false, observer(value) {
    const node = (this._$ || this).getBackendElement()
    if (node) node.toggleAttribute('hidden', Boolean(value))
  } }).lifetime('attached', function () {
    const component = this._$ || this
    nextFrame(() => {
      if (component.__mpReady || !glassEasel.Element.isAttached(component)) return
      component.__mpReady = true
      component.triggerLifetime('ready', [])
    })
  }).registerBehavior(),
)

const formField = space.behavior().definition({ properties: { name: String, value: null } }).register()
const NAMED_BEHAVIORS = { 'wx://form-field': formField, 'wx://form-field-group': null, 'wx://form-field-button': null, 'wx://component-export': null }

function tidyProperties(properties) {
  const out = {}
  for (const [name, value] of Object.entries(properties || {})) {
    if (value && typeof value === 'object') {
      const entry = { ...value }
      if (typeof entry.value === 'function' && entry.type !== Function) entry.value = entry.value()
      if (typeof entry.observer === 'string') {
        const method = entry.observer
        entry.observer = function (...args) {
          return this[method] && this[method](...args)
        }
      }
      out[name] = entry
    } else out[name] = value
  }
  return out
}

function tidy(definition) {
  const out = { ...definition }
  if (Array.isArray(out.behaviors)) {
    out.behaviors = out.behaviors.map((b) => (typeof b === 'string' ? NAMED_BEHAVIORS[b] : b)).filter(Boolean)
  }
  if (out.properties) out.properties = tidyProperties(out.properties)
  if (out.options) {
    const { styleIsolation, addGlobalClass, ...rest } = out.options
    out.options = rest
  }
  return out
}

/** The globals of a file: `current()` is the path of the page or component that is being defined. */
export function definers(current) {
  const need = (kind) => {
    const path = current()
    if (!path) recordError(new Error(`${kind}() outside a page or component file`))
    return path
  }
  return {
    Page(definition) {
      const path = need('Page')
      pageKinds.set(path, 'page')
      space.component(path).pageDefinition(tidy(definition)).register()
    },
    Component(definition) {
      const path = need('Component')
      pageKinds.set(path, 'component')
      if (definition === undefined) return space.component(path)
      return space.component(path).definition(tidy(definition)).register()
    },
    Behavior(definition) {
      return space.behavior().definition(tidy(definition)).register()
    },
  }
}

export const pageKinds = new Map()
