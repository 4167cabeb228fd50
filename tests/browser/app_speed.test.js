'use strict'

// What an answer, and a long conversation, cost the phone: bytes handed to the view and nodes drawn (asserted), script time (reported).

const { test, before, after } = require('node:test')
const assert = require('node:assert/strict')
const { Browsers, until, endAll } = require('./harness')
const { LocalCloud } = require('./cloud')
const { App } = require('./app')

const browsers = new Browsers()
let cloud

before(async () => {
  cloud = await LocalCloud.start({ env: { YUNLIAO_RATE_LIMIT: '10000/minute', YUNLIAO_ANSWER_TOKENS: '40000', YUNLIAO_CONTEXT_TOKENS: '100000' } })
  await browsers.open()
})
after(() => endAll(browsers, cloud))

const PART = '## 小节\n\n这是**一段**说明文字，带有`代码`和[链接](https://example.com)，写得不短也不长。\n\n- 第一点要说的话\n- 第二点要说的话\n\n```python\ndef add(a, b):\n    return a + b  # sum\n```\n\n| 列甲 | 列乙 |\n|---|---|\n| 1 | 2 |\n\n'
const markdown = (characters) => PART.repeat(Math.ceil(characters / PART.length)).slice(0, characters)

/** Streams an answer of so many characters; bytes of setData, script seconds, frames of text. */
async function measure(characters) {
  const user = `reader${characters}`
  const text = markdown(characters)
  await cloud.agree(user)
  await cloud.set('relay', { answer: text, tokens_per_second: 1500, first_token_ms: 50, match: `long-${characters}` })
  const app = new App(await browsers.phone(cloud.url, { user }))
  const session = await app.page.context().newCDPSession(app.page)
  await session.send('Performance.enable')
  const metric = async (name) => (await session.send('Performance.getMetrics')).metrics.find((m) => m.name === name).value
  await app.when((c) => c.online, 'a chat')
  await app.page.evaluate(() => window.__mp.stats.reset())
  const before = await metric('ScriptDuration')
  await app.send(`long-${characters}`)
  await app.when((c) => c.recent.some((m) => m.role === 'assistant' && m.end), 'the end', 180000)
  const script = (await metric('ScriptDuration')) - before
  const stats = await app.page.evaluate(() => JSON.parse(JSON.stringify(window.__mp.stats)))
  assert.equal((await app.answer()).trimEnd(), text.trimEnd())
  await app.phone.done()
  const answer = stats.byComponent['components/answer/answer']
  return { characters, bytes: answer.bytes, whole: stats.bytes, calls: answer.calls, largest: stats.largest, size: Buffer.byteLength(text), script }
}

test('setData grows with the new text, not with the answer: at most 3 bytes for one of the answer', async (t) => {
  for (const characters of [1000, 5000, 20000]) {
    const m = await measure(characters)
    t.diagnostic(`${m.characters} characters: ${m.size} bytes, setData ${m.bytes} to the answer in ${m.calls} calls, ${m.whole} in all, largest ${m.largest}; ` +
      `script ${m.script.toFixed(2)} s = ${((1e6 * m.script) / m.characters).toFixed(0)} µs a character`)
    assert.ok(m.bytes / m.size <= 3, `${m.bytes} bytes of setData for an answer of ${m.size}`)
  }
})

const TURNS = 250

/** A conversation of so many turns, made over the API; its id. */
async function history(user, turns) {
  await cloud.agree(user)
  await cloud.set('relay', { answer: '## 第几次\n\n一段**不长**的回答，带有`代码`：\n\n- 第一点\n- 第二点\n\n```js\nlet a = 1\n```\n', tokens_per_second: 100000, first_token_ms: 0, match: '老问题' })
  let id = ''
  for (let i = 0; i < turns; i += 1) {
    const body = { client_id: `${user}-old-${String(i).padStart(4, '0')}`, text: `老问题 ${i}`, ...(id ? { conversation_id: id } : {}) }
    const sent = await cloud.call(user, 'POST', '/v1/turns?wait=5', body)
    assert.ok(sent.turn, JSON.stringify(sent))
    id = sent.turn.conversation_id
    for (let now = sent; now.live; now = await cloud.call(user, 'GET', `/v1/turns/${sent.turn.id}/events?after=${now.cursor}&wait=5`));
  }
  return id
}

test('five hundred messages: loaded upwards page by page, most of them at rest, and a new one costs what it costs in an empty chat', async (t) => {
  const id = await history('veteran', TURNS)
  const app = new App(await browsers.phone(cloud.url, { user: 'veteran' }))
  await app.when((c) => c.online, 'a chat')
  await app.page.evaluate((chosen) => window.__mp.page().show(chosen), id)
  await app.when((c) => c.loaded, 'the newest page')
  const list = app.top.locator('wx-scroll-view#list, [data-mp-id="list"]').first()
  const session = await app.page.context().newCDPSession(app.page)
  await session.send('Performance.enable')
  const script = async () => (await session.send('Performance.getMetrics')).metrics.find((m) => m.name === 'ScriptDuration').value
  const count = async () => {
    const chat = await app.chat()
    return chat.older.length + chat.recent.length
  }
  const costs = []
  let before = await count()
  while ((await app.chat()).hasOlder) {
    const started = await script()
    await list.evaluate((node) => { node.scrollTop = 0 })
    await until(async () => (await count()) > before, 'an older page')
    await app.phone.settle()
    costs.push({ more: (await count()) - before, ms: 1000 * ((await script()) - started) })
    before = await count()
  }
  assert.equal(before, 2 * TURNS)
  const drawn = await app.page.evaluate(() => ({ runs: document.querySelectorAll('.mp-layer:not([hidden]) .run, .mp-layer:not([hidden]) [class*="--run"]').length, nodes: document.querySelectorAll('.mp-layer:not([hidden]) *').length }))
  const chat = await app.chat()
  assert.equal(new Set([...chat.older, ...chat.recent].map((m) => m.key)).size, 2 * TURNS)
  // Every answer at the end and in the middle still has its words when somebody comes there.
  await app.press(app.t.toEnd)
  await app.sees(`老问题 ${TURNS - 1}`)
  await app.page.evaluate(() => window.__mp.stats.reset())
  await cloud.set('relay', { answer: '新的回答。', match: '新问题' })
  await app.ask('新问题')
  const bytes = await app.page.evaluate(() => window.__mp.stats.bytes)
  t.diagnostic(`pages: ${costs.map((c) => `${c.more} in ${c.ms.toFixed(0)} ms`).join(', ')}; ${drawn.runs} runs, ${drawn.nodes} nodes drawn; a new turn: ${bytes} bytes of setData`)
  assert.ok(drawn.runs > 0 && drawn.runs < 8 * 120, `${drawn.runs} runs are drawn: answers far away do not rest`)
  assert.ok(bytes < 12000, `${bytes} bytes of setData for one short turn`)
  await app.phone.done()
})
