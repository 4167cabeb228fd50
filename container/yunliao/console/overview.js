// What goes on, refreshed while somebody looks.

import { h, fill, button, facts } from './dom.js'
import { get } from './api.js'
import { card, mark, sorry } from './parts.js'
import { bars, figures } from './chart.js'
import { number, percent, span, credits, hour, day, when } from './format.js'
import { t } from './words.js'

const EVERY_MS = 5000
const ENDS = ['completed', 'stopped', 'blocked', 'failed']
const PERCENTILES = ['p50', 'p90', 'p99']

const tile = (name, value, note = '', kind = '') => h('div', { class: `tile ${kind}` }, h('div', { class: 'name' }, name), h('div', { class: 'value' }, value), note && h('div', { class: 'note' }, note))

export function show(root) {
  let shown = 'hours'
  let summary = null
  let timer = 0
  let gone = false
  const place = h('div', { 'aria-busy': 'true' }, h('p', { class: 'waiting', role: 'status' }, t('loading')))
  const trouble = h('div')
  const told = h('p', { class: 'hint' })
  const spans = ['hours', 'days'].map((name) => button(t(name), () => {
    shown = name
    draw()
  }))
  const tables = h('div')
  const chart = h('div')
  const charts = card(t('overTime'), h('div', { class: 'segments', role: 'group', 'aria-label': t('overTime') }, spans), chart, h('details', {}, h('summary', {}, t('asTable')), tables))
  charts.hidden = true
  root.append(trouble, place, charts, told)

  function draw() {
    spans.forEach((one, at) => one.setAttribute('aria-pressed', String(['hours', 'days'][at] === shown)))
    charts.hidden = false
    place.removeAttribute('aria-busy')
    fill(place, tiles(summary))
    const rows = summary[shown]
    const name = shown === 'hours' ? hour : day
    const words = ENDS.map((key) => [key, t(`ends.${key}`)])
    const slots = rows.map((row) => ({ name: name(row.from), parts: row }))
    fill(chart, bars(t('turns'), slots, words, number), rows.some((row) => row.cost_micro) && bars(t('cost'), rows.map((row) => ({ name: name(row.from), parts: { cost: row.cost_micro } })), [['cost', t('cost')]], credits),
      bars(t('firstTextP90'), rows.map((row) => ({ name: name(row.from), parts: { p90: row.first_text_ms.p90 || 0 } })), [['p90', 'P90']], span))
    fill(tables, figures(t('turns'), t('time'), slots, words, number))
  }

  async function look() {
    clearTimeout(timer)
    if (gone || document.visibilityState !== 'visible') return
    try {
      summary = await get('/summary?hours=24&days=30')
      if (gone) return
      fill(trouble)
      draw()
      fill(told, `${t('asOf')} ${when(Date.now())} · ${t('refreshes')}`)
    } catch (failure) {
      if (gone) return
      place.removeAttribute('aria-busy')
      if (!summary) fill(place)
      fill(trouble, sorry(failure, look))
    }
    if (!gone && document.visibilityState === 'visible') timer = setTimeout(look, EVERY_MS)
  }

  document.addEventListener('visibilitychange', look)
  look()
  return () => {
    gone = true
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', look)
  }
}

function tiles({ now, hours, days }) {
  const today = days[days.length - 1]
  const lately = hours[hours.length - 1]
  const errors = Object.entries(today.errors).sort((one, other) => other[1] - one[1])
  const checks = Object.entries(today.moderation).map(([layer, outcomes]) => [`${t('checks')} ${layer}`, Object.entries(outcomes).map(([outcome, count]) => `${outcome} ${number(count)}`).join(' · ')])
  return [
    h('div', { class: 'tiles' },
      now && tile(t('liveAnswers'), number(now.live), `${t('queued')} ${number(now.queued)} · ${t('instances')} ${number(now.instances)}`),
      tile(t('turnsToday'), number(today.turns), `${t('thisHour')} ${number(lately.turns)}`),
      tile(t('success'), today.success === null ? '—' : percent(today.success), `${t('ends.failed')} ${number(today.failed)} · ${t('ends.blocked')} ${number(today.blocked)}`, today.success !== null && today.success < 0.95 ? 'bad' : ''),
      tile(t('costToday'), credits(today.cost_micro), now && now.service_day_part ? `${t('ofDayLimit')} ${percent(now.service_day_part)}` : `${number(today.tokens_in)} + ${number(today.tokens_out)} token`, now && now.service_day_part >= 0.8 ? 'bad' : '')),
    h('div', { class: 'columns' },
      card(t('speedToday'), timesTable([[t('firstText'), today.first_text_ms], [t('wholeAnswer'), today.whole_ms], [t('inQueue'), today.queued_ms]])),
      card(t('errorsToday'), errors.length ? facts(errors.map(([code, count]) => [h('code', {}, code), number(count)])) : h('p', { class: 'nothing' }, t('noErrors'))),
      card(t('relaysToday'), Object.keys(today.relay).length ? facts(Object.entries(today.relay).map(([name, one]) => [name, [`${number(one.asked)} · ${t('failedOf')} ${number(one.failed)} `, now && now.breakers[name] && state(now.breakers[name])]])) : h('p', { class: 'nothing' }, t('noneYet'))),
      card(t('otherToday'), facts([...checks, [t('coldStarts'), number(today.cold_starts)], [t('takeovers'), number(today.takeovers)], [t('storeFailures'), number(today.store_failures)]]))),
  ]
}

/** The breaker of an upstream. */
export const state = (name) => mark(t(`breaker.${name}`), { closed: 'good', open: 'bad' }[name] || 'warn')

const timesTable = (rows) => h('div', { class: 'wide', tabindex: 0, role: 'region', 'aria-label': t('speedToday') }, h('table', {},
  h('thead', {}, h('tr', {}, h('td'), PERCENTILES.map((one) => h('th', { scope: 'col' }, one.toUpperCase())))),
  h('tbody', {}, rows.map(([name, times]) => h('tr', {}, h('th', { scope: 'row' }, name), PERCENTILES.map((one) => h('td', {}, span(times[one]))))))))
