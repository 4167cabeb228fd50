// input, textarea, button, switch, slider, checkbox, radio, label, form.
import { WxElement, define, truthy } from './base.js'
import { keyboard } from '../keyboard.js'
import { openType } from '../wx/opentype.js'

const INPUT_MODE = { number: 'numeric', idcard: 'text', digit: 'decimal', text: 'text', nickname: 'text', 'safe-password': 'text' }
const ENTER_HINT = { send: 'send', search: 'search', next: 'next', go: 'go', done: 'done', return: 'enter' }

/** What input and textarea share: value with a length limit, focus, placeholder, model binding. */
class TextField extends WxElement {
  static defaults = { value: '', maxlength: 140, placeholder: '', placeholderClass: '', placeholderStyle: '', disabled: false,
    focus: false, autoFocus: false, confirmType: 'done', confirmHold: false, cursor: -1, type: 'text', password: false }

  build(tag) {
    this.field = document.createElement(tag)
    this.hint = document.createElement('div')
    this.hint.className = 'mp-placeholder'
    this.hint.setAttribute('aria-hidden', 'true')
    this.append(this.hint, this.field)
    this.field.addEventListener('input', (event) => this.typed(event))
    this.field.addEventListener('focus', () => {
      keyboard.show(this)
      this.mpFire('focus', { value: this.field.value, height: keyboard.height })
    })
    this.field.addEventListener('blur', () => {
      this.mpProps.focus = false
      keyboard.hide(this)
      this.mpFire('blur', { value: this.field.value, cursor: this.field.selectionStart ?? 0 })
    })
    for (const type of ['click', 'change', 'select']) this.field.addEventListener(type, (event) => event.stopPropagation())
    for (const key of Object.keys(this.mpProps)) this.mpChanged(key, this.mpGet(key))
    this.placeholder()
  }

  typed(event) {
    if (event && event.isComposing && this.mpGet('alwaysSystem')) return
    const value = this.field.value
    this.mpModelSet('value', value)
    this.placeholder()
    const answer = this.mpFire('input', { value, cursor: this.field.selectionStart ?? value.length, keyCode: value.charCodeAt(value.length - 1) || 8 })
    if (typeof answer === 'string') this.write(answer)
    else if (answer && typeof answer === 'object' && typeof answer.value === 'string') this.write(answer.value)
    this.grew()
  }

  write(value) {
    const text = value === undefined || value === null ? '' : String(value)
    if (this.field.value !== text) this.field.value = text
    this.placeholder()
    this.grew()
  }

  /** WeChat: 140 unless said otherwise, -1 for no limit. */
  limit(length) {
    if (length >= 0) this.field.maxLength = length
    else this.field.removeAttribute('maxlength')
  }

  grew() {}

  placeholder() {
    const text = this.mpGet('placeholder')
    this.hint.textContent = this.field.value ? '' : text
    this.hint.style.cssText = this.mpGet('placeholderStyle') || ''
    this.field.setAttribute('aria-label', this.getAttribute('aria-label') || String(text || ''))
    const list = this.__wxElement && this.__wxElement.classList
    const names = ['mp-placeholder']
    for (const name of String(this.mpGet('placeholderClass') || '').split(/\s+/).filter(Boolean)) {
      if (!list) continue
      list._$resolvePrefixes(name, (scope, plain) => {
        const prefix = list._$prefixManager && list._$prefixManager.queryName(scope)
        names.push(prefix ? `${prefix}--${plain}` : plain)
      })
    }
    this.hint.className = names.join(' ')
  }

  mpChanged(key, value) {
    if (!this.field) return
    if (key === 'value') this.write(value)
    else if (key.startsWith('placeholder')) this.placeholder()
    else if (key === 'disabled') this.field.disabled = value
    else if (key === 'maxlength') this.limit(value)
    else if (key === 'confirmType') this.field.enterKeyHint = ENTER_HINT[value] || 'done'
    else if (key === 'focus' || key === 'autoFocus') {
      if (value) requestAnimationFrame(() => this.isConnected && this.field.focus({ preventScroll: true }))
      else if (document.activeElement === this.field) this.field.blur()
    } else if (key === 'cursor' && value >= 0 && document.activeElement === this.field) this.field.setSelectionRange(value, value)
  }

  connectedCallback() {
    if (!this.field) this.build(this.constructor.native)
    this.limit(this.mpGet('maxlength'))
  }

