'use strict'

const postcss = require('postcss')
const selectorParser = require('postcss-selector-parser')
const { join } = require('./resolve')
const { BUILT_IN_TAGS } = require('../tags')

const LENGTH = /(^|[^\w#-])(-?\d*\.?\d+)(rpx|vw|vh)\b/g
const VARIABLE = { rpx: '--mp-rpx', vw: '--mp-vw', vh: '--mp-vh' }

/** Lengths that depend on the screen become lengths of the phone frame. */
function spellLengths(value) {
  if (value.includes('url(')) return value
  return value
    .replace(LENGTH, (_, before, number, unit) => `${before}calc(${number} * var(${VARIABLE[unit]}))`)
    .replace(/\b(?:env|constant)\(\s*safe-area-inset-(top|bottom|left|right)\s*(?:,[^)]*)?\)/g, 'var(--mp-safe-$1)')
}

/**
 * @param options.prefix  class prefix of an isolated component, '' for none
 * @param options.route   page whose sheet this is: the rules hold only inside that page
 */
function spellSelector(selector, { prefix, route }) {
  return selectorParser((root) => {
    root.walkTags((tag) => {
      if (tag.value === 'page') tag.replaceWith(selectorParser.className({ value: 'mp-page' }))
      else if (BUILT_IN_TAGS.has(tag.value)) tag.value = `wx-${tag.value}`
    })
    root.walkClasses((node) => {
      if (prefix && node.value !== 'mp-page') node.value = `${prefix}--${node.value}`
    })
    root.walkIds((node) => {
      node.replaceWith(selectorParser.attribute({ attribute: 'data-mp-id', operator: '=', value: node.value, quoteMark: '"', raws: {} }))
    })
    root.walkPseudos((node) => {
      if (node.value === ':host') {
        node.replaceWith(selectorParser.attribute({ attribute: 'wx-host', operator: '=', value: prefix, quoteMark: '"', raws: {} }))
      }
    })
    if (route) {
      root.each((part) => {
        const scope = selectorParser.pseudo({ value: `:where([data-mp-route="${route}"], [data-mp-route="${route}"] *)` })
        const first = part.first
        scope.spaces.before = first.spaces.before
        first.spaces.before = ''
        if (first.type === 'tag' || first.type === 'universal') part.insertAfter(first, scope)
        else part.insertBefore(first, scope)
      })
    }
  }).processSync(selector)
}

/** Compiles one WXSS file with its imports to CSS. */
function compileSheet(tree, file, options, problem) {
  const seen = new Set()
  const load = (name, from) => {
    if (!tree.has(name)) {
      problem(from, `style sheet not found: ${name}`)
      return []
    }
    if (seen.has(name)) return []
    seen.add(name)
    let root
    try {
      root = postcss.parse(tree.read(name), { from: name })
    } catch (error) {
      problem(`${name}:${error.line || 1}:${error.column || 1}`, error.reason || error.message)
      return []
    }
    const nodes = []
    for (const node of root.nodes) {
      if (node.type === 'atrule' && node.name === 'import') {
        const target = /^\s*(?:url\()?\s*(['"]?)(.+?)\1\s*\)?\s*$/.exec(node.params)
        nodes.push(...load(join(name, target[2]), name))
      } else nodes.push(node.clone())
    }
    return nodes
  }
  const root = postcss.root({ nodes: load(file, file) })
  root.walkDecls((decl) => {
    decl.value = spellLengths(decl.value)
  })
  root.walkRules((rule) => {
    if (rule.parent.type === 'atrule' && /keyframes$/.test(rule.parent.name)) return
    try {
      rule.selector = spellSelector(rule.selector, options)
    } catch (error) {
      problem(file, `selector ${rule.selector}: ${error.message}`)
    }
  })
  root.walkAtRules('media', (media) => {
    const scheme = /^\s*\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)\s*$/.exec(media.params)
    if (!scheme) return
    media.walkRules((rule) => {
      rule.selectors = rule.selectors.map((s) => `:where(.mp-${scheme[1]}) ${s}`)
    })
    media.replaceWith(media.nodes)
  })
  return root.toString()
}

module.exports = { compileSheet, spellLengths, spellSelector }
