// rich-text: HTML by a list of harmless tags and attributes. Nothing in it can run or be opened.
const TAGS = new Set(('a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del div dl ' +
  'dt em fieldset font footer h1 h2 h3 h4 h5 h6 header hr i img ins label legend li mark nav ol p pre q rt ruby s section small ' +
  'span strong sub sup table tbody td tfoot th thead tr tt u ul').split(' '))
const ATTRIBUTES = new Set(['class', 'style', 'alt', 'src', 'height', 'width', 'span', 'start', 'type', 'colspan', 'rowspan', 'dir'])

function keep(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (!ATTRIBUTES.has(name) || (name === 'src' && !/^(?:https?:|data:image\/|cloud:)/i.test(value))) continue
    if (name === 'style' && /url\s*\(|expression/i.test(value)) continue
    element.setAttribute(name, value)
  }
  if (element.tagName === 'IMG') element.referrerPolicy = 'no-referrer'
  return element
}

function fromDom(source) {
  const out = document.createDocumentFragment()
  for (const node of source.childNodes) {
    if (node.nodeType === 3) out.appendChild(document.createTextNode(node.data))
    if (node.nodeType !== 1 || !TAGS.has(node.localName)) continue
    const element = keep(document.createElement(node.localName), Object.fromEntries(Array.from(node.attributes, (a) => [a.name, a.value])))
    element.appendChild(fromDom(node))
    out.appendChild(element)
  }
  return out
}

function fromList(nodes) {
  const out = document.createDocumentFragment()
  for (const node of nodes) {
    if (node && node.type === 'text') out.appendChild(document.createTextNode(unescapeText(node.text)))
    else if (node && TAGS.has(String(node.name).toLowerCase())) {
      const element = keep(document.createElement(node.name), node.attrs || {})
      element.appendChild(fromList(node.children || []))
      out.appendChild(element)
    }
  }
  return out
}

const ENTITIES = { '&lt;': '<', '&gt;': '>', '&amp;': '&', '&apos;': "'", '&quot;': '"', '&nbsp;': '\u00a0' }
const unescapeText = (text) => String(text ?? '').replace(/&(?:lt|gt|amp|apos|quot|nbsp);/g, (e) => ENTITIES[e])

/** The `nodes` of a rich-text, a list or HTML, as DOM. */
export function richNodes(nodes) {
  if (Array.isArray(nodes)) return fromList(nodes)
  const inert = new DOMParser().parseFromString(String(nodes ?? ''), 'text/html')
  return fromDom(inert.body)
}
