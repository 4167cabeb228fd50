'use strict'

const { TmplGroup } = require('glass-easel-template-compiler')
const { join } = require('./resolve')
const { BUILT_IN_TAGS, LANGUAGE_TAGS } = require('../tags')

// `bindfoo` and `catchfoo` are spelled with a colon before compiling: the compiler would camel-case dashed event names.
const TAG = /<[a-zA-Z][\w-]*(?:"[^"]*"|'[^']*'|[^"'>])*>/g
const ATTRIBUTE = /"[^"]*"|'[^']*'|(\s)((?:capture-)?(?:mut-)?(?:bind|catch))([a-z][\w-]*)(?=\s*=|[\s/>])/g

// `catchtouchmove` without a handler stops the event all the same; the engine needs a name to listen at all.
const BARE = /"[^"]*"|'[^']*'|(\s)((?:capture-)?catch:[a-z][\w-]*)(?:\s*=\s*(?:""|''))?(?=[\s/>])/g

// `hidden` of a component's host is handed on under a name that the component's own data cannot clash with.
const HIDDEN = /\shidden=("[^"]*"|'[^']*')|"[^"]*"|'[^']*'/g

// WeChat's compiler looks the key up in the item: our lists have no member `index`, so such a list has no keys there and is
// updated by position. The engine would take every missing key as the same one.
const BY_POSITION = /\swx:key=(?:"index"|'index')/g

function spellEvents(wxml) {
  return wxml.replace(TAG, (tag) => tag
    .replace(BY_POSITION, '')
    .replace(ATTRIBUTE, (all, space, verb, name) => (verb === undefined ? all : `${space}${verb}:${name}`))
    .replace(BARE, (all, space, name) => (name === undefined ? all : `${space}${name}="mpNothing"`))
    .replace(HIDDEN, (all, value) => (value === undefined || ownTag(tag) ? all : `${all} mp-hidden=${value}`)))
}

function ownTag(tag) {
  const name = /^<([\w-]+)/.exec(tag)[1]
  return BUILT_IN_TAGS.has(name) || LANGUAGE_TAGS.has(name)
}

/** WXS is not JavaScript: `x.constructor` is the name of the type, modules are required with their extension. */
function spellWxs(source) {
  return source
    .replace(/(\b[\w$]+(?:\.[\w$]+|\[[^\]]*\])*)\.constructor\b/g, 'mpTypeName($1)')
    .replace(/require\(\s*(['"])(.+?)\.wxs\1\s*\)/g, (_, quote, file) => `require(${quote}${file}${quote})`)
}

const WXS_GLOBALS = `
var mpTypeName=function(x){if(x===null||x===undefined)throw new TypeError('constructor of '+x);
  return Array.isArray(x)?'Array':x instanceof RegExp?'RegExp':x instanceof Date?'Date':
    ({string:'String',number:'Number',boolean:'Boolean',function:'Function',object:'Object'})[typeof x]};
var getRegExp=function(pattern,flags){return new RegExp(pattern,flags)};
var getDate=function(){return arguments.length?new (Function.prototype.bind.apply(Date,[null].concat([].slice.call(arguments))))():new Date()};
`

/** Collects the templates of an app and compiles them to one JavaScript expression. */
class Templates {
  constructor(tree, problem) {
    this.tree = tree
    this.problem = problem
    this.group = new TmplGroup()
    this.group.setExtraRuntimeScript(WXS_GLOBALS)
    this.seen = new Set()
    this.scripts = new Set()
    this.tags = new Map()
  }

  add(stem, from) {
    if (this.seen.has(stem)) return
    this.seen.add(stem)
    const file = `${stem}.wxml`
    if (!this.tree.has(file)) {
      this.problem(from || file, `template not found: ${file}`)
      return
    }
    const source = this.tree.read(file)
    this.collectTags(stem, source)
    for (const found of this.group.addTmpl(stem, spellEvents(source))) {
      const warning = !found.isError && !/end tag/.test(found.message)
      this.problem(`${file}:${found.startLine + 1}:${found.startColumn + 1}`, found.message, warning)
    }
    for (const name of this.group.getInlineScriptModuleNames(stem)) {
      this.group.setInlineScript(stem, name, spellWxs(this.group.getInlineScript(stem, name)))
    }
    for (const dependency of this.group.getDirectDependencies(stem)) this.add(dependency.replace(/\.wxml$/, ''), file)
    for (const script of this.group.getScriptDependencies(stem)) this.addScript(script, file)
  }

  addScript(stem, from) {
    if (this.scripts.has(stem)) return
    this.scripts.add(stem)
    const file = `${stem.replace(/\.wxs$/, '')}.wxs`
    if (!this.tree.has(file)) {
      this.problem(from, `WXS module not found: ${file}`)
      return
    }
    const source = this.tree.read(file)
    this.group.addScript(stem, spellWxs(source))
    for (const [, , inner] of source.matchAll(/require\(\s*(['"])(.+?)\1\s*\)/g)) {
      this.addScript(join(file, inner).replace(/\.wxs$/, ''), file)
    }
  }

  collectTags(stem, source) {
    const names = new Set()
    const bare = source.replace(/<!--[\s\S]*?-->/g, '').replace(/<wxs\b[\s\S]*?<\/wxs>/g, '')
    for (const [, name] of bare.matchAll(/<([a-zA-Z][\w-]*)(?=[\s/>])/g)) names.add(name)
    this.tags.set(stem, names)
  }

  /** Tags used by a template and by what it imports. */
  tagsOf(stem, visited = new Set()) {
    if (visited.has(stem) || !this.tags.has(stem)) return new Set()
    visited.add(stem)
    const names = new Set(this.tags.get(stem))
    for (const dependency of this.group.getDirectDependencies(stem)) {
      for (const name of this.tagsOf(dependency.replace(/\.wxml$/, ''), visited)) names.add(name)
    }
    return names
  }

  /** A JavaScript expression: `{path: template}`. */
  code() {
    return this.group.getTmplGenObjectGroups()
  }
}

module.exports = { Templates, spellEvents, spellWxs }
