'use strict'

// The real mini-program over the real container: first use, streaming, stop, regenerate, edit.

const { test, before, after } = require('node:test')
const assert = require('node:assert/strict')
const { Browsers, until } = require('./harness')
const { LocalCloud } = require('./cloud')
const { App } = require('./app')

const browsers = new Browsers()
let cloud

before(async () => {
  cloud = await LocalCloud.start({ env: { YUNLIAO_RATE_LIMIT: '100/minute' } })
  await browsers.open()
})
after(async () => {
  await browsers.close()
  await cloud.stop()
})

async function open(user, params = {}) {
  await cloud.agree(user)
  return new App(await browsers.phone(cloud.url, { user, ...params }))
}

test('first use: nothing can be sent before consent, and everything after', async () => {
  const app = new App(await browsers.phone(cloud.url, { user: 'newcomer' }))
  await app.sees(/同意/)
  assert.equal((await cloud.call('newcomer', 'GET', '/v1/me')).consent.version, '')
  await app.press(/^同意/)
  await until(async () => (await cloud.call('newcomer', 'GET', '/v1/me')).consent.version !== '', 'the consent to be stored')
  const answer = await app.ask('你好')
  assert.match(answer, /演示模型/)
  await app.sees('演示模型')
  await app.phone.done()
})

test('an answer streams: its beginning is on the screen before its end exists, and in the end all of it', async () => {
  const app = await open('stream')
  const text = `开头的句子在这里。${'中间有很多很多的话，慢慢地说。'.repeat(40)}最后一句到此为止。`
  await cloud.set('relay', { answer: text, tokens_per_second: 150, match: 'stream-1' })
  await app.page.evaluate(() => window.__mp.stats.reset())
  await app.send('stream-1')
  await app.sees('开头的句子在这里')
  assert.equal((await app.chat()).busy, true)
  assert.ok(!(await app.text()).includes('最后一句到此为止'))
  await app.idle()
  await app.sees('最后一句到此为止')
  assert.equal(await app.answer(), text)
  await app.sees('AI 生成')
  await app.sees(/人工智能|AI/)
  const bytes = await app.page.evaluate(() => window.__mp.stats.bytes)
  assert.ok(bytes / Buffer.byteLength(text) <= 6, `setData carried ${bytes} bytes for an answer of ${Buffer.byteLength(text)}`)
  await app.phone.done()
})

test('stop ends the answer and the relay’s work, and the next question can be asked', async () => {
  const app = await open('stopper')
  await cloud.set('relay', { answer: '一句接着一句地说下去。'.repeat(400), tokens_per_second: 60, match: 'stop-1' })
  await app.send('stop-1')
  await app.sees('一句接着一句')
  await app.stopButton.click()
  const chat = await app.when((c) => !c.busy, 'the answer to stop')
  assert.equal(chat.recent.filter((m) => m.role === 'assistant').pop().end, 'stopped')
  await until(async () => {
    const { requests } = await cloud.order('relay/requests')
    return requests[requests.length - 1].ended !== 'complete'
  }, 'the relay to be left')
  assert.match(await app.ask('你好'), /演示模型/)
  await app.phone.done()
})

test('regenerate gives another answer in the place of the first', async () => {
  const app = await open('again')
  await cloud.set('relay', { answer: '第一次的回答。', match: 'again-1' })
  assert.equal(await app.ask('again-1'), '第一次的回答。')
  await cloud.set('relay', { reset: true })
  await cloud.set('relay', { answer: '第二次的回答。', match: 'again-1' })
  await app.press(/重新生成|重新回答|Regenerate/)
  await app.sees('第二次的回答。')
  await app.seesNot('第一次的回答。')
  await app.idle()
  await app.phone.done()
})

test('edit and resend replaces the question and what followed', async () => {
  const app = await open('editor')
  await app.ask('原来的问题')
  await app.sees('原来的问题')
  await app.top.getByText('原来的问题').first().click({ delay: 600 }) // the question: the answer may repeat it
  await app.menu(/编辑|Edit/)
  await until(async () => (await app.field.inputValue()) === '原来的问题', 'the question in the field')
  await app.send('改过的问题')
  await app.sees('改过的问题')
  await app.idle()
  await app.seesNot('原来的问题')
  const { conversations } = await cloud.call('editor', 'GET', '/v1/conversations')
  const { messages } = await cloud.call('editor', 'GET', `/v1/conversations/${conversations[0].id}/messages`)
  assert.deepEqual(messages.filter((m) => m.role === 'user').map((m) => m.text), ['改过的问题'])
  await app.phone.done()
})
