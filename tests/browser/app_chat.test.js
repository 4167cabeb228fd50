'use strict'

// The real mini-program over the real container: first use, streaming, stop, regenerate, edit.

const { test, before, after } = require('node:test')
const assert = require('node:assert/strict')
const { Browsers, until, endAll } = require('./harness')
const { LocalCloud } = require('./cloud')
const { App } = require('./app')

const browsers = new Browsers()
let cloud

before(async () => {
  cloud = await LocalCloud.start({ env: { YUNLIAO_RATE_LIMIT: '100/minute' } })
  await browsers.open()
})
after(() => endAll(browsers, cloud))

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
  await app.send('stream-1')
  await app.sees('开头的句子在这里')
  assert.equal((await app.chat()).busy, true)
  assert.ok(!(await app.text()).includes('最后一句到此为止'))
  await app.idle()
  await app.sees('最后一句到此为止')
  assert.equal(await app.answer(), text)
  await app.sees('AI 生成')
  await app.sees(/人工智能|AI/)
  await app.phone.done()
})

test('starters fill an empty conversation and go with one tap; the AI notice is always there', async () => {
  const app = await open('starter')
  const [starter] = (await cloud.call('starter', 'GET', '/v1/config')).starters
  await app.sees(starter.title)
  await app.sees(/人工智能|AI/)
  await app.press(starter.title)
  await app.when((c) => c.recent.some((m) => m.role === 'user' && m.text === starter.prompt), 'the starter’s words')
  await app.idle()
  await app.sees(/人工智能|AI/)
  await app.phone.done()
})

test('copy puts the answer with its AI label on the clipboard', async () => {
  const app = await open('copier')
  await cloud.set('relay', { answer: '要被复制的**话**。', match: 'copy-1' })
  await app.ask('copy-1')
  await app.press(app.t.copy)
  const copied = await until(() => app.page.evaluate(() => window.__mp.clipboard), 'the clipboard')
  assert.match(copied, /要被复制的/)
  assert.match(copied, /AI|人工智能/)
  await app.phone.done()
})

test('feedback and a report reach the server', async () => {
  const app = await open('critic')
  await app.ask('你好')
  await app.press(app.t.up)
  const stored = async () => {
    const { conversations } = await cloud.call('critic', 'GET', '/v1/conversations')
    const { messages } = await cloud.call('critic', 'GET', `/v1/conversations/${conversations[0].id}/messages`)
    return messages.find((m) => m.role === 'assistant').feedback
  }
  await until(async () => /up/.test(JSON.stringify(await stored())), 'the feedback to be stored')
  await app.press(app.t.down)
  await app.choose(app.t.whyList[0])
  await until(async () => /down/.test(JSON.stringify(await stored())), 'the other feedback')
  await app.phone.done()
})

test('the text is followed unless the reader scrolls up, and a button brings back', async () => {
  const app = await open('scroller')
  await cloud.set('relay', { answer: Array.from({ length: 80 }, (_, i) => `第${i + 1}段。`).join('\n\n'), tokens_per_second: 50, match: 'scroll-1' })
  await app.send('scroll-1')
  await app.sees('第30段')
  const list = app.top.locator('wx-scroll-view').first()
  const gap = () => list.evaluate((n) => n.scrollHeight - n.scrollTop - n.clientHeight)
  await until(async () => (await gap()) < 120, 'the list to follow')
  await list.hover()
  await until(async () => {
    await app.page.mouse.wheel(0, -300)
    return (await gap()) > 400
  }, 'the list to be scrolled up')
  let at = -1
  await until(async () => {
    const before = at
    at = await list.evaluate((n) => n.scrollTop)
    return at === before
  }, 'the wheel to come to rest')
  await app.sees('第40段')
  assert.ok(Math.abs((await list.evaluate((n) => n.scrollTop)) - at) < 60, 'the reader was pulled away')
  await app.press(app.t.newText)
  await until(async () => (await gap()) < 120, 'the list to follow again')
  await app.stopButton.click()
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
  await app.message('原来的问题').click({ delay: 600 })
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
