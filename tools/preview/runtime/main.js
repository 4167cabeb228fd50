// Starts the mini-program in the page, and offers window.__mp to tests and to the panel.
import { log, recordError, recordWarning } from './engine.js'
import { phone, screen, layout, setTheme, emit, on } from './frame.js'
import './elements/basic.js'
import './elements/form.js'
import './elements/scroll.js'
import { Loader } from './loader.js'
import { space, definers, stats } from './definitions.js'
import { watchGestures } from './gestures.js'
import { startPages, navigation, pageHidden, pageShown, mountComponent, parseUrl } from './pages.js'
import { nextFrame } from './frames.js'
import { stack } from './stack.js'
import { keyboard } from './keyboard.js'
import { wx, knownMembers, clipboard, session } from './wx/index.js'
import { setOnline, wentHidden, cameBack } from './wx/network.js'
import { clear } from './wx/storage.js'
import { shares } from './wx/opentype.js'
import { handed, kept } from './wx/files.js'
import { startPanel } from './panel.js'

const app = { instance: null, definition: {} }

async function text(url) {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url}: ${response.status}`)
  return response.text()
}

async function sources(manifest) {
  const texts = new Map(Object.entries(JSON.parse(await text('/__preview/packed.json'))))
  await Promise.all(Object.keys(manifest.modules).filter((path) => !texts.has(path)).map(async (path) => {
    texts.set(path, await text(`/__preview/src/${path}`))
  }))
  return texts
}

function registerStatic(manifest, templates) {
  for (const [path, entry] of Object.entries(manifest.components)) {
    space.addComponentStaticConfig(path, entry.config)
    space.addStyleSheet(path, undefined, entry.scope)
    if (templates[path]) space.addCompiledTemplate(path, { groupList: templates, content: templates[path] })
  }
}

function callApp(name, argument) {
  const method = app.instance && app.instance[name]
  if (typeof method !== 'function') return
  try {
    method.call(app.instance, argument)
  } catch (error) {
    recordError(error, `app.js ${name}`)
  }
}

function watchErrors() {
  window.addEventListener('error', (event) => {
    if (/ResizeObserver loop/.test(event.message)) return
    recordError(event.error || event.message, 'uncaught')
    emit('error', String(event.message))
  })
  window.addEventListener('unhandledrejection', (event) => {
    const { reason } = event
    recordError(reason && (reason.errMsg || reason.message) ? new Error(reason.errMsg || reason.message) : reason, 'unhandled rejection')
    emit('unhandledRejection', { reason, promise: event.promise })
  })
}

/** Shows the keyboard and, unless the field forbids it (adjust-position), lifts the page until the field is above it. */
function drawKeyboard(height, field) {
  const node = screen()
  node.style.setProperty('--mp-keyboard', `${height}px`)
  node.classList.toggle('mp-with-keyboard', height > 0)
  const layers = node.querySelector('.mp-layers')
  layers.style.transform = ''
  if (!height || !field || field.mpGet('adjustPosition') === false || field.mpProps.adjustPosition === 'false') return
  const over = field.getBoundingClientRect().bottom - (node.getBoundingClientRect().bottom - height)
  const spacing = Number(field.mpGet('cursorSpacing')) || 0
  if (over + spacing > 0) layers.style.transform = `translateY(${-Math.min(height, over + spacing)}px)`
}

const control = {
  hide() {
    if (phone.hidden) return
    phone.hidden = true
    pageHidden()
    callApp('onHide')
    emit('appHide', {})
    wentHidden()
    document.documentElement.dataset.hidden = 'yes'
    emit('state')
  },
  show() {
    if (!phone.hidden) return
    phone.hidden = false
    delete document.documentElement.dataset.hidden
    cameBack()
    callApp('onShow', { ...session.launch })
    emit('appShow', { ...session.launch })
    pageShown()
    emit('state')
  },
  online: () => control.network(true),
  offline: () => control.network(false),
  network(online) {
    setOnline(online)
    emit('state')
  },
  slow(ms) {
    phone.slowMs = Number(ms) || 0
    emit('state')
  },
  theme(theme) {
    setTheme(theme)
    callApp('onThemeChange', { theme })
    emit('state')
  },
  keyboard(height) {
    keyboard.size = height
    if (keyboard.field) keyboard.change(height)
    emit('state')
  },
  resetStorage() {
    clear()
    location.reload()
  },
  /** The same page with some of its address changed, e.g. `{user: 'bob'}`. */
  reopen(changes) {
    const url = new URL(location.href)
    for (const [name, value] of Object.entries(changes || {})) {
      if (value === null) url.searchParams.delete(name)
      else url.searchParams.set(name, value)
    }
    if (url.href === location.href) location.reload()
    else location.href = url.href
  },
}

async function boot() {
  watchErrors()
  setTheme(phone.theme)
  document.documentElement.classList.toggle('mp-full', phone.full)
  layout()
  new ResizeObserver(() => {
    layout()
    emit('windowResize', { size: { windowWidth: screen().clientWidth, windowHeight: screen().clientHeight } })
  }).observe(screen())

  const [manifest, templateCode] = await Promise.all([text('/__preview/manifest.json').then(JSON.parse), text('/__preview/templates.js')])
  phone.gateway = manifest.gateway || ''
  startPanel({ manifest, control, phone, log, stack, on })
  for (const problem of manifest.problems) {
    if (problem.level === 'error') recordError(new Error(problem.message), problem.where)
    else if (!problem.where.includes('miniprogram_npm/')) recordWarning(`${problem.where}: ${problem.message}`)
  }
  const templates = new Function(`return ${templateCode}`)()
  const texts = await sources(manifest)
  registerStatic(manifest, templates)

  const defining = definers(() => loader.path)
  const given = {
    wx,
    ...defining,
    App(definition) {
      app.definition = definition
      app.instance = Object.assign(app.instance || {}, definition)
    },
    getApp: () => app.instance || (app.instance = {}),
    getCurrentPages: () => stack.instances(),
    requirePlugin() {
      throw new Error('plugins are not part of the simulation')
    },
    requireMiniProgram() {},
  }
  const loader = new Loader(manifest.modules, texts, () => given)

  const done = new Set()
  const ensure = (path) => {
    if (done.has(path)) return
    done.add(path)
    const entry = manifest.components[path]
    if (!entry) throw new Error(`no such page or component: ${path}`)
    for (const target of Object.values(entry.config.usingComponents)) ensure(target.slice(1))
    for (const generic of Object.values(entry.config.componentGenerics || {})) if (generic.default) ensure(generic.default.slice(1))
    loader.runComponent(path)
  }
  startPages(manifest, ensure)
  watchGestures(screen(), () => (stack.top() ? stack.top().viewport : screen()).getBoundingClientRect())
  screen().addEventListener('mp-back', () => navigation.navigateBack(1).catch(() => {}))
  keyboard.drawn = drawKeyboard

  const start = phone.params.get('route') || manifest.app.entryPagePath || manifest.app.pages[0]
  if (!start) throw new Error('app.json names no page')
  const { route, options } = parseUrl(start, '')
  session.launch = { ...session.launch, path: route, query: options }
  Object.assign(window.__mp, {
    mount: mountComponent,
    component: (selector) => {
      const node = document.querySelector(selector)
      const element = node && node.__wxElement
      return element && element.getMethodCaller ? element.getMethodCaller() : null
    },
    app: () => app.instance,
    require: (path) => loader.require(path),
  })
  if (texts.has('app.js')) {
    try {
      loader.require('app.js')
    } catch (error) {
      recordError(error, 'app.js')
    }
  }
  callApp('onLaunch', { ...session.launch })
  callApp('onShow', { ...session.launch })
  try {
    await navigation.reLaunch(`/${start}`)
  } catch (error) {
    recordError(error.errMsg ? new Error(error.errMsg) : error, 'first page')
  }
  await new Promise((resolve) => nextFrame(() => nextFrame(resolve)))
  window.__mp.ready = true
  document.documentElement.dataset.ready = 'yes'
  emit('state')
}

window.__mp = {
  ready: false,
  errors: log.errors,
  warnings: log.warnings,
  get unshimmed() {
    return [...log.unshimmed]
  },
  wx,
  knownMembers,
  stats,
  control,
  shares,
  handed,
  keptFiles: kept,
  get clipboard() {
    return clipboard.data
  },
  page: () => stack.top() && stack.top().instance,
  getCurrentPages: () => stack.instances(),
}

boot().catch((error) => {
  recordError(error, 'preview')
  document.documentElement.dataset.ready = 'failed'
  const box = document.createElement('pre')
  box.className = 'mp-crash'
  box.textContent = `小程序未能启动 The mini-program did not start\n\n${error && error.message}`
  screen().appendChild(box)
})
