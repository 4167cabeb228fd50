// Elements from values. Text only ever becomes a text node, so words of people cannot become markup.

const SVG = 'http://www.w3.org/2000/svg'

/** `props`: attributes; `onclick` and the like are listeners; `value`, `checked`, `disabled` are set as properties. */
export function h(tag, props = {}, ...children) {
  return build(document.createElement(tag), props, children)
}

/** The same for pictures. */
export function svg(tag, props = {}, ...children) {
  return build(document.createElementNS(SVG, tag), props, children)
}

function build(node, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value)
    else if (name === 'value') node.value = value
    else node.setAttribute(name, value === true ? '' : String(value))
  }
  node.append(...flat(children))
  return node
}

const flat = (children) => children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false)

/** Puts `children` in the place of all that is in `node`. */
export function fill(node, ...children) {
  node.replaceChildren(...flat(children))
  return node
}

let numbers = 0

/** A label and its field; `hint` is read out with the field. */
export function field(label, input, hint = '') {
  numbers += 1
  const id = `f${numbers}`
  input.id = id
  if (hint) input.setAttribute('aria-describedby', `${id}h`)
  return h('div', { class: 'field' }, h('label', { for: id }, label), input, hint && h('small', { id: `${id}h` }, hint))
}

/** A list of choices. @param options [value, text][] */
export function select(name, options, value) {
  const node = h('select', { name }, options.map(([one, text]) => h('option', { value: one, selected: one === value }, text)))
  return node
}

/** Names and values, one under the other on a phone. */
export const facts = (rows) => h('dl', { class: 'facts' }, rows.filter(Boolean).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))))

/** A table that scrolls within itself where the screen is narrow. @param head texts @param rows cells */
export function table(caption, head, rows) {
  return h('div', { class: 'wide', tabindex: 0, role: 'region', 'aria-label': caption },
    h('table', {}, h('caption', { class: 'unseen' }, caption), h('thead', {}, h('tr', {}, head.map((text) => h('th', { scope: 'col' }, text)))),
      h('tbody', {}, rows.map((cells) => h('tr', {}, cells.map((cell) => h('td', {}, cell)))))))
}

/** A button. */
export const button = (text, onclick, more = {}) => h('button', { type: 'button', onclick, ...more }, text)
