// scroll-view, swiper, movable-view, navigator, picker.
import { WxElement, define, truthy } from './base.js'
import { navigate } from '../wx/navigate.js'
import { askPicker } from '../dialogs.js'

class ScrollView extends WxElement {
  static defaults = { scrollX: false, scrollY: false, upperThreshold: 50, lowerThreshold: 50, scrollWithAnimation: false,
    scrollAnchoring: false, refresherEnabled: false, refresherTriggered: false, refresherThreshold: 45, refresherBackground: '#fff',
    refresherDefaultStyle: 'black', showScrollbar: true, enhanced: false, pagingEnabled: false, enableFlex: false }

  connectedCallback() {
    if (this.started) return
    this.started = true
    this.last = { top: 0, left: 0 }
    this.edge = { top: true, bottom: false, left: true, right: false }
    this.addEventListener('scroll', () => this.scrolled(), { passive: true })
    this.pull()
    this.flags()
    for (const key of ['scrollTop', 'scrollLeft', 'scrollIntoView']) if (this.mpProps[key] !== undefined) this.mpChanged(key, this.mpGet(key))
  }

  flags() {
    this.toggleAttribute('data-x', this.mpGet('scrollX'))
    this.toggleAttribute('data-y', this.mpGet('scrollY'))
    this.toggleAttribute('data-flex', this.mpGet('enableFlex'))
    this.toggleAttribute('data-bare', !this.mpGet('showScrollbar'))
    this.style.overflowAnchor = this.mpGet('scrollAnchoring') ? 'auto' : 'none'
  }

  mpChanged(key, value) {
    if (!this.started) return
    if (key === 'scrollTop') this.later(() => this.go({ top: Number(value) }))
    else if (key === 'scrollLeft') this.later(() => this.go({ left: Number(value) }))
    else if (key === 'scrollIntoView') this.later(() => this.into(value))
    else if (key === 'refresherTriggered') this.refreshing(truthy(value))
    else this.flags()
  }

  /** After the update that brought the value is drawn: its target may come with the same update. */
  later(action) {
    queueMicrotask(() => requestAnimationFrame(() => this.isConnected && action()))
  }

  go({ top, left }, smooth = this.mpGet('scrollWithAnimation')) {
    const to = { behavior: smooth && !document.documentElement.dataset.still ? 'smooth' : 'auto' }
    if (Number.isFinite(top) && this.mpGet('scrollY')) to.top = top
    if (Number.isFinite(left) && this.mpGet('scrollX')) to.left = left
    this.scrollTo(to)
  }

  into(id, offset = 0, smooth = undefined) {
    if (!id) return
    const target = this.querySelector(`[data-mp-id="${CSS.escape(String(id).replace(/^#/, ''))}"]`)
    if (!target) return
    const [own, its] = [this.getBoundingClientRect(), target.getBoundingClientRect()]
    this.go({ top: this.scrollTop + its.top - own.top + offset, left: this.scrollLeft + its.left - own.left + offset }, smooth)
  }

  scrolled() {
    const { scrollTop: top, scrollLeft: left, scrollHeight, scrollWidth, clientHeight, clientWidth } = this
    const [deltaX, deltaY] = [this.last.left - left, this.last.top - top]
    this.last = { top, left }
    this.mpProps.scrollTop = top
    this.mpProps.scrollLeft = left
    this.mpFire('scroll', { scrollLeft: left, scrollTop: top, scrollHeight, scrollWidth, deltaX, deltaY, isDrag: false })
    const upper = this.mpGet('upperThreshold')
    const lower = this.mpGet('lowerThreshold')
    const now = {
      top: top <= upper, bottom: top + clientHeight >= scrollHeight - lower, left: left <= upper, right: left + clientWidth >= scrollWidth - lower,
    }
    const was = this.edge
    this.edge = now
    if (this.mpGet('scrollY')) {
      if (now.top && !was.top && deltaY > 0) this.mpFire('scrolltoupper', { direction: 'top' })
      if (now.bottom && !was.bottom && deltaY < 0) this.mpFire('scrolltolower', { direction: 'bottom' })
    }
    if (this.mpGet('scrollX')) {
      if (now.left && !was.left && deltaX > 0) this.mpFire('scrolltoupper', { direction: 'left' })
      if (now.right && !was.right && deltaX < 0) this.mpFire('scrolltolower', { direction: 'right' })
    }
  }