  mpTap() {
    if (document.activeElement !== this.field && !this.mpGet('disabled')) this.field.focus({ preventScroll: true })
  }
}

class Input extends TextField {
  static native = 'input'

  build(tag) {
    super.build(tag)
    this.field.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.isComposing) return
      this.mpFire('confirm', { value: this.field.value })
      if (!this.mpGet('confirmHold')) this.field.blur()
    })
    this.field.type = this.mpGet('password') ? 'password' : 'text'
  }

  mpChanged(key, value) {
    super.mpChanged(key, value)
    if (!this.field) return
    if (key === 'password') this.field.type = value ? 'password' : 'text'
    if (key === 'type') this.field.inputMode = INPUT_MODE[value] || 'text'
  }
}

class Textarea extends TextField {
  static native = 'textarea'
  static defaults = { ...TextField.defaults, autoHeight: false, confirmType: 'return', disableDefaultPadding: false }

  build(tag) {
    super.build(tag)
    this.field.rows = 1
    this.field.addEventListener('keydown', (event) => {
      const confirm = this.mpGet('confirmType')
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing || confirm === 'return') return
      event.preventDefault()
      this.mpFire('confirm', { value: this.field.value })
      if (!this.mpGet('confirmHold')) this.field.blur()
    })
    this.watch = new ResizeObserver(() => this.grew())
    this.watch.observe(this)
    this.grew()
  }

  mpChanged(key, value) {
    super.mpChanged(key, value)
    if (key === 'autoHeight') this.toggleAttribute('data-auto-height', truthy(value))
    if (this.field) this.grew()
  }

  grew() {
    if (!this.field || !this.isConnected) return
    const style = getComputedStyle(this.field)
    const line = parseFloat(style.lineHeight) || parseFloat(style.fontSize) * 1.2
    if (this.mpGet('autoHeight')) {
      this.field.style.height = '0'
      const full = this.field.scrollHeight
      this.field.style.height = `${full}px`
    } else this.field.style.height = ''
    const padding = parseFloat(style.paddingTop) + parseFloat(style.paddingBottom)
    const lineCount = Math.max(1, Math.round((this.field.scrollHeight - padding) / line))
    if (lineCount === this.lines) return
    const first = this.lines === undefined
    this.lines = lineCount
    if (!first) this.mpFire('linechange', { height: this.field.scrollHeight, heightRpx: (this.field.scrollHeight * 750) / this.clientWidth, lineCount })
  }
}

class Button extends WxElement {
  static defaults = { size: 'default', type: 'default', plain: false, disabled: false, loading: false, hoverClass: 'button-hover',
    hoverStartTime: 20, hoverStayTime: 70, formType: '', openType: '' }

  connectedCallback() {
    if (!this.hasAttribute('role')) this.setAttribute('role', 'button')
    this.mpPressable()
  }

  mpChanged(key, value) {
    if (['size', 'type'].includes(key)) this.setAttribute(key, value)
    if (['plain', 'loading'].includes(key)) this.toggleAttribute(key, value)
    if (key === 'disabled') {
      if (value) this.setAttribute('aria-disabled', 'true')
      else this.removeAttribute('aria-disabled')
    }
  }

  mpHoverClass() {
    return this.mpGet('disabled') ? '' : super.mpHoverClass()
  }

  mpTap() {
    if (this.mpGet('disabled')) return
    const form = this.closest('wx-form')
    const type = this.mpGet('formType')
    if (form && type === 'submit') form.submit()
    if (form && type === 'reset') form.reset()
    if (this.mpGet('openType')) openType(this, this.mpGet('openType'))
  }
}

class Switch extends WxElement {
  static defaults = { checked: false, disabled: false, type: 'switch', color: '#04be02' }

  connectedCallback() {
    this.setAttribute('role', 'switch')
    this.mpPressable()
    this.draw()
  }

  mpChanged() {
    this.draw()
  }

  draw() {
    const on = this.mpGet('checked')
    this.toggleAttribute('data-checked', on)
    this.setAttribute('aria-checked', String(on))
    this.style.setProperty('--mp-on', this.mpGet('color'))
  }

  mpTap() {
    if (this.mpGet('disabled')) return
    const value = !this.mpGet('checked')
    this.mpModelSet('checked', value)
    this.draw()
    this.mpFire('change', { value })
  }
}

class Slider extends WxElement {
  static defaults = { min: 0, max: 100, step: 1, value: 0, disabled: false, showValue: false, activeColor: '#1aad19', backgroundColor: '#e9e9e9', blockSize: 28 }

