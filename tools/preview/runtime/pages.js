// Opening and closing pages: layers in the phone, lifecycle calls, navigation bar, tab bar.
import { glassEasel, recordError } from './engine.js'
import { backend, space, pageKinds } from './definitions.js'
import { nextFrame } from './frames.js'
import { stack } from './stack.js'
import { layout, phone, screen, on } from './frame.js'
import { setAssetBase, assetUrl } from './assets.js'

const MAX_DEPTH = 10
const REACH_BOTTOM_PX = 50
let manifest
let ensure
let counter = 0

export function startPages(given, ensureComponent) {
  manifest = given
  ensure = ensureComponent
  on('theme', () => {
    for (const page of stack.pages) drawBar(page)
    drawTabs()
  })
}

/** Values like `@bg` of page and app configuration, from theme.json. */
function themed(value) {
  if (typeof value !== 'string' || value[0] !== '@') return value
  const table = manifest.theme[phone.theme] || manifest.theme.light || {}
  return table[value.slice(1)]
}

export const isTab = (route) => (manifest.app.tabBar?.list || []).some((t) => t.pagePath === route)

export function parseUrl(url, from) {
  const [path, query = ''] = String(url).split('?')
  const route = new URL(path, `https://x/${from || ''}`).pathname.slice(1)
  const options = {}
  for (const pair of query.split('&').filter(Boolean)) {
    const [name, ...rest] = pair.split('=')
    options[name] = rest.join('=')
  }
  return { route, options }
}

const call = (page, name, ...args) => {
  const { instance } = page
  const method = instance[name] || (page.component.getComponentDefinition().behavior.getMethods() || {})[name]
  if (typeof method !== 'function') return undefined
  try {
    return method.apply(instance, args)
  } catch (error) {
    recordError(error, `${page.route} ${name}`)
    return undefined
  }
}

function make(tag, className, parent) {
  const node = document.createElement(tag)
  node.className = className
  if (parent) parent.appendChild(node)
  return node
}

const BACK = '<svg viewBox="0 0 14 24" width="12" height="21" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"><path d="M11 4l-8 8 8 8"/></svg>'
const CAPSULE = '<div class="mp-capsule" aria-hidden="true"><i></i><b></b></div>'

function buildLayer(page) {
  const layer = make('section', 'mp-layer', screen().querySelector('.mp-layers'))
  page.layer = layer
  page.custom = page.config.navigationStyle === 'custom'
  layer.classList.toggle('mp-custom', page.custom)
  page.bar = make('header', 'mp-navbar', layer)
  page.viewport = make('main', 'mp-viewport', layer)
  page.scroller = make('div', 'mp-scroller', page.viewport)
  if (page.config.disableScroll) page.scroller.style.overflow = 'hidden'
  layer.classList.toggle('mp-with-tabs', isTab(page.route))
  drawBar(page)
  let top = 0
  let below = false
  page.scroller.addEventListener('scroll', () => {
    const s = page.scroller
    if (s.scrollTop !== top) call(page, 'onPageScroll', { scrollTop: s.scrollTop })
    const near = s.scrollTop + s.clientHeight >= s.scrollHeight - (page.config.onReachBottomDistance || REACH_BOTTOM_PX)
    if (near && !below && s.scrollTop > top) call(page, 'onReachBottom')
    below = near
    top = s.scrollTop
  }, { passive: true })
}

export function drawBar(page) {
  const { bar, config } = page
  const dark = page.bar.dataset
  const background = page.barColor || themed(config.navigationBarBackgroundColor) || '#000000'
  const text = page.barText || (themed(config.navigationBarTextStyle) === 'black' ? '#000000' : '#ffffff')
  dark.text = text.toLowerCase() === '#000000' ? 'black' : 'white'
  bar.style.background = page.custom ? 'transparent' : background
  bar.style.color = text
  if (!bar.firstChild) {
    const back = make('button', 'mp-back', bar)
    back.innerHTML = BACK
    back.setAttribute('aria-label', '返回 Back')
    back.addEventListener('click', () => back.dispatchEvent(new CustomEvent('mp-back', { bubbles: true })))
    make('div', 'mp-title', bar)
    bar.insertAdjacentHTML('beforeend', CAPSULE)
  }
  bar.querySelector('.mp-back').hidden = page.custom || stack.pages.indexOf(page) <= 0
  bar.querySelector('.mp-title').textContent = page.custom ? '' : page.title
  page.layer.style.background = page.background || themed(config.backgroundColor) || ''
  page.scroller.style.backgroundColor = page.background || ''
  if (page === stack.top()) screen().dataset.text = dark.text
}