  /** Drag events of an enhanced scroll-view, and the refresher at its top. */
  pull() {
    let startY = null
    let pulled = 0
    let dragging = false
    const y = (event) => (event.touches ? event.touches[0].clientY : event.clientY)
    const begin = (event) => {
      startY = y(event)
      pulled = 0
      dragging = false
    }
    const move = (event) => {
      if (startY === null) return
      const way = y(event) - startY
      if (!dragging && Math.abs(way) > 4) {
        dragging = true
        this.mpFire('dragstart', { scrollTop: this.scrollTop, scrollLeft: this.scrollLeft })
      }
      if (dragging) this.mpFire('dragging', { scrollTop: this.scrollTop, scrollLeft: this.scrollLeft })
      if (!this.mpGet('refresherEnabled') || this.scrollTop > 0 || way <= 0) return
      pulled = way * 0.5
      this.style.setProperty('--mp-pull', `${Math.min(pulled, 80)}px`)
      this.toggleAttribute('data-pulling', true)
      this.mpFire('refresherpulling', { dy: pulled })
    }
    const end = () => {
      if (startY === null) return
      startY = null
      if (dragging) this.mpFire('dragend', { scrollTop: this.scrollTop, scrollLeft: this.scrollLeft, velocity: { x: 0, y: 0 } })
      if (!pulled) return
      this.toggleAttribute('data-pulling', false)
      if (pulled >= this.mpGet('refresherThreshold')) {
        this.mpModelSet('refresherTriggered', true)
        this.refreshing(true)
        this.mpFire('refresherrefresh', { dy: pulled })
      } else this.mpFire('refresherabort', { dy: pulled })
      pulled = 0
    }
    this.addEventListener('touchstart', begin, { passive: true })
    this.addEventListener('touchmove', move, { passive: true })
    this.addEventListener('touchend', end)
    this.addEventListener('touchcancel', end)
  }

  refreshing(on) {
    if (this.hasAttribute('data-refreshing') && !on) this.mpFire('refresherrestore', {})
    this.toggleAttribute('data-refreshing', on)
  }

  /** ScrollViewContext, got through SelectorQuery `.node()`. */
  mpNode() {
    const view = this
    return {
      scrollEnabled: true, bounces: true, showScrollbar: true, pagingEnabled: false, fastDeceleration: false, decelerationDisabled: false,
      scrollTo: ({ top, left, animated = true }) => view.go({ top, left }, animated),
      scrollIntoView: (selector, options = {}) => view.into(selector, options.offset || 0, options.animated ?? true),
      triggerRefresh: () => view.refreshing(true),
      closeRefresh: () => view.refreshing(false),
    }
  }
}

class Swiper extends WxElement {
  static defaults = { current: 0, autoplay: false, interval: 5000, duration: 500, circular: false, vertical: false, indicatorDots: false }

  connectedCallback() {
    if (this.started) return
    this.started = true
    this.at = this.mpGet('current')
    this.toggleAttribute('data-vertical', this.mpGet('vertical'))
    this.addEventListener('scrollend', () => {
      const size = this.mpGet('vertical') ? this.clientHeight : this.clientWidth
      const now = Math.round((this.mpGet('vertical') ? this.scrollTop : this.scrollLeft) / (size || 1))
      if (now !== this.at) this.settle(now, 'touch')
    })
    requestAnimationFrame(() => this.show(this.at, false))
    this.timer = setInterval(() => this.mpGet('autoplay') && this.turn(), this.mpGet('interval'))
  }

  disconnectedCallback() {
    clearInterval(this.timer)
    this.started = false
  }

  turn() {
    const next = (this.at + 1) % Math.max(1, this.children.length)
    this.show(next, true)
    this.settle(next, 'autoplay')
  }

  settle(current, source) {
    this.at = current
    this.mpModelSet('current', current)
    const item = this.children[current]
    const detail = { current, currentItemId: (item && item.mpGet && item.mpGet('itemId')) || '', source }
    // The program may be in the middle of the setData that turned it; WeChat tells it afterwards too.
    queueMicrotask(() => {
      this.mpFire('change', detail)
      this.mpFire('animationfinish', detail)
    })
  }

  show(index, smooth) {
    const item = this.children[index]
    if (item) this.scrollTo({ left: item.offsetLeft, top: item.offsetTop, behavior: smooth ? 'smooth' : 'auto' })
  }

  mpChanged(key, value) {
    if (key === 'current' && this.started && value !== this.at) {
      this.show(value, true)
      this.settle(value, '')
    }
    if (key === 'vertical') this.toggleAttribute('data-vertical', value)
  }
}

class MovableView extends WxElement {
  static defaults = { direction: 'none', x: 0, y: 0, disabled: false }

