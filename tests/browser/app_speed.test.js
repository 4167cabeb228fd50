'use strict'

// What an answer costs the phone as it grows: bytes handed to the view (asserted), script time (reported).

const { test, before, after } = require('node:test')
const assert = require('node:assert/strict')
const { Browsers } = require('./harness')
const { LocalCloud } = require('./cloud')
const { App } = require('./app')

const browsers = new Browsers()
let cloud

before(async () => {
  cloud = await LocalCloud.start({ env: { YUNLIAO_RATE_LIMIT: '100/minute', YUNLIAO_ANSWER_TOKENS: '40000', YUNLIAO_CONTEXT_TOKENS: '100000' } })
  await browsers.open()
})
after(async () => {
  await browsers.close()
  await cloud.stop()
})

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
