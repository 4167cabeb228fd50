// The component engine, set up once: what the rest of the runtime needs to know of glass-easel.
import * as adapter from 'glass-easel-miniprogram-adapter'

export const { glassEasel } = adapter
export const { MiniProgramEnv } = adapter
export const { ComponentCaller } = adapter.component
export const log = { errors: [], warnings: [], unshimmed: new Set() }

export function recordError(error, where) {
  const message = `${where ? `${where}: ` : ''}${error && error.message ? error.message : String(error)}`
  log.errors.push(message)
  console.error(message, error && error.stack ? error.stack : '')
}

export function recordWarning(message) {
  log.warnings.push(message)
  console.warn(message)
}

glassEasel.globalOptions.writeFieldsToNode = false
glassEasel.addGlobalErrorListener((error, method, component) => {
  recordError(error, `${(component && component.is) || component || ''} ${method || ''}`.trim())
  return false
})
glassEasel.addGlobalWarningListener((message, component) => {
  const is = (component && component.is) || component || ''
  // npm components are not ours to mend, and "hidden" and ARIA attributes on a component's host are what WeChat allows.
  if (!/miniprogram_npm/.test(is + message) && !/^"(?:hidden|aria\w*|role)" is not/.test(message)) recordWarning(`${is}: ${message}`)
  return false
})

const proto = glassEasel.Element.prototype
const { setAttribute, removeAttribute, setDataset } = proto

// Native nodes get property values as they are (arrays, objects, false), not as the strings of DOM attributes.
proto.setAttribute = function (name, value) {
  const node = this.getBackendElement && this.getBackendElement()
  if (node && node.mpSet) node.mpSet(name, value)
  else setAttribute.call(this, name, value)
}
proto.removeAttribute = function (name) {
  const node = this.getBackendElement && this.getBackendElement()
  if (node && node.mpSet) node.mpSet(name, undefined)
  else removeAttribute.call(this, name)
}
// data-* values are visible in the DOM, for tests and for people with the inspector open.
proto.setDataset = function (name, value) {
  setDataset.call(this, name, value)
  const node = this.getBackendElement && this.getBackendElement()
  if (node && typeof value !== 'object') {
    node.setAttribute(`data-${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`, String(value))
  }
}
const id = Object.getOwnPropertyDescriptor(proto, 'id')
Object.defineProperty(proto, 'id', {
  ...id,
  set(value) {
    id.set.call(this, value)
    const node = this.getBackendElement && this.getBackendElement()
    if (node) node.setAttribute('data-mp-id', value)
  },
})
