// wx.createSelectorQuery and wx.createIntersectionObserver, in the coordinates of the page area.
import { stack } from '../stack.js'
import { nextFrame } from '../frames.js'

function areaOf(caller) {
  const node = caller && caller._$ && caller._$.getBackendElement && caller._$.getBackendElement()
  const page = (node && node.closest && node.closest('.mp-viewport')) || (stack.top() && stack.top().viewport)
  return page ? page.getBoundingClientRect() : { left: 0, top: 0, width: 0, height: 0 }
}

function rectOf(caller, node) {
  const area = areaOf(caller)
  const r = node.getBoundingClientRect()
  return { left: r.left - area.left, top: r.top - area.top, right: r.right - area.left, bottom: r.bottom - area.top, width: r.width, height: r.height }
}

/** Elements of a component that match, without those inside its child components; `>>>` reaches into them. */
export function find(caller, selector, all) {
  const root = caller && caller._$ && caller._$.getShadowRoot()
  if (!root) return []
  const found = all ? root.querySelectorAll(selector) : [root.querySelector(selector)]
  return found.filter(Boolean)
}

const box = (element) => element.getBackendElement()

function read(caller, element, fields) {
  const node = box(element)
  const out = {}
  if (fields.id) out.id = element.id || ''
  if (fields.dataset) out.dataset = element.dataset || {}
  if (fields.mark) out.mark = element.collectMarks ? element.collectMarks() : {}
  if (!node) return out
  const rect = rectOf(caller, node)
  if (fields.rect) Object.assign(out, { left: rect.left, top: rect.top, right: rect.right, bottom: rect.bottom })
  if (fields.size) Object.assign(out, { width: rect.width, height: rect.height })
  if (fields.scrollOffset) {
    Object.assign(out, { scrollLeft: node.scrollLeft, scrollTop: node.scrollTop, scrollWidth: node.scrollWidth, scrollHeight: node.scrollHeight })
  }
  for (const name of fields.properties || []) out[name] = node.mpGet ? node.mpGet(name) : element.data && element.data[name]
  if (fields.computedStyle) {
    const style = getComputedStyle(node)
    for (const name of fields.computedStyle) out[name] = style[name]
  }
  if (fields.node) out.node = node.mpNode ? node.mpNode() : null
  if (fields.context) out.context = null
  return out
}

function readViewport(caller, fields) {
  const area = areaOf(caller)
  const page = stack.top()
  const scroller = page && page.scroller
  const out = {}
  if (fields.id) out.id = ''
  if (fields.dataset) out.dataset = {}
  if (fields.rect) Object.assign(out, { left: 0, top: 0, right: area.width, bottom: area.height })
  if (fields.size) Object.assign(out, { width: area.width, height: area.height })
  if (fields.scrollOffset && scroller) {
    Object.assign(out, { scrollLeft: scroller.scrollLeft, scrollTop: scroller.scrollTop, scrollWidth: scroller.scrollWidth, scrollHeight: scroller.scrollHeight })
  }
  return out
}

export function selectorQuery(start) {
  let caller = start
  const tasks = []
  const ref = (selector, all) => {
    const push = (fields, callback) => {
      const from = caller
      tasks.push(() => {
        const target = from || (stack.top() && stack.top().instance)
        let result
        if (selector === null) result = readViewport(target, fields)
        else {
          const found = find(target, selector, all).map((element) => read(target, element, fields))
          result = all ? found : found[0] || null
        }
        if (callback) callback.call(target, result)
        return result
      })
      return query
    }
    return {
      fields: (fields, callback) => push(fields, callback),
      boundingClientRect: (callback) => push({ id: true, dataset: true, rect: true, size: true }, callback),
      scrollOffset: (callback) => push({ id: true, dataset: true, scrollOffset: true }, callback),
      context: (callback) => push({ context: true }, callback),
      node: (callback) => push({ node: true }, callback),
    }
  }
  const query = {
    in(component) {
      caller = component
      return query
    },
    select: (selector) => ref(selector, false),
    selectAll: (selector) => ref(selector, true),
    selectViewport: () => ref(null, false),
    exec(callback) {
      nextFrame(() => {
        const results = tasks.map((task) => task())
        if (callback) callback(results)
      })
      return query
    },
  }
  return query
}

export function intersectionObserver(component, options = {}) {
  let root = null
  let margins = {}
  let observer = null
  let ended = false
  // WeChat says nothing at first of a node whose ratio is the one that was expected (initialRatio, 0 unless told).
  const expected = options.initialRatio || 0
  const told = new Set()
  const api = {
    relativeTo(selector, m = {}) {
      root = find(component || stack.top().instance, selector, false)[0] || null
      margins = m
      return api
    },
    relativeToViewport(m = {}) {
      root = null
      margins = m
      return api
    },
    observe(selector, callback) {
      nextFrame(() => {
        if (ended) return
        const caller = component || (stack.top() && stack.top().instance)
        const base = root ? box(root) : stack.top() && stack.top().viewport
        const m = ['top', 'right', 'bottom', 'left'].map((side) => `${margins[side] || 0}px`).join(' ')
        observer = new IntersectionObserver((entries) => {
          for (const e of entries) {
            const first = !told.has(e.target)
            told.add(e.target)
            if (first && e.intersectionRatio === expected && e.isIntersecting === expected > 0) continue
            const element = e.target.__wxElement
            callback.call(caller, {
              id: element ? element.id : '', dataset: element ? element.dataset : {}, intersectionRatio: e.intersectionRatio,
              intersectionRect: e.intersectionRect, boundingClientRect: e.boundingClientRect, relativeRect: e.rootBounds, time: Date.now(),
            })
          }
        }, { root: base, rootMargin: m, threshold: options.thresholds || [0] })
        for (const element of find(caller, selector, options.observeAll)) observer.observe(box(element))
      })
    },
    disconnect() {
      ended = true
      if (observer) observer.disconnect()
    },
  }
  return api
}
