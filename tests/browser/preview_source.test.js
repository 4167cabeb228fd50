'use strict'

// The mini-program as the preview sees it: it compiles, it is served as it is, and every wx member it uses is there.

const { test, before, after } = require('node:test')
const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const esbuild = require('esbuild')
const { compileApp } = require('../../tools/preview/compile/app')
const { start, Browsers, ROOT, FIXTURE, endAll } = require('./harness')
const { findBrowser } = require('../../tools/preview/browser')

const SOURCE = path.join(ROOT, 'miniprogram')
const browsers = new Browsers()
let server

before(async () => {
  server = await start({ source: SOURCE })
  await browsers.open()
})
after(() => endAll(browsers, server))

function filesUnder(dir) {
  return fs.readdirSync(dir, { recursive: true, withFileTypes: true }).filter((e) => e.isFile())
    .map((e) => path.relative(dir, path.join(e.parentPath || e.path, e.name)).split(path.sep).join('/'))
}

/** Members of wx that a script names, as `a` or `cloud.a`; comments and strings do not count. */
function wxMembers(source) {
  const code = esbuild.transformSync(source, { minifyWhitespace: true, legalComments: 'none' }).code
    .replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""')
  const found = new Set()
  for (const [, member, inner] of code.matchAll(/\bwx\.([A-Za-z]\w*)(?:\.([A-Za-z]\w*))?/g)) found.add(member === 'cloud' && inner ? `cloud.${inner}` : member)
  for (const [, names] of code.matchAll(/\{([^{}]*)\}=wx\b/g)) for (const name of names.split(',')) if (/^\s*\w/.test(name)) found.add(name.split(':')[0].trim())
  return found
}

test('the mini-program compiles without a problem', () => {
  const { problems, manifest } = compileApp(SOURCE)
  assert.deepEqual(problems, [])
  assert.ok(manifest.app.pages.length > 0)
})

test('every file is served byte for byte as it is on disk', async () => {
  const files = filesUnder(SOURCE)
  assert.ok(files.length > 20)
  for (const file of files) {
    const response = await fetch(`${server.url}/__preview/src/${file}`)
    assert.equal(response.status, 200, file)
    assert.ok(Buffer.from(await response.arrayBuffer()).equals(fs.readFileSync(path.join(SOURCE, file))), `${file} differs`)
  }
})

test('own scripts are run from those bytes: none of them is sent in another form', async () => {
  const packed = await (await fetch(`${server.url}/__preview/packed.json`)).json()
  const own = Object.keys(packed).filter((f) => !/(^|\/)miniprogram_npm\//.test(f))
  assert.deepEqual(own, [])
})

test('nothing outside the mini-program is served', async () => {
  for (const file of ['../package.json', '%2e%2e/package.json', '..%2fpackage.json', '/etc/passwd']) {
    const response = await fetch(`${server.url}/__preview/src/${file}`)
    assert.equal(response.status, 404, file)
  }
})

test('every wx member that the mini-program names is in the shim', async () => {
  const phone = await browsers.phone(server.url)
  const known = new Set(await phone.page.evaluate(() => window.__mp.knownMembers()))
  await phone.context.close()
  const missing = []
  let named = 0
  for (const file of filesUnder(SOURCE).filter((f) => f.endsWith('.js') && !f.includes('miniprogram_npm/'))) {
    for (const member of wxMembers(fs.readFileSync(path.join(SOURCE, file), 'utf8'))) {
      named += 1
      if (!known.has(member)) missing.push(`${file}: wx.${member}`)
    }
  }
  assert.deepEqual(missing, [])
  assert.ok(named > 5, 'the scan found almost nothing: is it still looking in the right place?')
})

test('the scan sees members, and not those in comments or strings', () => {
  const source = "const { a, b: c } = wx\n// wx.no1\nconst s = 'wx.no2'\nwx.cloud.init(); wx.showToast({}); const f = wx.cloud.callContainer"
  assert.deepEqual([...wxMembers(source)].sort(), ['a', 'b', 'cloud.callContainer', 'cloud.init', 'showToast'])
})

function broken(files) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'mini-'))
  fs.cpSync(FIXTURE, dir, { recursive: true })
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(dir, name), text)
  const { problems } = compileApp(dir)
  fs.rmSync(dir, { recursive: true })
  return problems.filter((p) => p.level === 'error').map((p) => `${p.where} ${p.message}`).join('\n')
}

test('faults in a mini-program are found by the compiler', () => {
  const cases = [
    [{ 'pages/home/home.wxml': '<view><text>open</view>' }, /home\.wxml:1:\d+ .*end tag/],
    [{ 'pages/home/home.wxml': '<view>{{a..b}}</view>' }, /home\.wxml:1/],
    [{ 'pages/home/home.wxml': '<carrd />' }, /unknown tag <carrd>/],
    [{ 'pages/home/home.wxss': '.a { color: ' }, /home\.wxss:1/],
    [{ 'pages/home/home.wxss': '@import "./none.wxss";' }, /style sheet not found: pages\/home\/none\.wxss/],
    [{ 'pages/home/home.js': 'Page({' }, /home\.js/],
    [{ 'pages/home/home.js': "require('./none')" }, /module not found: \.\/none/],
    [{ 'pages/home/home.json': '{"usingComponents":{"card":"/components/none/none"}}' }, /component not found/],
    [{ 'pages/home/home.json': '{' }, /not valid JSON/],
    [{ 'app.json': '{"pages":["pages/none/none"]}' }, /page file not found: pages\/none\/none\.js/],
    [{ 'components/card/card.json': '{}' }, /"component": true is missing/],
  ]
  for (const [files, expected] of cases) assert.match(broken(files), expected)
})

test('YUNLIAO_CHROMIUM names the browser, and a wrong one is not replaced in silence', () => {
  assert.equal(findBrowser({ YUNLIAO_CHROMIUM: process.execPath, PATH: process.env.PATH }), process.execPath)
  assert.equal(findBrowser({ YUNLIAO_CHROMIUM: '/nowhere/chromium', PATH: process.env.PATH }), null)
  assert.equal(findBrowser({ PATH: '' }) === null || typeof findBrowser({ PATH: '' }) === 'string', true)
})
