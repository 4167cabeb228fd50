// The review queue: what waits for a person, opened, read with a reason, decided once.

import { h, button, field, select, facts, fill } from './dom.js'
import { get, post } from './api.js'
import { may } from './session.js'
import { ask, said } from './dialogs.js'
import { card, mark, awaited, pages, sorry } from './parts.js'
import { when, span } from './format.js'
import { reading } from './reading.js'
import { t } from './words.js'

const STATES = ['open', 'looked', 'decided', 'all']
let chosen = 'open'

export function show(root, id) {
  if (id) one(root, id)
  else list(root)
}

const stateMark = (found) => mark(t(`case.${found.state}`), { open: 'bad', looked: 'warn', decided: 'good' }[found.state])

function list(root) {
  const place = h('div')
  const tabs = STATES.map((state) => button(t(`case.${state}`), () => choose(state)))
  const choose = (state) => {
    chosen = state
    tabs.forEach((tab, at) => tab.setAttribute('aria-pressed', String(STATES[at] === state)))
    fill(place, pages(async (before) => {
      const page = await get(`/cases?limit=30${state === 'all' ? '' : `&state=${state}`}${before ? `&before=${before}` : ''}`)
      return [page.cases, page.next]
    }, row, t('noCases')))
  }
  root.append(h('div', { class: 'row spread' }, h('div', { class: 'segments', role: 'group', 'aria-label': t('state') }, tabs), may('operator') && button(t('enterCase'), enter)), place)
  choose(chosen)

  async function enter() {
    const made = await ask({
      title: t('enterCase'), text: t('enterText'), ok: t('enter'),
      fields: [field(t('note'), h('textarea', { name: 'note', required: true, maxlength: 2000, rows: 4 })), field(t('userId'), h('input', { name: 'user', maxlength: 64, pattern: '[A-Za-z0-9_\\-]{1,64}', autocomplete: 'off' }), t('optional'))],
      act: ({ note, user }) => post('/cases', user ? { note, user_id: user } : { note }),
    })
    if (made) location.hash = `#/cases/${made.id}`
  }
}

const row = (found) => h('a', { class: 'entry', href: `#/cases/${found.id}` }, h('div', {}, stateMark(found), ' ', h('b', {}, t(`kind.${found.kind}`)), found.reason ? ` · ${reasonOf(found)}` : ''),
  h('small', {}, when(found.opened_at), found.waits_ms ? ` · ${t('waits')} ${span(found.waits_ms)}` : '', found.decision ? ` · ${t(`decision.${found.decision}`)}` : ''))

const reasonOf = (found) => (found.kind === 'report' ? t(`reported.${found.reason}`) : found.kind === 'review' ? t(`place.${found.reason}`) : found.reason)

function one(root, id) {
  const path = `/cases/${encodeURIComponent(id)}`
  root.append(h('p', {}, h('a', { href: '#/cases' }, `← ${t('tabs.cases')}`)))
  root.append(awaited(() => get(path), (found, again) => opened(path, found, again)))
}

function opened(path, found, again) {
  const work = may('operator')
  return [
    card(t(`kind.${found.kind}`),
      facts([
        [t('state'), stateMark(found)], [t('caseId'), h('code', {}, found.id)], [t('openedAt'), when(found.opened_at)],
        found.user_id && [t('user'), h('a', { href: `#/users/${found.user_id}` }, found.user_id.slice(0, 12))],
        found.turn_id && [t('turnId'), h('code', {}, found.turn_id)], found.reason && [t('reason'), reasonOf(found)],
        found.layer && [t('layer'), `${found.layer} · ${found.label}`], found.note && [t('note'), h('span', { class: 'text' }, found.note)],
        found.looked_at && [t('lookedAt'), `${when(found.looked_at)} · ${found.looked_by}`],
        found.decided_at && [t('decidedAt'), `${when(found.decided_at)} · ${found.decided_by} · ${t(`decision.${found.decision}`)}`],
        found.waits_ms && [t('waits'), span(found.waits_ms)],
      ]),
      work && found.state !== 'decided' && h('div', { class: 'row' }, found.state === 'open' && button(t('look'), () => look(path, again)), button(t('decide'), () => decide(path, again), { class: 'first' }))),
    work && found.has_words && complaint(path),
    work && found.user_id && found.message_id && reading(found.user_id, { message: found.message_id }),
    work && found.user_id && !found.message_id && !found.has_words && reading(found.user_id),
  ]
}

async function look(path, again) {
  try {
    await post(`${path}/look`)
    again()
  } catch (failure) {
    said(failure.text)
  }
}

async function decide(path, again) {
  const kinds = ['upheld', 'rejected', 'suspended', 'noted'].map((kind) => [kind, t(`decision.${kind}`)])
  const done = await ask({
    title: t('decide'), text: t('decideText'), ok: t('decide'), danger: true,
    fields: [field(t('decisionName'), select('decision', kinds, 'upheld')), field(t('note'), h('textarea', { name: 'note', required: true, maxlength: 500, rows: 3 }))],
    act: (values) => post(`${path}/decide`, values),
  })
  if (!done) return
  said(t('decided'))
  again()
}

/** What a user complained of. */
function complaint(path) {
  const reason = h('input', { name: 'reason', required: true, minlength: 4, maxlength: 500, autocomplete: 'off' })
  const place = h('div', { 'aria-live': 'polite' })
  const form = h('form', { onsubmit: read }, h('p', { class: 'hint' }, t('readHint')), field(t('reason'), reason, t('reasonHint')), h('div', { class: 'row' }, h('button', {}, t('readComplaint'))))
  async function read(event) {
    event.preventDefault()
    try {
      fill(place, h('p', { class: 'text message user' }, (await post(`${path}/words`, { reason: reason.value })).text))
    } catch (failure) {
      fill(place, sorry(failure))
    }
  }
  return card(t('words'), form, place)
}
