// The frame: who is signed in, which tab, which language and theme.

import { h, fill, button, field } from './dom.js'
import { session, keep } from './session.js'
import { get, post, put, signIn, signOut, whenOver } from './api.js'
import { ask, said } from './dialogs.js'
import { language, speak, t } from './words.js'
import * as overview from './overview.js'
import * as users from './users.js'
import * as cases from './cases.js'
import * as lists from './lists.js'
import * as relays from './relays.js'
import * as setup from './setup.js'
import * as audit from './audit.js'
import * as operators from './operators.js'

const TABS = [['overview', overview.show], ['users', users.show], ['cases', cases.show], ['lists', lists.show], ['relays', relays.show], ['models', setup.models], ['settings', setup.settings], ['audit', audit.show], ['operators', operators.show]]
const THEMES = ['system', 'light', 'dark']
const THEME_KEY = 'yunliao.console.theme'

let leave = null

function theme(chosen = localStorage.getItem(THEME_KEY) || 'system') {
  localStorage.setItem(THEME_KEY, chosen)
  if (chosen === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = chosen
  return chosen
}

function themes() {
  const node = h('select', { 'aria-label': t('theme'), onchange: () => theme(node.value) }, THEMES.map((one) => h('option', { value: one, selected: one === theme() }, t(`themes.${one}`))))
  return node
}

const tongue = () => button(t('language'), () => {
  speak(language() === 'zh' ? 'en' : 'zh')
  draw()
}, { class: 'quiet', lang: language() === 'zh' ? 'en' : 'zh-CN' })

function draw(moved = true) {
  document.documentElement.lang = language() === 'zh' ? 'zh-CN' : 'en'
  if (leave) leave()
  leave = null
  fill(document.body, session() ? frame() : gate())
  if (session()) route(moved)
  else document.querySelector('input').focus()
}

/** The page before anybody is signed in. */
function gate() {
  document.title = t('title')
  const problem = h('p', { class: 'problem', role: 'alert' })
  const name = h('input', { name: 'name', required: true, autocomplete: 'username', maxlength: 32, autocapitalize: 'off', spellcheck: 'false' })
  const password = h('input', { name: 'password', type: 'password', required: true, autocomplete: 'current-password', maxlength: 200 })
  const go = h('button', { class: 'first' }, t('signIn'))
  async function enter(event) {
    event.preventDefault()
    problem.textContent = ''
    go.disabled = true
    try {
      await signIn(name.value, password.value)
      draw()
    } catch (failure) {
      problem.textContent = failure.text
      go.disabled = false
      password.focus()
    }
  }
  return h('main', { class: 'gate' }, h('h1', {}, t('title')), h('form', { class: 'card', onsubmit: enter }, field(t('name'), name), field(t('password'), password), problem, h('div', { class: 'row' }, go)),
    h('p', { class: 'hint' }, t('signInHint')), h('div', { class: 'row' }, tongue(), themes()))
}

/** The same person again, on top of what is there. */
whenOver(async () => {
  const who = session()
  if (!who) return false
  const done = await ask({
    title: t('again'), text: t('againText'), ok: t('signIn'), cancel: t('otherAccount'),
    fields: [h('input', { name: 'name', value: who.name, autocomplete: 'username', readonly: true, 'aria-label': t('name') }), field(t('password'), h('input', { name: 'password', type: 'password', required: true, autocomplete: 'current-password', maxlength: 200 }))],
    act: async ({ password }) => {
      await signIn(who.name, password)
      return true
    },
  })
  if (done) return true
  keep(null)
  draw()
  return false
})

function frame() {
  const links = TABS.map(([name]) => h('a', { href: `#/${name}`, 'data-tab': name }, t(`tabs.${name}`)))
  return [
    h('a', { class: 'skip', href: '#content', onclick: (event) => { event.preventDefault(); document.getElementById('content').focus() } }, t('skip')),
    h('header', { class: 'top' }, h('div', { class: 'bar' }, h('b', { class: 'brand' }, t('title')), h('div', { class: 'row' }, tongue(), themes(), button(`${session().name} · ${t(`role.${session().role}`)}`, account, { class: 'quiet', 'aria-label': `${t('account')} ${session().name}` }))),
      h('nav', { 'aria-label': t('menu') }, links)),
    h('main', { id: 'content', tabindex: -1 }),
  ]
}

/** Shows the tab of the address. `moved`: somebody went there, so that the focus goes along; a page that opens begins at its top. */
function route(moved) {
  const [name, ...rest] = location.hash.replace(/^#\/?/, '').split('/')
  const tab = TABS.find(([one]) => one === (name || 'overview'))
  const main = document.getElementById('content')
  if (leave) leave()
  leave = null
  document.querySelectorAll('[data-tab]').forEach((link) => {
    if (tab && link.dataset.tab === tab[0]) {
      link.setAttribute('aria-current', 'page')
      link.scrollIntoView({ block: 'nearest', inline: 'nearest' })
    } else link.removeAttribute('aria-current')
  })
  const title = tab ? t(`tabs.${tab[0]}`) : t('nothingHere')
  document.title = `${title} · ${t('title')}`
  const heading = h('h1', { tabindex: -1 }, title)
  fill(main, heading)
  if (moved) heading.focus({ preventScroll: true })
  if (tab) leave = tab[1](main, rest.length ? decodeURIComponent(rest.join('/')) : '') || null
}

window.addEventListener('hashchange', () => session() && route(true))

async function account() {
  const dialog = h('dialog', { 'aria-labelledby': 'account-title', onclose: () => dialog.remove() },
    h('h2', { id: 'account-title' }, `${session().name} · ${t(`role.${session().role}`)}`),
    h('div', { class: 'stack' }, button(t('changePassword'), () => { dialog.close(); newPassword() }), button(t('bindCode'), () => { dialog.close(); bind() }), button(t('signOut'), async () => {
      dialog.close()
      await signOut()
      draw()
    }, { class: 'danger' }), button(t('close'), () => dialog.close(), { class: 'quiet' })))
  document.body.append(dialog)
  dialog.showModal()
}

async function newPassword() {
  const done = await ask({
    title: t('changePassword'), ok: t('changePassword'),
    fields: [field(t('oldPassword'), h('input', { name: 'password', type: 'password', required: true, autocomplete: 'current-password', maxlength: 200 })), field(t('newPassword'), h('input', { name: 'new', type: 'password', required: true, autocomplete: 'new-password', minlength: 12, maxlength: 200 }), t('passwordHint'))],
    act: (values) => put('/me/password', values),
  })
  if (!done) return
  keep(null)
  draw()
  said(t('passwordDone'))
}

async function bind() {
  try {
    const { code } = await post('/bindings')
    await ask({ title: t('bindCode'), text: t('bindText'), ok: t('bindDone'), fields: [h('p', { class: 'code' }, code)], act: async () => true })
  } catch (failure) {
    said(failure.text)
  }
}

theme()
draw(false)
if (session()) get('/me').then(({ role }) => {
  if (session() && session().role !== role) {
    keep({ ...session(), role })
    draw()
  }
}).catch(() => {})
