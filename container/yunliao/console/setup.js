// What is only read: models and prices, and settings without their secrets.

import { h, facts, field, fill } from './dom.js'
import { get } from './api.js'
import { card, mark, awaited } from './parts.js'
import { credits } from './format.js'
import { language, t } from './words.js'

export function models(root) {
  root.append(awaited(() => get('/models'), (found) => [
    found.models.map((one) => card([one.name, ' ', one.default && mark(t('defaultModel'), 'good'), ' ', one.domestic && mark(t('domestic')), one.overseas && mark(t('overseas'), 'warn')],
      facts([
        [t('modelId'), h('code', {}, one.id)], [t('tabs.relays'), one.relays.join('、')],
        one.price ? [t('price'), h('ul', { class: 'plain' }, ['input', 'cached', 'output', 'reasoning', 'image'].filter((what) => one.price[what]).map((what) => h('li', {}, `${t(`whats.${what}`)} ${credits(one.price[what])}`)))] : [t('price'), t('free')],
      ]))),
    card(t('priceTable'), found.price_version === null ? h('p', { class: 'nothing' }, t('noPrices')) : facts([
      [t('version'), h('code', {}, found.price_version)],
      ...Object.entries(found.plans).map(([name, plan]) => [`${t('plan')} ${name}`, `${credits(plan.daily)} / ${t('day')}`]),
      ...['turn', 'user_day', 'service_day'].map((name) => [t(`limits.${name}`), found.limits[name] ? credits(found.limits[name]) : t('noLimit')]),
    ]), h('p', { class: 'hint' }, t('pricesWhere'))),
  ]))
}

export function settings(root) {
  root.append(awaited(() => get('/settings'), (found) => {
    const zh = language() === 'zh'
    const place = h('div')
    const filter = h('input', { name: 'filter', type: 'search', autocomplete: 'off' })
    const draw = () => {
      const wanted = filter.value.trim().toLowerCase()
      const rows = found.settings.filter((one) => !wanted || `${one.name} ${one.meaning} ${one.meaning_zh}`.toLowerCase().includes(wanted))
      fill(place, rows.length ? card('', h('ul', { class: 'rows' }, rows.map((one) => h('li', {}, h('div', { class: 'entry' }, h('div', { class: 'pair' }, h('code', {}, one.name), h('div', {}, valueOf(one))), h('small', {}, zh ? one.meaning_zh : one.meaning)))))) : h('p', { class: 'nothing' }, t('noSetting')))
    }
    filter.addEventListener('input', draw)
    draw()
    return [h('p', { class: 'hint' }, zh ? `${t('settingsHint')}${found.where_zh}。${found.then_zh}` : `${t('settingsHint')} ${found.where}. ${found.then}`), field(t('filter'), filter), place]
  }))
}

function valueOf(one) {
  if (one.secret) return mark(one.given ? t('set') : t('notSet'), one.given ? 'good' : one.required ? 'bad' : '')
  if (!one.value) return h('span', { class: 'hint' }, t('empty'))
  return [h('span', { class: 'text' }, one.value), !one.given && h('small', {}, ` ${t('byDefault')}`)]
}
