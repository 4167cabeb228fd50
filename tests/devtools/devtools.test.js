'use strict'

// What WeChat's own tools say of the mini-program, offline: packing as for an upload, templates and styles.

const { test, before } = require('node:test')
const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { pack, templates, styles } = require('../../tools/devtools/compilers')
const { parse } = require('../../miniprogram/core/markdown')
const texts = require('../../miniprogram/i18n/zh')

const ROOT = path.join(__dirname, '../..')
const SOURCE = path.join(ROOT, 'miniprogram')
const MAIN_PACKAGE = 2 * 1024 * 1024
let draw

before(async () => {
  draw = await templates(SOURCE)
})

/** All words of a drawn tree, in order. */
function words(node) {
  if (typeof node === 'string') return node
  return (node.children || []).map(words).join('')
}

/** Tags and classes of a drawn tree. */
function drawn(node, found = []) {
  if (typeof node === 'string') return found
  found.push(`${node.tag}.${(node.attr && node.attr.class) || ''}`)
  for (const child of node.children || []) drawn(child, found)
  return found
}

/** A copy of the project with some files other than they are. */
function changed(files) {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'miniprogram-changed-'))
  fs.cpSync(SOURCE, path.join(copy, 'miniprogram'), { recursive: true })
  fs.copyFileSync(path.join(ROOT, 'project.config.json'), path.join(copy, 'project.config.json'))
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(copy, name), text)
  return copy
}

test('miniprogram-ci packs the project, well below the limit of a main package', async (t) => {
  const bytes = await pack(ROOT)
  t.diagnostic(`package: ${Math.round(bytes / 1024)} KiB of ${MAIN_PACKAGE / 1024}`)
  assert.ok(bytes > 50 * 1024 && bytes < MAIN_PACKAGE / 2, `${bytes} bytes`)
})

test('miniprogram-ci refuses what is wrong, so that its yes means something', async () => {
  const app = JSON.parse(fs.readFileSync(path.join(SOURCE, 'app.json'), 'utf8'))
  const cases = {
    'a page that is not there': { 'miniprogram/app.json': JSON.stringify({ ...app, pages: [...app.pages, 'pages/none/none'] }) },
    'a script that does not parse': { 'miniprogram/pages/chat/chat.js': 'Page({' },
    'a component that is not there': { 'miniprogram/pages/about/about.json': '{"usingComponents":{"x":"/components/none/none"}}' },
  }
  for (const [what, files] of Object.entries(cases)) {
    const copy = changed(files)
    await assert.rejects(pack(copy), /^Error: refused: /, what)
    fs.rmSync(copy, { recursive: true, force: true })
  }
})

test('the classic compiler draws every kind of block of an answer, words and all', () => {
  const source = '# 标题\n\n一段**话**，[链接](https://a.example)\n\n- 第一点\n- [x] 做完的\n\n> 引用\n\n```js\nlet a = 1\n```\n\n| 甲 | 乙 |\n|---|--:|\n| 1 | 2 |\n\n---\n'
  const tree = draw('components/answer/answer.wxml', { b: parse(source), rest: 0, copyLabel: '复制', select: false, hasReasoning: false })
  const all = words(tree)
  for (const piece of ['标题', '一段话，', '链接', '第一点', '做完的', '引用', 'let a = 1', '甲', '2']) assert.ok(all.includes(piece), `${piece} in ${all}`)
  const kinds = drawn(tree).join('\n')
  for (const kind of ['h h1', 'li__mark', 'box box--on', 'quote', 'code__line', 'td td--r', 'wx-view.hr', 'wx-text.run a']) assert.ok(kinds.includes(kind), kind)
})

test('the classic compiler draws the chat page: question, answer, error, starters', () => {
  const user = { key: 'q', role: 'user', text: '我的问题', state: 'failed', canRetry: true, error: { message: '出错了', requestId: 'req_1' } }
  const answer = { key: 'a', role: 'assistant', state: 'done', end: 'length', canContinue: true, canRegenerate: true, label: 'AI 生成', id: 'm' }
  const data = { t: texts, lang: 'zh', session: { starters: [], models: [] }, rows: {}, older: [user], recent: [answer], following: true }
  const tree = draw('pages/chat/chat.wxml', data)
  const all = words(tree)
  for (const piece of ['我的问题', '出错了', texts.retry, texts.continue, 'AI 生成']) assert.ok(all.includes(piece), `${piece} in ${all}`)
  assert.ok(drawn(tree).some((one) => one.startsWith('wx-answer.') || one.startsWith('answer.')), 'the answer component')
  const welcome = words(draw('pages/chat/chat.wxml', { ...data, older: [], recent: [], empty: true, session: { starters: [{ title: '开头', prompt: '说点什么' }], models: [] } }))
  assert.ok(welcome.includes('开头') && welcome.includes('说点什么'), welcome)
})

test('the classic compiler refuses a broken template', async () => {
  const copy = changed({ 'miniprogram/pages/about/about.wxml': '<view><text>open</view>' })
  await assert.rejects(templates(path.join(copy, 'miniprogram')))
  fs.rmSync(copy, { recursive: true, force: true })
})

test('the classic compiler takes every style sheet', async () => {
  assert.ok((await styles(SOURCE)) > 10000)
})
