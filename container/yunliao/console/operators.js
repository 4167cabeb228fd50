// Accounts of operators: only for owners, who cannot lock themselves out.

import { h, button, field, select } from './dom.js'
import { get, post, put } from './api.js'
import { may, session } from './session.js'
import { ask, said } from './dialogs.js'
import { card, mark, awaited } from './parts.js'
import { when } from './format.js'
import { t } from './words.js'

const ROLES = ['viewer', 'operator', 'owner']

export function show(root) {
  if (!may('owner')) root.append(h('p', { class: 'nothing' }, t('ownersOnlyAccounts')))
  else root.append(awaited(() => get('/operators'), listed))
}

const roles = (value) => select('role', ROLES.map((one) => [one, `${t(`role.${one}`)} · ${t(`may.${one}`)}`]), value)

function listed({ operators }, again) {
  return card(t('accounts'), h('div', { class: 'row' }, button(t('addAccount'), () => add(again), { class: 'first' })),
    h('ul', { class: 'rows' }, operators.map((one) => h('li', {}, h('div', { class: 'entry' },
      h('div', {}, h('b', {}, one.name), ' ', mark(t(`role.${one.role}`)), ' ', one.disabled && mark(t('disabled'), 'bad')),
      h('small', {}, when(one.created_at)),
      one.name !== session().name && h('div', { class: 'row' },
        button(t('changeRole'), () => change(one, again), { class: 'quiet', 'aria-label': `${t('changeRole')} ${one.name}` }),
        button(t('givePassword'), () => renew(one, again), { class: 'quiet', 'aria-label': `${t('givePassword')} ${one.name}` }),
        button(t(one.disabled ? 'enable' : 'disable'), () => disable(one, !one.disabled, again), { class: 'quiet', 'aria-label': `${t(one.disabled ? 'enable' : 'disable')} ${one.name}` })))))))
}

/** A password that was made, shown this once. */
const hand = (name, password) => ask({ title: `${t('passwordOf')} ${name}`, text: t('shownOnce'), ok: t('bindDone'), fields: [h('p', { class: 'code' }, password)], act: async () => true })

async function add(again) {
  const made = await ask({
    title: t('addAccount'), ok: t('addAccount'),
    fields: [field(t('name'), h('input', { name: 'name', required: true, pattern: '[A-Za-z0-9][A-Za-z0-9_.\\-]{0,31}', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false' }), t('nameHint')), field(t('roleName'), roles('viewer'))],
    act: (values) => post('/operators', values),
  })
  if (!made) return
  await hand(made.operator.name, made.password)
  again()
}

async function change(one, again) {
  const done = await ask({ title: `${t('changeRole')} ${one.name}`, ok: t('changeRole'), fields: [field(t('roleName'), roles(one.role))], act: ({ role }) => put(`/operators/${one.name}`, { role }) })
  if (!done) return
  again()
  said(t('roleChanged'), async () => {
    await put(`/operators/${one.name}`, { role: one.role })
    again()
  })
}

async function renew(one, again) {
  const done = await ask({ title: `${t('givePassword')} ${one.name}`, text: t('givePasswordText'), ok: t('givePassword'), danger: true, act: () => put(`/operators/${one.name}`, { new_password: true }) })
  if (!done) return
  await hand(one.name, done.password)
  again()
}

async function disable(one, disabled, again) {
  const done = await ask({ title: `${t(disabled ? 'disable' : 'enable')} ${one.name}`, text: disabled ? t('disableText') : '', ok: t(disabled ? 'disable' : 'enable'), danger: disabled, act: () => put(`/operators/${one.name}`, { disabled }) })
  if (!done) return
  again()
  said(t(disabled ? 'disabledDone' : 'enabledDone'), async () => {
    await put(`/operators/${one.name}`, { disabled: !disabled })
    again()
  })
}
