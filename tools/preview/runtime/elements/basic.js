// view, text, image, icon, progress, rich-text and containers without much behaviour.
import { WxElement, define, truthy } from './base.js'
import { assetUrl } from '../assets.js'
import { setTitle, setBarColor } from '../pages.js'
import { richNodes } from './rich.js'

class View extends WxElement {
  static defaults = { hoverClass: 'none' }
}

class Text extends WxElement {
  mpChanged(key, value) {
    if (key === 'userSelect' || key === 'selectable') this.toggleAttribute('data-selectable', truthy(value))
    if (key === 'space') this.toggleAttribute('data-space', truthy(value))
  }
}

const IMAGE_FIT = {
  scaleToFill: ['fill', '50% 50%'], aspectFit: ['contain', '50% 50%'], aspectFill: ['cover', '50% 50%'],
  top: ['none', '50% 0'], bottom: ['none', '50% 100%'], center: ['none', '50% 50%'], left: ['none', '0 50%'],
  right: ['none', '100% 50%'], 'top left': ['none', '0 0'], 'top right': ['none', '100% 0'],
  'bottom left': ['none', '0 100%'], 'bottom right': ['none', '100% 100%'],
}

class Image extends WxElement {
  static defaults = { mode: 'scaleToFill', src: '' }

  connectedCallback() {
    if (this.img) return
    this.img = document.createElement('img')
    this.img.alt = ''
    this.img.draggable = false
    this.img.referrerPolicy = 'no-referrer'
    this.img.addEventListener('load', () => {
      this.fitMode()
      this.mpFire('load', { width: this.img.naturalWidth, height: this.img.naturalHeight })
    })
    this.img.addEventListener('error', () => this.mpFire('error', { errMsg: 'GET image fail' }))
    this.appendChild(this.img)
    for (const key of ['mode', 'src']) this.mpChanged(key, this.mpGet(key))
  }

  mpChanged(key, value) {
    if (!this.img) return
    if (key === 'mode') this.fitMode()
    if (key === 'src') {
      if (value) this.img.src = assetUrl(value)
      else this.img.removeAttribute('src')
    }
    if (key === 'lazyLoad') this.img.loading = truthy(value) ? 'lazy' : 'eager'
    if (key === 'alt') this.img.alt = String(value || '')
  }

  fitMode() {
    const mode = this.mpGet('mode')
    const [fit, position] = IMAGE_FIT[mode] || ['fill', '50% 50%']
    this.img.style.objectFit = fit
    this.img.style.objectPosition = position
    if (mode === 'widthFix' && this.img.naturalWidth) {
      this.style.height = `${(this.clientWidth * this.img.naturalHeight) / this.img.naturalWidth}px`
    }
    if (mode === 'heightFix' && this.img.naturalHeight) {
      this.style.width = `${(this.clientHeight * this.img.naturalWidth) / this.img.naturalHeight}px`
    }
  }
}

const ICONS = {
  success: ['#07c160', 'M4 12l5 5L20 6'], success_no_circle: ['#07c160', 'M4 12l5 5L20 6'], info: ['#10aeff', 'M12 10v7M12 7v.5'],
  warn: ['#fa5151', 'M12 6v8M12 17v.5'], waiting: ['#10aeff', 'M12 6v6l4 2'], cancel: ['#fa5151', 'M7 7l10 10M17 7L7 17'],
  download: ['#07c160', 'M12 5v10M8 11l4 4 4-4M6 19h12'], search: ['#b2b2b2', 'M10.5 4a6.5 6.5 0 110 13 6.5 6.5 0 010-13zM15.5 15.5L20 20'],
  clear: ['#b2b2b2', 'M8 8l8 8M16 8l-8 8'],
}

class Icon extends WxElement {
  static defaults = { type: 'success', size: 23, color: '' }

  mpChanged() {
    const [color, path] = ICONS[this.mpGet('type')] || ICONS.info
    const size = this.mpGet('size')
    this.innerHTML = `<svg viewBox="0 0 24 24" fill="none" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"><path d="${path}"/></svg>`
    Object.assign(this.firstChild.style, { width: `${size}px`, height: `${size}px`, stroke: this.mpGet('color') || color })
  }

  connectedCallback() {
    if (!this.firstChild) this.mpChanged()
  }
}

class Progress extends WxElement {
  static defaults = { percent: 0, strokeWidth: 6, activeColor: '#09bb07', color: '', backgroundColor: '#ebebeb', showInfo: false, borderRadius: 0 }

  connectedCallback() {
    this.mpChanged()
  }

