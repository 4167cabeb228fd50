// Bars over time, drawn as SVG, with the same figures as a table for who does not see them.

import { h, svg, table } from './dom.js'

const WIDEST = 1040
const HEIGHT = 160
const FOOT = 22
const LABEL = 64

/**
 * @param title  what it shows  @param slots [{name, parts: {key: n}}], oldest first  @param keys [[key, word]], drawn from below
 */
export function bars(title, slots, keys, format) {
  const sums = slots.map((slot) => keys.reduce((sum, [key]) => sum + (slot.parts[key] || 0), 0))
  const most = Math.max(1, ...sums)
  // As many units as pixels, so that letters are as large as anywhere else.
  const width = Math.max(240, Math.min(WIDEST, document.documentElement.clientWidth - 64))
  const step = width / Math.max(1, slots.length)
  const every = Math.ceil(LABEL / step)
  const drawn = slots.map((slot, at) => {
    let from = HEIGHT
    const pieces = keys.map(([key, word]) => {
      const tall = ((slot.parts[key] || 0) / most) * HEIGHT
      from -= tall
      return tall > 0 && svg('rect', { class: `pillar ${key}`, x: at * step + step * 0.14, y: from, width: step * 0.72, height: tall },
        svg('title', {}, `${slot.name} ${word}: ${format(slot.parts[key])}`))
    })
    const name = at % every === 0 && at * step + LABEL * 0.7 < width && svg('text', { class: 'axis', x: at * step, y: HEIGHT + 16 }, slot.name)
    return [pieces, name]
  })
  return h('figure', { class: 'chart' },
    h('figcaption', {}, h('span', {}, title), h('span', { class: 'legend' }, keys.map(([key, word]) => h('span', {}, h('i', { class: `key ${key}` }), word)))),
    svg('svg', { viewBox: `0 0 ${width} ${HEIGHT + FOOT}`, role: 'img', 'aria-label': title },
      svg('line', { class: 'axis', x1: 0, x2: width, y1: HEIGHT, y2: HEIGHT }), svg('text', { class: 'axis', x: 2, y: 12 }, format(most)), drawn))
}

/** The figures of `bars` as a table. */
export const figures = (title, first, slots, keys, format) => table(title, [first, ...keys.map(([, word]) => word)],
  [...slots].reverse().map((slot) => [slot.name, ...keys.map(([key]) => format(slot.parts[key] || 0))]))
