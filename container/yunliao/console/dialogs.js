// What is asked before something is done, and what is said after it.

import { h, button, fill } from './dom.js'
import { t } from './words.js'

const TOAST_MS = 20000
let numbers = 0

/**
 * Asks, does, and closes only when it was done: what was typed stays while it fails.
 * @param options.fields  nodes with named controls  @param options.act  (values) => Promise  @param options.danger  it hurts
 * @param options.keep  cannot be put away  @returns what `act` gave, or undefined when nothing was done
 */
export function ask({ title, text = '', fields = [], ok, act, danger = false, keep = false, cancel }) {
  return new Promise((resolve) => {
    const problem = h('p', { class: 'problem', role: 'alert' })
    const sure = h('button', { class: danger ? 'danger' : 'first' }, ok)
    const away = keep ? null : button(cancel || t('cancel'), () => dialog.close())
    numbers += 1
    const id = `dialog-${numbers}`
    let result
    const form = h('form', { method: 'dialog', onsubmit: submit },
      h('h2', { id }, title), text && h('p', {}, text), fields, problem, h('div', { class: 'row end' }, away, sure))
    const dialog = h('dialog', { 'aria-labelledby': id, oncancel: (event) => keep && event.preventDefault(), onclose: left }, form)

    async function submit(event) {
      event.preventDefault()
      fill(problem)
      sure.disabled = true
      sure.setAttribute('aria-busy', 'true')
      try {
        result = await act(Object.fromEntries(new FormData(form)))
        dialog.close('done')
      } catch (failure) {
        fill(problem, failure.text || String(failure.message))
      } finally {
        sure.disabled = false
        sure.removeAttribute('aria-busy')
      }
    }

    function left() {
      dialog.remove()
      resolve(result)
    }

    document.body.append(dialog)
    dialog.showModal()
  })
}

const shelf = h('div', { class: 'toasts', role: 'status', 'aria-live': 'polite' })

/** Says that something was done; `undo` takes it back. */
export function said(text, undo) {
  if (!shelf.isConnected) document.body.append(shelf)
  const toast = h('div', { class: 'toast' }, h('span', {}, text))
  const leave = () => toast.remove()
  if (undo) toast.append(button(t('undo'), async () => {
    leave()
    try {
      await undo()
      said(t('undone'))
    } catch (failure) {
      said(failure.text || String(failure.message))
    }
  }, { class: 'quiet' }))
  toast.append(button('×', leave, { class: 'quiet', 'aria-label': t('close') }))
  shelf.append(toast)
  setTimeout(leave, TOAST_MS)
}