  connectedCallback() {
    if (this.started) return
    this.started = true
    this.place(this.mpGet('x'), this.mpGet('y'))
    this.addEventListener('pointerdown', (event) => {
      if (this.mpGet('disabled') || this.mpGet('direction') === 'none') return
      const from = { x: event.clientX - this.x, y: event.clientY - this.y }
      const move = (e) => this.place(e.clientX - from.x, e.clientY - from.y, 'touch')
      const end = () => {
        window.removeEventListener('pointermove', move)
        window.removeEventListener('pointerup', end)
      }
      window.addEventListener('pointermove', move)
      window.addEventListener('pointerup', end)
    })
  }

  place(x, y, source = '') {
    const area = this.closest('wx-movable-area')
    const direction = this.mpGet('direction')
    const limit = (value, room) => Math.max(Math.min(0, room), Math.min(Math.max(0, room), value))
    const free = source === 'touch'
    this.x = free && !/horizontal|all/.test(direction) ? this.x : limit(Number(x) || 0, area ? area.clientWidth - this.offsetWidth : 0)
    this.y = free && !/vertical|all/.test(direction) ? this.y : limit(Number(y) || 0, area ? area.clientHeight - this.offsetHeight : 0)
    this.style.transform = `translate(${this.x}px, ${this.y}px)`
    if (this.started && source) this.mpFire('change', { x: this.x, y: this.y, source })
  }

  mpChanged(key) {
    if (this.started && (key === 'x' || key === 'y')) this.place(this.mpGet('x'), this.mpGet('y'), '')
  }
}

class Navigator extends WxElement {
  static defaults = { openType: 'navigate', url: '', delta: 1, hoverClass: 'navigator-hover', target: 'self' }

  mpTap() {
    const type = this.mpGet('openType')
    if (type === 'exit' || this.mpGet('target') === 'miniProgram') return
    const call = { navigate: 'navigateTo', redirect: 'redirectTo', switchTab: 'switchTab', reLaunch: 'reLaunch', navigateBack: 'navigateBack' }[type]
    Promise.resolve(navigate(call, type === 'navigateBack' ? { delta: this.mpGet('delta') } : { url: this.mpGet('url') }))
      .then(() => this.mpFire('success', {}), (error) => this.mpFire('fail', error))
  }
}

class Picker extends WxElement {
  static defaults = { mode: 'selector', range: [], rangeKey: '', value: 0, disabled: false, headerText: '', start: '', end: '', fields: 'day' }

  mpTap() {
    if (this.mpGet('disabled')) return
    const mode = this.mpGet('mode')
    const range = this.mpGet('range') || []
    const label = (item) => (this.mpGet('rangeKey') ? item[this.mpGet('rangeKey')] : String(item))
    let columns
    let type
    if (mode === 'selector') columns = [range.map(label)]
    else if (mode === 'multiSelector') columns = range.map((column) => column.map(label))
    else type = mode === 'time' ? 'time' : 'date'
    askPicker({ title: this.mpGet('headerText'), columns, type, value: this.mpGet('value'), min: this.mpGet('start'), max: this.mpGet('end') })
      .then((chosen) => {
        if (chosen === null) this.mpFire('cancel', {})
        else {
          const value = mode === 'selector' ? chosen[0] : chosen
          this.mpModelSet('value', value)
          this.mpFire('change', { value })
        }
      })
  }
}

class PickerView extends WxElement {
  static defaults = { value: [] }

  settle() {
    const value = Array.from(this.querySelectorAll('wx-picker-view-column'), (column) => column.at || 0)
    this.mpModelSet('value', value)
    this.mpFire('change', { value })
  }

  connectedCallback() {
    requestAnimationFrame(() => this.place())
  }

  mpChanged() {
    requestAnimationFrame(() => this.place())
  }

  place() {
    const value = this.mpGet('value') || []
    this.querySelectorAll('wx-picker-view-column').forEach((column, i) => {
      const row = column.firstElementChild
      column.at = Number(value[i]) || 0
      if (row) column.scrollTop = column.at * row.offsetHeight
    })
  }
}

class PickerViewColumn extends WxElement {
  connectedCallback() {
    if (this.started) return
    this.started = true
    this.addEventListener('scrollend', () => {
      const row = this.firstElementChild
      const now = row ? Math.round(this.scrollTop / row.offsetHeight) : 0
      if (now === this.at) return
      this.at = now
      const view = this.closest('wx-picker-view')
      if (view) view.settle()
    })
  }
}

for (const [tag, type] of Object.entries({
  'scroll-view': ScrollView, swiper: Swiper, 'swiper-item': class extends WxElement {}, 'movable-area': class extends WxElement {},
  'movable-view': MovableView, navigator: Navigator, picker: Picker, 'picker-view': PickerView, 'picker-view-column': PickerViewColumn,
})) define(tag, type)
