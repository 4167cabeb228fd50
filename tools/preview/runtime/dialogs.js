// Toast, loading, modal, action sheet and picker, drawn over the page as WeChat draws them.
import { screen } from './frame.js'

function layer(className, parts) {
  const node = document.createElement('div')
  node.className = `mp-dialog ${className}`
  node.append(...parts)
  screen().appendChild(node)
  return node
}

function part(tag, className, text) {
  const node = document.createElement(tag)
  node.className = className
  if (text !== undefined) node.textContent = text
  return node
}

let toast = null
let toastTimer = 0

export function hideToast(kind) {
  if (!toast || (kind && toast.dataset.kind !== kind)) return
  clearTimeout(toastTimer)
  toast.remove()
  toast = null
}

const ICONS = { success: 'M6 20l9 9 19-20', error: 'M9 9l22 22M31 9L9 31', loading: '' }

export function showToast({ title = '', icon = 'success', image, duration = 1500, mask = false }, kind = 'toast') {
  hideToast()
  const box = part('div', 'mp-toast-box')
  if (icon === 'loading') box.appendChild(part('i', 'mp-spinner'))
  else if (ICONS[icon] && !image) {
    box.insertAdjacentHTML('beforeend', `<svg viewBox="0 0 40 40" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round"><path d="${ICONS[icon]}"/></svg>`)
  }
  box.appendChild(part('p', '', title))
  box.classList.toggle('mp-toast-plain', icon === 'none' && !image)
  toast = layer('mp-toast', [box])
  toast.dataset.kind = kind
  toast.setAttribute('role', 'status')
  toast.classList.toggle('mp-through', !mask)
  if (kind === 'toast') toastTimer = setTimeout(() => hideToast('toast'), duration)
}

export function showModal({ title = '', content = '', showCancel = true, cancelText = '取消', cancelColor = '', confirmText = '确定',
  confirmColor = '#576B95', editable = false, placeholderText = '' }) {
  return new Promise((resolve) => {
    const box = part('div', 'mp-modal-box')
    box.setAttribute('role', 'dialog')
    box.setAttribute('aria-modal', 'true')
    if (title) box.appendChild(part('h3', '', title))
    const input = editable ? part('textarea', '') : null
    if (input) {
      input.placeholder = placeholderText
      input.value = content
      box.appendChild(input)
    } else box.appendChild(part('p', '', content))
    const feet = part('footer', '')
    box.appendChild(feet)
    const node = layer('mp-modal', [box])
    const answer = (confirm) => {
      node.remove()
      resolve({ confirm, cancel: !confirm, content: input && confirm ? input.value : null })
    }
    const button = (text, color, name, confirm) => {
      const b = part('button', name, text)
      b.style.color = color
      b.addEventListener('click', () => answer(confirm))
      feet.appendChild(b)
      return b
    }
    if (showCancel) button(cancelText, cancelColor, 'mp-cancel', false)
    const ok = button(confirmText, confirmColor, 'mp-confirm', true)
    ;(input || ok).focus({ preventScroll: true })
  })
}

export function showActionSheet({ itemList = [], itemColor = '', alertText = '' }) {
  return new Promise((resolve, reject) => {
    const box = part('div', 'mp-sheet-box')
    box.setAttribute('role', 'dialog')
    const node = layer('mp-sheet', [box])
    const cancel = () => {
      node.remove()
      reject({ errMsg: 'cancel' })
    }
    if (alertText) box.appendChild(part('p', '', alertText))
    itemList.forEach((text, tapIndex) => {
      const b = part('button', '', text)
      b.style.color = itemColor
      b.addEventListener('click', () => {
        node.remove()
        resolve({ tapIndex })
      })
      box.appendChild(b)
    })
    const b = part('button', 'mp-cancel', '取消')
    b.addEventListener('click', cancel)
    box.appendChild(b)
    node.addEventListener('click', (event) => event.target === node && cancel())
  })
}

/** Asks for one index per column, or for a date or time. Resolves null when the person cancels. */
export function askPicker({ title, columns, type, value, min, max }) {
  return new Promise((resolve) => {
    const box = part('div', 'mp-sheet-box mp-picker-box')
    const head = part('header', '')
    const body = part('div', 'mp-picker-columns')
    const cancel = part('button', '', '取消')
    const ok = part('button', 'mp-confirm', '确定')
    head.append(cancel, part('b', '', title || ''), ok)
    box.append(head, body)
    const node = layer('mp-sheet', [box])
    const inputs = type ? [part('input', '')] : columns.map(() => part('select', ''))
    inputs.forEach((input, i) => {
      if (type) Object.assign(input, { type, value: value || '', min: min || '', max: max || '' })
      else {
        input.size = Math.min(7, Math.max(2, columns[i].length))
        columns[i].forEach((text, n) => input.add(new Option(text, n)))
        input.selectedIndex = Number(Array.isArray(value) ? value[i] : value) || 0
      }
      body.appendChild(input)
    })
    const done = (result) => {
      node.remove()
      resolve(result)
    }
    cancel.addEventListener('click', () => done(null))
    ok.addEventListener('click', () => done(type ? inputs[0].value : inputs.map((s) => Math.max(0, s.selectedIndex))))
    node.addEventListener('click', (event) => event.target === node && done(null))
  })
}
