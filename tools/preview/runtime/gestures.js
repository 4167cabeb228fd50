// Touches and the mouse become touchstart, touchmove, touchend, tap and longpress of WXML.
import { glassEasel } from './engine.js'

const TAP_DISTANCE = 10
const LONG_PRESS_MS = 350
const GHOST_MOUSE_MS = 900

function wxElementOf(node) {
  let at = node
  while (at && !at.__wxElement) at = at.parentNode || at.host
  return at ? at.__wxElement : null
}

function listens(node, type) {
  for (let at = node; at; at = at.parentNode) {
    const target = at.__wxElement && at.__wxElement._$eventTarget
    if (target && ((target.listeners && target.listeners[type]) || (target.captureListeners && target.captureListeners[type]))) return true
  }
  return false
}

/** Raises an event that bubbles through components. Returns the event. */
export function raise(node, type, detail, extraFields) {
  const target = wxElementOf(node)
  if (!target) return null
  const event = new glassEasel.Event(type, detail, { bubbles: true, composed: true, capturePhase: true, extraFields })
  glassEasel.Event.dispatchEvent(target, event)
  return event
}

/** @param area  function giving the rectangle of the page area, the origin of all coordinates */
export function watchGestures(root, area) {
  const active = new Map()
  let lastTouch = -Infinity
  let pressed = false

  const point = (t, id) => {
    const { left, top } = area()
    const x = t.clientX - left
    const y = t.clientY - top
    return { identifier: id, clientX: x, clientY: y, pageX: x, pageY: y, force: 1 }
  }
  const fields = (touches, changed) => ({ touches, changedTouches: changed })

  const start = (id, target, at, touches) => {
    const gesture = { target, x: at.clientX, y: at.clientY, moved: false, long: false }
    gesture.timer = setTimeout(() => {
      if (gesture.moved) return
      const heard = listens(target, 'longpress') || listens(target, 'longtap')
      if (!heard) return
      gesture.long = true
      const detail = { x: at.clientX, y: at.clientY }
      raise(target, 'longpress', detail, fields(touches, [at]))
      raise(target, 'longtap', detail, fields(touches, [at]))
    }, LONG_PRESS_MS)
    active.set(id, gesture)
    hover(target)
    raise(target, 'touchstart', { x: at.clientX, y: at.clientY }, fields(touches, [at]))
  }
  const move = (id, at, touches) => {
    const gesture = active.get(id)
    if (!gesture) return null
    if (Math.hypot(at.clientX - gesture.x, at.clientY - gesture.y) > TAP_DISTANCE) {
      gesture.moved = true
      clearTimeout(gesture.timer)
      unhover()
    }
    return raise(gesture.target, 'touchmove', { x: at.clientX, y: at.clientY }, fields(touches, [at]))
  }
  const end = (id, at, touches, cancelled) => {
    const gesture = active.get(id)
    if (!gesture) return
    active.delete(id)
    clearTimeout(gesture.timer)
    unhover()
    raise(gesture.target, cancelled ? 'touchcancel' : 'touchend', { x: at.clientX, y: at.clientY }, fields(touches, [at]))
    if (!cancelled && !gesture.moved && !gesture.long) tap(gesture.target, at)
  }
  const tap = (target, at) => {
    if (target.closest && target.closest('wx-button[disabled]')) return
    const now = [at]
    raise(target, 'tap', { x: at.clientX, y: at.clientY }, fields(now, now))
    for (let node = target; node && node !== root; node = node.parentNode) {
      if (node.mpTap && node.mpTap(target) !== false) break
    }
  }

  let hovered = []
  const hover = (target) => {
    unhover()
    const now = []
    for (let node = target; node && node !== root; node = node.parentNode) {
      const name = node.mpHoverClass && node.mpHoverClass()
      if (!name) continue
      const entry = { node, name, stay: node.mpHoverStay(), on: false }
      entry.timer = setTimeout(() => {
        entry.on = true
        node.mpToggleClass(name, true)
      }, node.mpHoverStart())
      now.push(entry)
      if (node.mpGet('hoverStopPropagation')) break
    }
    hovered = now
  }
  const unhover = () => {
    for (const entry of hovered) {
      clearTimeout(entry.timer)
      if (entry.on) setTimeout(() => entry.node.mpToggleClass(entry.name, false), entry.stay)
    }
    hovered = []
  }

  const list = (touches) => Array.from(touches, (t) => point(t, t.identifier))
  root.addEventListener('touchstart', (event) => {
    lastTouch = event.timeStamp
    for (const t of event.changedTouches) start(t.identifier, t.target, point(t, t.identifier), list(event.touches))
  }, { capture: true, passive: true })
  root.addEventListener('touchmove', (event) => {
    lastTouch = event.timeStamp
    for (const t of event.changedTouches) {
      const raised = move(t.identifier, point(t, t.identifier), list(event.touches))
      if (raised && raised.defaultPrevented() && event.cancelable) event.preventDefault()
    }
  }, { capture: true, passive: false })
  for (const type of ['touchend', 'touchcancel']) {
    root.addEventListener(type, (event) => {
      lastTouch = event.timeStamp
      for (const t of event.changedTouches) {
        end(t.identifier, point(t, t.identifier), list(event.touches), type === 'touchcancel')
      }
    }, { capture: true, passive: true })
  }

  // A touch is followed by mouse events of the browser's making: those are not a second touch.
  const ghost = (event) => event.timeStamp - lastTouch < GHOST_MOUSE_MS
  root.addEventListener('mousedown', (event) => {
    if (event.button !== 0 || ghost(event)) return
    pressed = true
    start('mouse', event.target, point(event, 0), [point(event, 0)])
  }, true)
  window.addEventListener('mousemove', (event) => {
    if (pressed) move('mouse', point(event, 0), [point(event, 0)])
  }, true)
  window.addEventListener('mouseup', (event) => {
    if (!pressed) return
    pressed = false
    end('mouse', point(event, 0), [], false)
  }, true)
  // Keyboard and assistive technology activate without a pointer.
  root.addEventListener('click', (event) => {
    if (event.detail === 0 && !ghost(event) && event.target.closest && !event.target.closest('input,textarea')) {
      tap(event.target, point(event, 0))
    }
  }, true)
}