function create(route, options) {
  if (!manifest.app.pages.includes(route)) throw { errMsg: `page "${route}" is not found` }
  ensure(route)
  const config = { ...(manifest.app.window || {}), ...(manifest.components[route]?.json || {}) }
  const page = { route, options, config, id: (counter += 1), title: themed(config.navigationBarTitleText) || '' }
  buildLayer(page)
  setAssetBase(route)
  const query = Object.entries(options).map(([k, v]) => `${k}=${v}`).join('&')
  const url = pageKinds.get(route) === 'component' && query ? `/${route}?${query}` : `/${route}`
  page.root = backend.createRoot('mp-page', space, url)
  page.component = page.root.getComponent()
  page.instance = page.root.get()
  Object.assign(page.instance, { route, __route__: route, options, __pageId: `page-${page.id}`, exitState: undefined, pageId: page.id })
  page.events = new Channel()
  page.instance.getOpenerEventChannel = () => page.opener || new Channel()
  const mark = page.component.getBackendElement()
  mark.classList.add('mp-page')
  mark.dataset.mpRoute = route
  return page
}

function attach(page) {
  const placeholder = document.createElement('span')
  page.scroller.appendChild(placeholder)
  page.root.attach(page.scroller, placeholder)
  layout()
  call(page, 'onLoad', page.options)
}

function show(page) {
  page.layer.hidden = false
  page.shown = true
  setAssetBase(page.route)
  drawBar(page)
  layout()
  call(page, 'onShow')
  page.component.triggerPageLifetime('show', [])
  if (page.ready) return
  page.ready = true
  nextFrame(() => nextFrame(() => stack.pages.includes(page) && call(page, 'onReady')))
}

function hide(page) {
  if (!page || !page.shown) return
  page.shown = false
  call(page, 'onHide')
  page.component.triggerPageLifetime('hide', [])
}

function close(page) {
  call(page, 'onUnload')
  page.root.release()
  page.layer.remove()
}

export function drawTabs() {
  const bar = screen().querySelector('.mp-tabbar')
  const page = stack.top()
  const config = manifest.app.tabBar
  bar.hidden = !config || !page || !isTab(page.route) || config.custom
  if (bar.hidden) return
  bar.style.background = themed(config.backgroundColor)
  bar.replaceChildren(...config.list.map((tab) => {
    const on = tab.pagePath === page.route
    const button = make('button', on ? 'mp-tab mp-tab-on' : 'mp-tab')
    button.style.color = themed(on ? config.selectedColor : config.color)
    const icon = themed(on ? tab.selectedIconPath : tab.iconPath)
    if (icon) {
      const img = make('img', '', button)
      img.src = assetUrl(`/${icon.replace(/^\//, '')}`)
      img.alt = ''
    }
    make('span', '', button).textContent = tab.text
    button.addEventListener('click', () => navigation.switchTab(`/${tab.pagePath}`).then(() => call(stack.top(), 'onTabItemTap', tab), () => {}))
    return button
  }))
}

/** Events between a page and the one that opened it. */
export class Channel {
  constructor() {
    this.table = {}
    this.peer = this
  }

  emit(name, ...args) {
    for (const fn of [...(this.peer.table[name] || [])]) fn(...args)
  }

  on(name, fn) {
    (this.table[name] = this.table[name] || []).push(fn)
  }

  once(name, fn) {
    const wrapped = (...args) => {
      this.off(name, wrapped)
      fn(...args)
    }
    this.on(name, wrapped)
  }

