// Reading a user's words: only with a reason, which stands in the audit log before anything is opened.

import { h, fill, button, field } from './dom.js'
import { post } from './api.js'
import { card, sorry } from './parts.js'
import { when } from './format.js'
import { t } from './words.js'

/** The part of a user's page, or of a case's, that reads. @param options.message  read this message only */
export function reading(userId, { message } = {}) {
  const path = `/users/${encodeURIComponent(userId)}/read`
  const reason = h('input', { name: 'reason', required: true, minlength: 4, maxlength: 500, autocomplete: 'off' })
  const place = h('div', { 'aria-live': 'polite' })
  const form = h('form', { onsubmit: begin }, h('p', { class: 'hint' }, t('readHint')), field(t('reason'), reason, t('reasonHint')), h('div', { class: 'row' }, h('button', {}, message ? t('readMessage') : t('readConversations'))))

  function begin(event) {
    event.preventDefault()
    if (message) open({ message_id: message })
    else conversations()
  }

  async function read(asked) {
    fill(place, h('p', { class: 'waiting', role: 'status' }, t('loading')))
    try {
      return await post(path, { reason: reason.value, ...asked })
    } catch (failure) {
      fill(place, sorry(failure))
      return null
    }
  }

  async function conversations(before) {
    const page = await read(before ? { before } : {})
    if (!page) return
    fill(place, page.conversations.length ? h('ul', { class: 'rows' }, page.conversations.map((one) => h('li', {}, h('div', { class: 'entry' }, button(one.title || t('untitled'), () => open({ conversation_id: one.id }), { class: 'link' }), h('small', {}, when(one.last_activity_at))))))
      : h('p', { class: 'nothing' }, t('noConversations')), page.next && button(t('more'), () => conversations(page.next)))
  }

  async function open(asked) {
    const page = await read(asked)
    if (!page) return
    fill(place, !message && button(`← ${t('conversations')}`, () => conversations(), { class: 'quiet' }), page.messages.map((one) => words(one, page.label)),
      !page.messages.length && h('p', { class: 'nothing' }, t('noMessages')), page.next && button(t('older'), () => open({ ...asked, before: page.next })))
  }

  return card(t('words'), form, place)
}

/** One message; an answer of the AI names its label wherever it is shown. */
const words = (message, label) => h('article', { class: `message ${message.role}` },
  h('header', {}, h('b', {}, t(`role.${message.role}`)), message.role === 'assistant' && h('span', { class: 'mark' }, message.label || label), message.state !== 'normal' && h('span', { class: 'mark bad' }, t(`state.${message.state}`)), h('small', {}, when(message.created_at))),
  h('p', { class: 'text' }, message.text || '—'),
  message.reasoning && h('details', {}, h('summary', {}, t('reasoning')), h('p', { class: 'text' }, message.reasoning)),
  message.feedback && h('p', { class: 'hint' }, `${t('feedback')}: ${[message.feedback.value, ...(message.feedback.reasons || []), message.feedback.comment, message.feedback.reported, message.feedback.report_comment].filter(Boolean).join(' · ')}`))
