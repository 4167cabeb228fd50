'use strict'

const vm = require('node:vm')
const esbuild = require('esbuild')
const { SourceTree, resolveScript, resolveComponent } = require('./resolve')
const { Templates } = require('./wxml')
const { compileSheet } = require('./wxss')
const { BUILT_IN_TAGS, LANGUAGE_TAGS } = require('../tags')

const REQUIRE = /\brequire\(\s*(['"])([^'"\n]+)\1\s*\)/g
const MODULE_WORDS = /import statement|Unexpected token 'export'|import\.meta|await is only valid/
const ISOLATION = /\bstyleIsolation\s*:\s*(['"])([\w-]+)\1/

const inNpm = (file) => /(^|\/)miniprogram_npm\//.test(file)
const withoutComments = (source) => source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`\\])\/\/[^\n]*/g, '$1')

/** Walks a mini-program from its app.json and compiles what is reached. */
class AppCompiler {
  constructor(root) {
    this.tree = new SourceTree(root)
    this.problems = []
    this.modules = {}
    this.packed = {}
    this.components = {}
    this.sheets = []
    const problem = (where, message, warning = false) => this.problem(where, message, warning)
    this.templates = new Templates(this.tree, problem)
  }

  problem(where, message, warning = false) {
    this.problems.push({ where, message, level: warning ? 'warning' : 'error' })
  }

  json(file) {
    try {
      return this.tree.json(file)
    } catch (error) {
      this.problem(file, `not valid JSON: ${error.message}`)
      return {}
    }
  }

  run() {
    if (!this.tree.has('app.json')) {
      this.problem('app.json', 'no app.json: this folder is not a mini-program')
      return this.result({ pages: [] }, {})
    }
    const app = this.json('app.json')
    const theme = app.themeLocation ? this.json(app.themeLocation) : {}
    const pages = [...(app.pages || [])]
    for (const sub of app.subPackages || app.subpackages || []) {
      for (const page of sub.pages || []) pages.push(`${sub.root.replace(/\/$/, '')}/${page}`)
    }
    if (this.tree.has('app.js')) this.script('app.js')
    if (this.tree.has('app.wxss')) this.sheet('app.wxss', { prefix: '', route: '' })
    const globals = this.using('app', app.usingComponents)
    for (const page of pages) this.page(page, globals)
    for (const tab of app.tabBar?.list || []) {
      if (!pages.includes(tab.pagePath)) this.problem('app.json', `tab bar page is not in pages: ${tab.pagePath}`)
    }
    return this.result({ ...app, pages }, theme)
  }

  page(stem, globals) {
    for (const extension of ['js', 'wxml']) {
      if (!this.tree.has(`${stem}.${extension}`)) this.problem('app.json', `page file not found: ${stem}.${extension}`)
    }
    this.component(stem, globals, true)
  }

  using(stem, table) {
    const resolved = {}
    for (const [tag, specifier] of Object.entries(table || {})) {
      const found = resolveComponent(this.tree, `${stem}.json`, specifier)
      if (found) resolved[tag] = `/${found}`
      else this.problem(`${stem}.json`, `component not found: "${tag}": "${specifier}"`)
    }
    return resolved
  }

  component(stem, globals, isPage) {
    if (this.components[stem]) return
    const json = this.json(`${stem}.json`)
    const source = this.tree.has(`${stem}.js`) ? this.tree.read(`${stem}.js`) : ''
    if (!isPage && !json.component) this.problem(`${stem}.json`, '"component": true is missing')
    const scope = `c${Object.keys(this.components).length}-${stem.split('/').filter((p) => p !== 'index').pop()}`
    const isolation = json.styleIsolation || ISOLATION.exec(source)?.[2] ||
      (/\baddGlobalClass\s*:\s*true/.test(source) ? 'apply-shared' : undefined)
    const config = { usingComponents: { ...globals } }
    const entry = { page: isPage, config, json, scope: '', isolation }
    this.components[stem] = entry
    Object.assign(config.usingComponents, this.using(stem, json.usingComponents))
    if (isPage) config.styleIsolation = 'shared'
    else {
      config.component = true
      if (isolation) config.styleIsolation = isolation.replace(/^page-/, '')
      if (config.styleIsolation !== 'shared') entry.scope = scope
    }
    this.generics(stem, json, config)
    if (json.componentPlaceholder) config.componentPlaceholder = json.componentPlaceholder
    this.templates.add(stem)
    this.checkTags(stem, config)
    if (source) this.script(`${stem}.js`)
    for (const target of Object.values(config.usingComponents)) this.component(target.slice(1), globals, false)
    for (const generic of Object.values(config.componentGenerics || {})) {
      if (generic.default) this.component(generic.default.slice(1), globals, false)
    }
    if (this.tree.has(`${stem}.wxss`)) this.sheet(`${stem}.wxss`, { prefix: entry.scope, route: isPage ? stem : '' })
  }

  generics(stem, json, config) {
    if (!json.componentGenerics) return
    config.componentGenerics = {}
    for (const [name, value] of Object.entries(json.componentGenerics)) {
      const target = value === true || !value.default ? null : resolveComponent(this.tree, `${stem}.json`, value.default)
      config.componentGenerics[name] = target ? { default: `/${target}` } : true
    }
  }

  checkTags(stem, config) {
    for (const tag of this.templates.tagsOf(stem)) {
      const known = BUILT_IN_TAGS.has(tag) || LANGUAGE_TAGS.has(tag) || config.usingComponents[tag] ||
        config.componentGenerics?.[tag]
      if (!known) this.problem(`${stem}.wxml`, `unknown tag <${tag}>`, inNpm(stem))
    }
  }

  script(file) {
    if (this.modules[file]) return
    const source = this.tree.read(file)
    const entry = { requires: {}, npm: inNpm(file) }
    this.modules[file] = entry
    let code = source
    try {
      new vm.Script(`(function(){${source}\n})`, { filename: file })
    } catch (error) {
      code = this.fromModule(file, source, error) ?? source
      entry.packed = code !== source
    }
    if (entry.npm || entry.packed) this.packed[file] = code
    for (const [, , specifier] of withoutComments(code).matchAll(REQUIRE)) {
      const target = resolveScript(this.tree, file, specifier)
      if (!target) {
        this.problem(file, `module not found: ${specifier}`, entry.npm)
        continue
      }
      entry.requires[specifier] = target
      this.script(target)
    }
  }

  /** An ES module as CommonJS, or null after reporting why it is neither. `error` is what the engine said of it as a script. */
  fromModule(file, source, error) {
    if (!MODULE_WORDS.test(error.message)) {
      this.problem(`${file}:${/:(\d+)/.exec(error.stack || '')?.[1] || 1}`, error.message)
      return null
    }
    if (!inNpm(file)) this.problem(file, 'ES module syntax in own source: use require and module.exports')
    try {
      return esbuild.transformSync(source, { format: 'cjs', target: 'es2020', loader: 'js', sourcefile: file, logLevel: 'silent' }).code
    } catch (failure) {
      const [first] = failure.errors || []
      this.problem(`${file}:${first?.location?.line || 1}`, first?.text || failure.message)
      return null
    }
  }

  sheet(file, options) {
    const css = compileSheet(this.tree, file, options, (where, message, warning) => this.problem(where, message, warning))
    this.sheets.push({ file, css, order: file === 'app.wxss' ? 0 : inNpm(file) ? 1 : options.route ? 3 : 2 })
  }

  result(app, theme) {
    const css = [...this.sheets].sort((a, b) => a.order - b.order).map((s) => `/* ${s.file} */\n${s.css}`).join('\n')
    return {
      manifest: {
        app, theme, components: this.components, modules: this.modules,
        problems: this.problems,
      },
      css,
      templates: this.templates.code(),
      packed: this.packed,
      problems: this.problems,
    }
  }
}

/** Compiles the mini-program under `root`; see AppCompiler.result for the shape. Never throws for faults in the source. */
function compileApp(root) {
  return new AppCompiler(root).run()
}

module.exports = { compileApp, withoutComments }