  off(name, fn) {
    this.table[name] = fn ? (this.table[name] || []).filter((f) => f !== fn) : []
  }
}

function put(route, options, events) {
  const page = create(route, options)
  stack.pages.push(page)
  page.channel = new Channel()
  page.opener = new Channel()
  page.channel.peer = page.opener
  page.opener.peer = page.channel
  for (const [name, fn] of Object.entries(events || {})) page.channel.on(name, fn)
  attach(page)
  show(page)
  drawTabs()
  return page
}

const from = () => (stack.top() ? stack.top().route : '')

export const navigation = {
  async navigateTo(url, events) {
    const { route, options } = parseUrl(url, from())
    if (isTab(route)) throw { errMsg: 'can not navigateTo a tabbar page' }
    if (stack.pages.length >= MAX_DEPTH) throw { errMsg: 'webview count limit exceed' }
    const before = stack.top()
    hide(before)
    const page = put(route, options, events)
    if (before) before.layer.hidden = true
    return { eventChannel: page.channel }
  },
  async redirectTo(url) {
    const { route, options } = parseUrl(url, from())
    if (isTab(route)) throw { errMsg: 'can not redirectTo a tabbar page' }
    const old = stack.pages.pop()
    const page = create(route, options)
    if (old) close(old)
    stack.pages.push(page)
    attach(page)
    show(page)
    drawTabs()
  },
  async reLaunch(url) {
    const { route, options } = parseUrl(url, from())
    const old = stack.pages.splice(0)
    for (const page of old.reverse()) close(page)
    put(route, options)
  },
  async switchTab(url) {
    const { route } = parseUrl(url, from())
    if (!isTab(route)) throw { errMsg: 'can not switch to no-tabBar page' }
    if (from() === route) return
    const kept = stack.tabs || (stack.tabs = new Map())
    for (const page of stack.pages.splice(0).reverse()) {
      if (isTab(page.route)) {
        hide(page)
        page.layer.hidden = true
        kept.set(page.route, page)
      } else close(page)
    }
    const page = kept.get(route)
    if (!page) return void put(route, {})
    kept.delete(route)
    stack.pages.push(page)
    show(page)
    drawTabs()
  },
  async navigateBack(delta = 1) {
    if (stack.pages.length <= 1) throw { errMsg: 'cannot navigate back at first page' }
    const gone = stack.pages.splice(Math.max(1, stack.pages.length - delta))
    for (const page of gone.reverse()) close(page)
    show(stack.top())
    drawTabs()
  },
}

export const pageHidden = () => hide(stack.top())
export const pageShown = () => stack.top() && show(stack.top())

export function setTitle(title) {
  const page = stack.top()
  if (!page) return
  page.title = title
  drawBar(page)
}

export function setBarColor({ frontColor, backgroundColor }) {
  const page = stack.top()
  if (!page) return
  page.barText = frontColor || page.barText
  page.barColor = backgroundColor || page.barColor
  drawBar(page)
}

export function setPageBackground(color) {
  const page = stack.top()
  if (!page) return
  page.background = color
  drawBar(page)
}

/** Draws one component alone in a page of its own; for tests. Returns its instance. */
export async function mountComponent(path, properties = {}) {
  ensure(path)
  const page = { route: path, options: {}, config: {}, id: (counter += 1), title: path }
  buildLayer(page)
  for (const other of stack.pages) other.layer.hidden = true
  page.root = backend.createRoot('mp-mounted', space, `/${path}`)
  page.component = page.root.getComponent()
  page.instance = page.root.get()
  page.instance.setData(properties)
  stack.pages.push(page)
  const holder = make('div', 'mp-page', page.scroller)
  const placeholder = document.createElement('span')
  holder.appendChild(placeholder)
  page.root.attach(holder, placeholder)
  layout()
  await new Promise((done) => nextFrame(() => nextFrame(done)))
  return page.instance
}

export const isLive = (element) => glassEasel.Element.isAttached(element)