  mpChanged() {
    if (!this.bar) {
      this.bar = document.createElement('div')
      this.info = document.createElement('span')
      this.bar.appendChild(document.createElement('i'))
      this.append(this.bar, this.info)
    }
    const percent = Math.max(0, Math.min(100, this.mpGet('percent')))
    const width = this.mpGet('strokeWidth')
    Object.assign(this.bar.style, { height: `${width}px`, background: this.mpGet('backgroundColor'), borderRadius: `${this.mpGet('borderRadius')}px` })
    Object.assign(this.bar.firstChild.style, { width: `${percent}%`, background: this.mpGet('color') || this.mpGet('activeColor') })
    this.info.textContent = this.mpGet('showInfo') ? `${percent}%` : ''
  }
}

class RichText extends WxElement {
  static defaults = { nodes: [] }

  mpChanged(key, value) {
    if (key === 'nodes') this.replaceChildren(richNodes(value))
    if (key === 'userSelect' || key === 'selectable') this.toggleAttribute('data-selectable', truthy(value))
  }
}

/** Children are drawn above the page, out of every scrolling or clipping parent. */
class RootPortal extends WxElement {
  static defaults = { enable: true }

  get target() {
    if (!this.portal) {
      this.portal = document.createElement('div')
      this.portal.className = 'mp-portal'
    }
    return this.portal
  }

  connectedCallback() {
    const layer = this.closest('.mp-viewport')
    if (layer) layer.appendChild(this.target)
  }

  disconnectedCallback() {
    this.target.remove()
  }

  appendChild(child) {
    return this.target.appendChild(child)
  }

  insertBefore(child, before) {
    return this.target.insertBefore(child, before || null)
  }

  removeChild(child) {
    return this.target.removeChild(child)
  }

  replaceChild(child, old) {
    return this.target.replaceChild(child, old)
  }
}

class PageContainer extends WxElement {
  static defaults = { show: false, duration: 300, overlay: true, position: 'bottom', round: false, zIndex: 100, closeOnSlideDown: false }

  connectedCallback() {
    this.draw()
  }

  mpChanged(key, value) {
    if (key === 'show') {
      // The program is in the middle of the setData that changed it; WeChat tells it afterwards too.
      queueMicrotask(() => this.mpFire(value ? 'beforeenter' : 'beforeleave', {}))
      this.draw()
      setTimeout(() => {
        this.mpFire(value ? 'enter' : 'leave', {})
        this.mpFire(value ? 'afterenter' : 'afterleave', {})
      }, this.mpGet('duration'))
    } else this.draw()
  }

  draw() {
    this.toggleAttribute('data-show', this.mpGet('show'))
    this.toggleAttribute('data-overlay', this.mpGet('overlay'))
    this.toggleAttribute('data-round', this.mpGet('round'))
    this.dataset.position = this.mpGet('position')
    this.style.zIndex = this.mpGet('zIndex')
  }

  mpTap(target) {
    if (target !== this || !this.mpGet('overlay')) return false
    this.mpFire('clickoverlay', {})
    return true
  }
}

define('view', View)
define('text', Text)
define('image', Image)
define('cover-image', class extends Image {})
define('cover-view', class extends View {})
define('icon', Icon)
define('progress', Progress)
define('rich-text', RichText)
define('root-portal', RootPortal)
define('page-container', PageContainer)
/** Settings of the page, written in its template. */
class PageMeta extends WxElement {
  connectedCallback() {
    for (const key of Object.keys(this.mpProps)) this.mpChanged(key, this.mpGet(key))
  }

  mpChanged(key, value) {
    const page = this.isConnected && this.closest('.mp-page')
    if (!page) return
    if (key === 'pageStyle') {
      page.setAttribute('style', value || '')
      page.parentElement.style.overflow = page.style.overflow
    }
    if (key === 'pageFontSize') page.style.fontSize = value
    if (key === 'backgroundColor' || key === 'rootBackgroundColor') page.parentElement.style.backgroundColor = value
    if (key === 'scrollTop') page.parentElement.scrollTo({ top: parseFloat(value) || 0 })
  }
}

class NavigationBar extends WxElement {
  connectedCallback() {
    for (const key of Object.keys(this.mpProps)) this.mpChanged(key, this.mpGet(key))
  }

  mpChanged(key, value) {
    if (!this.isConnected || !value) return
    if (key === 'title') setTitle(value)
    if (key === 'frontColor') setBarColor({ frontColor: value })
    if (key === 'backgroundColor') setBarColor({ backgroundColor: value })
  }
}

define('page-meta', PageMeta)
define('navigation-bar', NavigationBar)
for (const tag of ['match-media', 'share-element']) define(tag, class extends WxElement {})
