// What operators did, newest first, by who, what and whom.

import { h, field, fill, button } from './dom.js'
import { post } from './api.js'
import { may } from './session.js'
import { said } from './dialogs.js'
import { card, pages, mark } from './parts.js'
import { when, number } from './format.js'
import { t } from './words.js'

export function show(root) {
  if (!may('owner')) {
    root.append(h('p', { class: 'nothing' }, t('ownersOnly')))
    return
  }
  const inputs = Object.fromEntries(['actor', 'action', 'subject'].map((name) => [name, h('input', { name, maxlength: 64, autocomplete: 'off', spellcheck: 'false' })]))
  const place = h('div')
  const whole = h('div', { 'aria-live': 'polite' })
  const look = (event) => {
    if (event) event.preventDefault()
    const asked = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.value.trim()]))
    fill(place, pages(async (before) => {
      const page = await post('/audit/find', { ...asked, ...(before ? { before } : {}) })
      return [page.entries, page.next]
    }, row, t('noEntries')))
  }
  root.append(h('form', { class: 'card', onsubmit: look }, h('div', { class: 'grid' }, field(t('actor'), inputs.actor), field(t('action'), inputs.action, t('actionHint')), field(t('subject'), inputs.subject)),
    h('div', { class: 'row' }, h('button', { class: 'first' }, t('filter')), button(t('verify'), (event) => verify(event.currentTarget, whole)))), whole, card('', place))
  look()
}

const row = (one) => h('div', { class: 'entry' }, h('div', {}, h('b', {}, one.actor), ' ', h('code', {}, one.action), one.subject ? ` ${one.subject}` : ''),
  (one.reason || one.detail) && h('div', { class: 'text' }, [one.reason, one.detail].filter(Boolean).join(' · ')), h('small', {}, `#${one.seq} · ${when(one.at)}`))

async function verify(by, place) {
  by.disabled = true
  try {
    const found = await post('/audit/verify', {})
    fill(place, h('p', {}, found.problem ? mark(`${t('broken')} ${found.problem}`, 'bad') : mark(`${t('intact')} ${number(found.entries)}`, 'good')))
  } catch (failure) {
    said(failure.text)
  }
  by.disabled = false
}
