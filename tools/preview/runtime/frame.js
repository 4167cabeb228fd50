// The phone: its size, its theme, its state. One object that the rest of the runtime asks and changes.
const params = new URLSearchParams(location.search)
const root = document.documentElement
const listeners = new Map()

export function on(name, listener) {
  if (!listeners.has(name)) listeners.set(name, new Set())
  listeners.get(name).add(listener)
}

export function off(name, listener) {
  const all = listeners.get(name)
  if (!all) return
  if (listener) all.delete(listener)
  else all.clear()
}

export function emit(name, value) {
  for (const listener of [...(listeners.get(name) || [])]) listener(value)
}

export const phone = {
  user: params.get('user') || 'demo',
  theme: params.get('theme') || 'light',
  fontSize: Number(params.get('fontsize')) || 16,
  gateway: '',
  online: true,
  hidden: false,
  slowMs: 0,
  full: params.has('full') || matchMedia('(max-width: 600px)').matches,
  params,
}

export const screen = () => document.getElementById('mp-screen')
export const bars = { status: 47, navigation: 44, tab: 50, bottom: 34 }

/** Width and height of the screen and of the page area that is on top now, in CSS pixels. */
export function sizes() {
  const box = screen().getBoundingClientRect()
  const top = document.querySelector('.mp-layer:last-of-type .mp-viewport') || screen()
  return { screenWidth: box.width, screenHeight: box.height, windowWidth: box.width, windowHeight: top.clientHeight || box.height }
}

export function layout() {
  const node = screen()
  const { width, height } = node.getBoundingClientRect()
  if (phone.full) Object.assign(bars, { status: 0, bottom: 0 })
  node.style.setProperty('--mp-rpx', `${width / 750}px`)
  node.style.setProperty('--mp-vw', `${width / 100}px`)
  node.style.setProperty('--mp-vh', `${height / 100}px`)
  for (const [name, value] of Object.entries({ status: bars.status, navigation: bars.navigation, tab: bars.tab })) {
    node.style.setProperty(`--mp-${name}`, `${value}px`)
  }
  node.style.setProperty('--mp-safe-top', `${bars.status}px`)
  node.style.setProperty('--mp-safe-bottom', `${bars.bottom}px`)
  for (const view of document.querySelectorAll('.mp-viewport')) view.style.setProperty('--mp-vh', `${view.clientHeight / 100}px`)
}

export function setTheme(theme) {
  phone.theme = theme
  root.classList.toggle('mp-dark', theme === 'dark')
  root.classList.toggle('mp-light', theme !== 'dark')
  emit('theme', { theme })
}