  connectedCallback() {
    if (!this.range) {
      this.range = document.createElement('input')
      this.range.type = 'range'
      this.number = document.createElement('span')
      this.append(this.range, this.number)
      const now = () => Number(this.range.value)
      this.range.addEventListener('input', (event) => {
        event.stopPropagation()
        this.number.textContent = this.mpGet('showValue') ? String(now()) : ''
        this.mpFire('changing', { value: now() })
      })
      this.range.addEventListener('change', (event) => {
        event.stopPropagation()
        this.mpModelSet('value', now())
        this.mpFire('change', { value: now() })
      })
    }
    this.draw()
  }

  mpChanged() {
    this.draw()
  }

  draw() {
    if (!this.range) return
    for (const key of ['min', 'max', 'step', 'value']) this.range[key] = this.mpGet(key)
    this.range.disabled = this.mpGet('disabled')
    this.range.style.accentColor = this.mpGet('activeColor')
    this.number.textContent = this.mpGet('showValue') ? String(this.mpGet('value')) : ''
  }
}

class Choice extends WxElement {
  static defaults = { value: '', checked: false, disabled: false, color: '#09bb07' }

  connectedCallback() {
    if (!this.mark) {
      this.mark = document.createElement('i')
      this.mark.className = 'mp-mark'
      this.prepend(this.mark)
    }
    this.setAttribute('role', this.constructor.role)
    this.mpPressable()
    this.draw()
  }

  mpChanged() {
    this.draw()
  }

  draw() {
    this.toggleAttribute('data-checked', this.mpGet('checked'))
    this.setAttribute('aria-checked', String(this.mpGet('checked')))
    this.style.setProperty('--mp-on', this.mpGet('color'))
  }

  set(checked) {
    this.mpModelSet('checked', checked)
    this.draw()
  }
}

class Checkbox extends Choice {
  static role = 'checkbox'

  mpTap() {
    if (this.mpGet('disabled')) return
    this.set(!this.mpGet('checked'))
    const group = this.closest('wx-checkbox-group')
    if (group) group.mpFire('change', { value: group.value() })
  }
}

class Radio extends Choice {
  static role = 'radio'

  mpTap() {
    if (this.mpGet('disabled') || this.mpGet('checked')) return
    const group = this.closest('wx-radio-group')
    if (group) for (const other of group.querySelectorAll('wx-radio')) other.set(false)
    this.set(true)
    if (group) group.mpFire('change', { value: this.mpGet('value') })
  }
}

class CheckboxGroup extends WxElement {
  value() {
    return Array.from(this.querySelectorAll('wx-checkbox[data-checked]'), (box) => box.mpGet('value'))
  }
}

class RadioGroup extends WxElement {
  value() {
    const chosen = this.querySelector('wx-radio[data-checked]')
    return chosen ? chosen.mpGet('value') : ''
  }
}

class Label extends WxElement {
  mpTap(target) {
    const own = target.closest && target.closest('wx-checkbox,wx-radio,wx-switch,wx-button,wx-input,wx-textarea')
    if (own && this.contains(own)) return false
    const name = this.mpGet('for')
    const control = name
      ? this.getRootNode().querySelector(`[data-mp-id="${CSS.escape(name)}"]`)
      : this.querySelector('wx-checkbox,wx-radio,wx-switch,wx-button,wx-input,wx-textarea')
    if (control && control.mpTap) control.mpTap(control)
    return Boolean(control)
  }
}

class Form extends WxElement {
  fields() {
    return Array.from(this.querySelectorAll('*')).filter((n) => n.mpGet && n.mpGet('name'))
  }

  submit() {
    const value = {}
    for (const node of this.fields()) {
      value[node.mpGet('name')] = node.field ? node.field.value : node.value ? node.value() : node.mpGet('checked') ?? node.mpGet('value')
    }
    this.mpFire('submit', { value })
  }

  reset() {
    for (const node of this.fields()) {
      if (node.field) node.write('')
      else if (node.set) node.set(false)
    }
    this.mpFire('reset', {})
  }
}

for (const [tag, type] of Object.entries({
  input: Input, textarea: Textarea, button: Button, switch: Switch, slider: Slider, checkbox: Checkbox, radio: Radio,
  'checkbox-group': CheckboxGroup, 'radio-group': RadioGroup, label: Label, form: Form,
})) define(tag, type)
