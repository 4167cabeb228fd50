// The operators' word list: versions, one in force, tried on a text before it is.

import { h, button, field, fill, select } from './dom.js'
import { get, post } from './api.js'
import { may } from './session.js'
import { ask, said } from './dialogs.js'
import { card, mark, awaited, sorry } from './parts.js'
import { when, number } from './format.js'
import { t } from './words.js'

const MOST_BYTES = 95000

export function show(root) {
  const versions = awaited(() => get('/words'), (found, again) => listed(found, again))
  root.append(h('p', { class: 'hint' }, t('listsHint')), versions)
}

function listed({ versions, in_use_here: here }, again) {
  const used = versions.find((one) => one.in_force)
  const work = may('operator')
  return [
    card(t('versions'),
      work && h('div', { class: 'row' }, button(t('newVersion'), () => add(used, again), { class: 'first' }), used && button(t('useNone'), () => use(0, used.version, again), { class: 'danger' })),
      used && used.version !== here && h('p', { class: 'hint' }, t('notHereYet')),
      versions.length ? h('ul', { class: 'rows' }, versions.map((one) => h('li', {}, h('div', { class: 'entry' },
        h('div', {}, h('b', {}, `${t('version')} ${one.version}`), ' ', one.in_force && mark(t('inForce'), 'good'), one.note ? ` · ${one.note}` : ''),
        h('small', {}, `${number(one.count)} ${t('wordsCount')} · ${one.by} · ${when(one.at)}`),
        h('div', { class: 'row' }, button(t('showWords'), (event) => showWords(event.currentTarget, one.version), { class: 'quiet' }), work && !one.in_force && button(t('use'), () => use(one.version, used ? used.version : 0, again), { class: 'quiet' }))))))
        : h('p', { class: 'nothing' }, t('noLists'))),
    trial(versions),
  ]
}

async function showWords(by, version) {
  by.disabled = true
  try {
    const list = await get(`/words/${version}`)
    by.replaceWith(h('textarea', { readonly: true, rows: 8, 'aria-label': `${t('version')} ${version}`, value: (list.words || []).join('\n') }))
  } catch (failure) {
    by.disabled = false
    said(failure.text)
  }
}

async function add(used, again) {
  const before = used ? (await get(`/words/${used.version}`).catch(() => ({ words: [] }))).words : []
  const made = await ask({
    title: t('newVersion'), text: t('newVersionText'), ok: t('putInForce'), danger: true,
    fields: [field(t('wordsField'), h('textarea', { name: 'words', required: true, rows: 10, spellcheck: 'false', value: (before || []).join('\n') }), t('wordsHint')), field(t('note'), h('input', { name: 'note', maxlength: 200, autocomplete: 'off' }))],
    act: ({ words, note }) => {
      const lines = words.split('\n').map((one) => one.trim()).filter(Boolean)
      if (new TextEncoder().encode(words).length > MOST_BYTES) throw new Error(t('listTooLong'))
      return post('/words', { words: lines, note })
    },
  })
  if (!made) return
  again()
  said(`${t('version')} ${made.version} ${t('nowInForce')}`, async () => {
    await post(`/words/${used ? used.version : 0}/use`)
    again()
  })
}

async function use(version, before, again) {
  const done = await ask({ title: version ? `${t('use')} ${version}` : t('useNone'), text: t('useText'), ok: version ? t('use') : t('useNone'), danger: true, act: () => post(`/words/${version}/use`) })
  if (!done) return
  again()
  said(version ? `${t('version')} ${version} ${t('nowInForce')}` : t('noneInForce'), async () => {
    await post(`/words/${before}/use`)
    again()
  })
}

function trial(versions) {
  const version = select('version', [['', t('theOneInForce')], ...versions.map((one) => [String(one.version), `${t('version')} ${one.version}`])], '')
  const text = h('textarea', { name: 'text', required: true, maxlength: 20000, rows: 3 })
  const place = h('div', { 'aria-live': 'polite' })
  return card(t('tryList'), h('form', { onsubmit: run }, h('div', { class: 'grid' }, field(t('versions'), version)), field(t('tryText'), text), h('div', { class: 'row' }, h('button', {}, t('try')))), place)

  async function run(event) {
    event.preventDefault()
    try {
      const { hits } = await post('/words/test', { text: text.value, ...(version.value ? { version: Number(version.value) } : {}) })
      fill(place, hits.length ? h('p', {}, mark(t('wouldBlock'), 'bad'), ' ', hits.join('、')) : h('p', {}, mark(t('wouldPass'), 'good')))
    } catch (failure) {
      fill(place, sorry(failure))
    }
  }
}
