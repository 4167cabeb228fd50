// One user at a time: found by the number the app shows or by openid, never listed.

import { h, fill, button, field, select, facts } from './dom.js'
import { get, post } from './api.js'
import { may } from './session.js'
import { ask, said } from './dialogs.js'
import { card, mark, awaited, pages } from './parts.js'
import { when, credits } from './format.js'
import { reading } from './reading.js'
import { t } from './words.js'

export function show(root, id) {
  if (id) one(root, id)
  else search(root)
}

function search(root) {
  const by = select('by', [['number', t('byNumber')], ['openid', t('byOpenid')]], 'number')
  const value = h('input', { name: 'value', required: true, autocomplete: 'off', spellcheck: 'false', maxlength: 64 })
  const appid = h('input', { name: 'appid', autocomplete: 'off', spellcheck: 'false', maxlength: 64 })
  const problem = h('p', { class: 'problem', role: 'alert' })
  const form = h('form', { class: 'card', onsubmit: find }, h('p', {}, t('findHint')),
    h('div', { class: 'grid' }, field(t('findBy'), by), field(t('findValue'), value), field(t('appid'), appid, t('appidHint'))), problem, h('div', { class: 'row' }, h('button', { class: 'first' }, t('find'))))
  root.append(form)
  value.focus()

  async function find(event) {
    event.preventDefault()
    problem.textContent = ''
    const asked = { [by.value]: value.value.trim() }
    if (by.value === 'openid' && appid.value.trim()) asked.appid = appid.value.trim()
    try {
      const user = await post('/users/find', asked)
      location.hash = `#/users/${user.id}`
    } catch (failure) {
      problem.textContent = failure.code === 'not_found' ? t('noUser') : failure.text
    }
  }
}

function one(root, id) {
  const path = `/users/${encodeURIComponent(id)}`
  root.append(h('p', {}, h('a', { href: '#/users' }, `← ${t('findAnother')}`)))
  const rest = h('div')
  root.append(awaited(() => get(path), (found, again) => {
    if (!rest.hasChildNodes()) fill(rest, details(path, found.id))
    return standing(path, found, again)
  }), rest)
}

/** What there is of somebody who is there. */
const details = (path, id) => [
  awaited(() => Promise.all([get(`${path}/credits`), get('/models')]), ([balance, priced], again) => money(path, balance, priced.limits, again)),
  may('operator') && reading(id),
  card(t('verdicts'), pages(async (before) => {
    const page = await get(`${path}/verdicts?limit=20${before ? `&before=${before}` : ''}`)
    return [page.verdicts, page.next]
  }, verdict, t('noVerdicts'))),
]

const verdict = (entry) => h('div', { class: 'entry' }, h('div', {}, mark(t(`suggest.${entry.suggest}`), entry.suggest === 'risky' ? 'bad' : 'warn'), ' ', t(`place.${entry.place}`), ' · ', entry.layer),
  h('small', {}, when(entry.at), ' · ', h('code', {}, entry.turn_id)))

function standing(path, user, again) {
  const held = user.suspended_until > Date.now()
  const until = held ? (user.suspended_until - Date.now() > 3e11 ? t('untilLifted') : when(user.suspended_until)) : ''
  return card(t('user'),
    facts([
      [t('userId'), h('code', {}, user.id)], [t('since'), when(user.created_at)],
      [t('consent'), user.consent_version ? `${when(user.consent_at)}${user.consent_overseas ? ` · ${t('overseasToo')}` : ''}` : t('noConsent')],
      [t('standing'), held ? mark(`${t('suspended')} · ${until}`, 'bad') : user.cooling_until > Date.now() ? mark(`${t('cooling')} · ${when(user.cooling_until)}`, 'warn') : mark(t('inOrder'), 'good')],
      user.suspension && held && [t('reason'), `${user.suspension.reason} (${user.suspension.by}, ${when(user.suspension.at)})`],
    ]),
    may('operator') && h('div', { class: 'row' }, held ? button(t('lift'), () => lift(path, again), { class: 'first' }) : button(t('suspend'), () => suspend(path, again), { class: 'danger' })))
}

const why = (value = '') => field(t('reason'), h('textarea', { name: 'reason', required: true, minlength: 4, maxlength: 500, rows: 3, value }), t('reasonHint'))

async function suspend(path, again) {
  const done = await ask({
    title: t('suspendTitle'), text: t('suspendText'), ok: t('suspend'), danger: true,
    fields: [why(), field(t('days_'), h('input', { name: 'days', type: 'number', min: 1, max: 36500, inputmode: 'numeric' }), t('daysHint'))],
    act: ({ reason, days }) => post(`${path}/suspend`, days ? { reason, days: Number(days) } : { reason }),
  })
  if (!done) return
  again()
  said(t('suspendDone'), async () => {
    await post(`${path}/lift`, { reason: t('undoReason') })
    again()
  })
}

async function lift(path, again) {
  const done = await ask({ title: t('liftTitle'), ok: t('lift'), fields: [why()], act: ({ reason }) => post(`${path}/lift`, { reason }) })
  if (!done) return
  said(t('liftDone'))
  again()
}

function money(path, balance, limits, again) {
  return card(t('credits'),
    facts([[t('plan'), balance.plan], [t('available'), credits(balance.available)], [t('held'), credits(balance.held)], ...(limits ? ['user_day', 'turn'].map((name) => [t(`limits.${name}`), limits[name] ? credits(limits[name]) : t('noLimit')]) : [])]),
    may('owner') && h('div', { class: 'row' }, ['grant', 'withdraw', 'refund'].map((kind) => button(t(`move.${kind}`), () => move(path, kind, again)))))
}

async function move(path, kind, again) {
  const refund = kind === 'refund'
  const done = await ask({
    title: t(`move.${kind}`), text: t(`moveText.${kind}`), ok: t(`move.${kind}`), danger: kind === 'withdraw',
    fields: [
      field(t('amount'), h('input', { name: 'amount', required: !refund, inputmode: 'decimal', pattern: '[0-9]{1,9}([.][0-9]{1,6})?', autocomplete: 'off' }), refund ? t('amountRefund') : t('amountHint')),
      field(t('reason'), h('input', { name: 'reason', required: true, maxlength: 80, autocomplete: 'off' }), t('reasonSeen')),
      field(refund ? t('turnId') : t('reference'), h('input', { name: 'reference', required: refund, pattern: '[A-Za-z0-9_.\\-]{1,64}', autocomplete: 'off', value: refund ? '' : `console-${Date.now().toString(36)}` }), refund ? '' : t('referenceHint')),
      kind === 'grant' && field(t('validDays'), h('input', { name: 'days', type: 'number', min: 0, max: 3650, value: '0', inputmode: 'numeric' }), t('validHint')),
    ].filter(Boolean),
    act: async ({ amount, reason, reference, days }) => {
      const moved = await post(`${path}/credits`, { kind, amount: Math.round(Number(amount || 0) * 1e6), reason, reference, ...(days ? { days: Number(days) } : {}) })
      if (moved.status === 'too_much') throw new Error(`${t('tooMuch')} ${credits(moved.balance.available)}`)
      return moved
    },
  })
  if (!done) return
  said(done.status === 'existing' ? t('moveExisting') : `${t('moveDone')} ${credits(Math.abs(done.amount))}`)
  again()
}

