// What every tab is made of: a heading, a place that waits, a list that goes on.

import { h, fill, button } from './dom.js'
import { t } from './words.js'

/** A titled part of a page. */
export const card = (title, ...content) => h('section', { class: 'card' }, title && h('h2', {}, title), content)

/** A mark with words; `kind`: good, warn, bad or nothing. */
export const mark = (text, kind = '') => h('span', { class: `mark ${kind}` }, text)

/** A failure, and the way to try again. */
export const sorry = (failure, again) => h('div', { class: 'sorry', role: 'alert' }, h('p', {}, failure.text || String(failure.message)), again && button(t('retry'), again))

/** A node that waits for `load()` and then shows `show(value)`; a failure says so and can be tried again. */
export function awaited(load, show) {
  const place = h('div', { class: 'awaited' })
  const run = async () => {
    place.setAttribute('aria-busy', 'true')
    fill(place, h('p', { class: 'waiting', role: 'status' }, t('loading')))
    try {
      const value = await load()
      fill(place, show(value, run))
    } catch (failure) {
      fill(place, sorry(failure, run))
    }
    place.removeAttribute('aria-busy')
  }
  place.again = run
  run()
  return place
}

/**
 * A list by pages. `load(cursor)` gives `[items, next]`; `row(item)` an element; `empty` is said of none.
 */
export function pages(load, row, empty) {
  const list = h('ul', { class: 'rows' })
  const foot = h('div', { class: 'foot' })
  let shown = 0
  const more = async (cursor) => {
    fill(foot, h('p', { class: 'waiting', role: 'status' }, t('loading')))
    try {
      const [items, next] = await load(cursor)
      shown += items.length
      list.append(...items.map((item) => h('li', {}, row(item))))
      fill(foot, next ? button(t('more'), () => more(next)) : !shown && h('p', { class: 'nothing' }, empty))
    } catch (failure) {
      fill(foot, sorry(failure, () => more(cursor)))
    }
  }
  more(undefined)
  return h('div', {}, list, foot)
}
