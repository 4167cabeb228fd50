// The upstreams: how they do, off and on, and a trial.

import { h, button, field, fill, facts } from './dom.js'
import { get, post } from './api.js'
import { may } from './session.js'
import { ask, said } from './dialogs.js'
import { card, mark, awaited } from './parts.js'
import { state } from './overview.js'
import { when, span, number } from './format.js'
import { language, t } from './words.js'

export function show(root) {
  const load = () => Promise.all([get('/relays'), get('/summary?hours=1&days=1').catch(() => null)])
  root.append(h('p', { class: 'hint' }, t('relaysHint')), awaited(load, ([seen, summary], again) => listed(seen, summary, again)))
}

function listed(seen, summary, again) {
  const today = summary ? summary.days[summary.days.length - 1].relay : {}
  const breakers = summary && summary.now ? summary.now.breakers : {}
  return [
    h('div', { class: 'row spread' }, h('p', { class: 'hint' }, `${t('instance')} ${seen.instance}`), button(t('refresh'), again)),
    seen.stranded.length > 0 && h('p', { class: 'sorry', role: 'alert' }, `${t('stranded')} ${seen.stranded.join('、')}`),
    seen.relays.map((one) => relay(one, today[one.upstream.name], breakers[one.upstream.name], again)),
  ]
}

function relay({ upstream, off }, today, worst, again) {
  const { name } = upstream
  const result = h('div', { 'aria-live': 'polite' })
  const work = may('operator')
  return card([name, ' ', off ? mark(t('switchedOff'), 'bad') : mark(t('switchedOn'), 'good')],
    facts([
      [t('host'), h('code', {}, upstream.host)],
      [t('breakerName'), [state(upstream.state), upstream.waits ? ` ${span(upstream.waits * 1000)}` : '', worst && worst !== upstream.state && [` · ${t('elsewhere')} `, state(worst)]]],
      [t('answering'), upstream.max_live ? `${number(upstream.live)} / ${number(upstream.max_live)}` : number(upstream.live)],
      today && [t('today'), `${number(today.asked)} · ${t('failedOf')} ${number(today.failed)}`],
      [t('modelsName'), upstream.models.join('、')],
      [t('priority'), `${upstream.priority} · ${t('weight')} ${number(upstream.weight)}${upstream.domestic ? ` · ${t('domestic')}` : ''}`],
      off && [t('offSince'), `${when(off.at)} · ${off.by} · ${off.reason}`],
      [t('recent'), upstream.recent.length ? h('ul', { class: 'plain' }, upstream.recent.slice(0, 5).map((one) => h('li', {}, h('code', {}, one.code), ` ${when(one.at)}`))) : t('noFailures')],
    ]),
    work && h('div', { class: 'row' },
      off ? button(t('switchOn'), () => on(name, again), { class: 'first' }) : button(t('switchOff'), () => switchOff(name, again), { class: 'danger' }),
      button(t('test'), (event) => test(event.currentTarget, name, result))),
    result)
}

async function switchOff(name, again) {
  const done = await ask({
    title: `${t('switchOff')} ${name}`, text: t('switchOffText'), ok: t('switchOff'), danger: true,
    fields: [field(t('reason'), h('input', { name: 'reason', required: true, maxlength: 500, autocomplete: 'off' }), t('reasonHint'))],
    act: ({ reason }) => post(`/relays/${name}/off`, { reason }),
  })
  if (!done) return
  again()
  said(`${name} ${t('isOff')}`, async () => {
    await post(`/relays/${name}/on`)
    again()
  })
}

async function on(name, again) {
  try {
    await post(`/relays/${name}/on`)
    again()
    said(`${name} ${t('isOn')}`)
  } catch (failure) {
    said(failure.text)
  }
}

async function test(by, name, place) {
  by.disabled = true
  fill(place, h('p', { class: 'waiting', role: 'status' }, t('testing')))
  try {
    const tried = await post(`/relays/${name}/test`)
    const words = tried.ok ? [mark(t('works'), 'good'), ` ${t('firstText')} ${span(tried.first_text_ms)} · ${t('wholeAnswer')} ${span(tried.whole_ms)} · ${tried.model}`]
      : [mark(t('fails'), 'bad'), ' ', h('code', {}, tried.code), tried.detail ? ` (${tried.detail})` : '', ` ${span(tried.whole_ms)} · `, language() === 'zh' ? tried.message : tried.message_en]
    fill(place, h('p', { class: 'result' }, words))
  } catch (failure) {
    fill(place, h('p', { class: 'problem', role: 'alert' }, failure.text))
  }
  by.disabled = false
}
