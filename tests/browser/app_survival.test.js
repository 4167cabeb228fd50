'use strict'

// The mini-program where phones live: in pockets, in lifts, behind services that restart and sleep.

const { test, before, after } = require('node:test')
const assert = require('node:assert/strict')
const { Browsers, until, endAll } = require('./harness')
const { LocalCloud } = require('./cloud')
const { App } = require('./app')

const browsers = new Browsers()
let cloud

before(async () => {
  cloud = await LocalCloud.start({ instances: 2, env: { YUNLIAO_RATE_LIMIT: '100/minute' } })
  await browsers.open()
})
after(() => endAll(browsers, cloud))

async function open(user, params = {}) {
  await cloud.agree(user)
  return new App(await browsers.phone(cloud.url, { user, ...params }))
}

const SENTENCES = Array.from({ length: 60 }, (_, i) => `这是第${i + 1}句话，说得不快。`).join('')

test('hidden in mid-answer for longer than the platform keeps traffic, and whole on return', async () => {
  const app = await open('pocket')
  await cloud.set('relay', { answer: SENTENCES, tokens_per_second: 60, match: 'pocket-1' })
  await app.send('pocket-1')
  await app.sees('第1句话')
  await app.phone.control('hide')
  await until(async () => !(await cloud.state()).sockets.pocket, 'the platform to cut the socket')
  await app.page.waitForTimeout(3000) // the answer goes on without a listener
  await app.phone.control('show')
  await app.idle()
  assert.equal(await app.answer(), SENTENCES)
  await app.sees('第60句话')
  await app.phone.done()
})

test('both instances die in mid-answer, one after the other; the answer is the one that nobody interrupted gets', async () => {
  await cloud.set('relay', { reset: true })
  const calm = await open('lucky')
  const whole = await calm.ask('写一篇长文')
  await calm.phone.done()

  const app = await open('unlucky')
  await app.send('写一篇长文')
  await until(async () => (await app.answer()).length > 5, 'the first words')
  for (const n of [1, 2]) {
    await cloud.order(`instances/${n}/kill`, {})
    await cloud.order(`instances/${n}/start`, {})
  }
  const chat = await app.when((c) => !c.busy, 'the answer to end', 120000)
  assert.equal(chat.recent.filter((m) => m.role === 'assistant').pop().end, 'complete')
  const answer = await app.answer()
  assert.equal(answer, whole)
  await app.sees(answer.trim().slice(-12))
  const { conversations } = await cloud.call('unlucky', 'GET', '/v1/conversations')
  const { messages } = await cloud.call('unlucky', 'GET', `/v1/conversations/${conversations[0].id}/messages`)
  assert.deepEqual(messages.map((m) => m.text), ['写一篇长文', whole])
  await app.phone.done()
})

test('a message typed without network waits, is marked, and is sent once when the network is back', async () => {
  const app = await open('tunnel')
  await app.when((c) => c.online, 'a chat')
  await app.phone.control('offline')
  await app.send('隧道里写的话')
  await app.when((c) => c.recent.some((m) => m.state === 'waiting'), 'the message to wait')
  await app.sees('隧道里写的话')
  assert.deepEqual((await cloud.call('tunnel', 'GET', '/v1/conversations')).conversations, [])
  await app.phone.control('online')
  await app.when((c) => c.recent.some((m) => m.role === 'assistant' && m.end === 'complete'), 'the answer')
  const { conversations } = await cloud.call('tunnel', 'GET', '/v1/conversations')
  assert.equal(conversations.length, 1)
  const { messages } = await cloud.call('tunnel', 'GET', `/v1/conversations/${conversations[0].id}/messages`)
  assert.deepEqual(messages.map((m) => m.role), ['user', 'assistant'])
  await app.phone.done()
})

test('a network cut in mid-answer: what was shown stays, the rest follows', async () => {
  const app = await open('lift')
  await cloud.set('relay', { answer: SENTENCES, tokens_per_second: 60, match: 'lift-1' })
  await app.send('lift-1')
  await app.sees('第1句话')
  await app.phone.control('offline')
  await app.page.waitForTimeout(1500)
  await app.sees('第1句话')
  await app.phone.control('online')
  await app.idle()
  assert.equal(await app.answer(), SENTENCES)
  await app.phone.done()
})

test('a lost answer of the platform is not a lost or a doubled message', async () => {
  const app = await open('doubled')
  await app.when((c) => c.online, 'a chat')
  await cloud.set('gateway', { lose_answer: true, times: 1, match: '/v1/turns' })
  await app.send('只说一次')
  await app.when((c) => c.recent.some((m) => m.role === 'assistant' && m.end === 'complete'), 'the answer', 60000)
  const { conversations } = await cloud.call('doubled', 'GET', '/v1/conversations')
  const { messages } = await cloud.call('doubled', 'GET', `/v1/conversations/${conversations[0].id}/messages`)
  assert.deepEqual(messages.map((m) => m.role), ['user', 'assistant'])
  await app.phone.done()
})

test('a sleeping service is woken with words, not with an error', async () => {
  await cloud.agree('early')
  await cloud.set('gateway', { cold_start_seconds: 4 })
  await cloud.order('scale-to-zero', {})
  const app = new App(await browsers.phone(cloud.url, { user: 'early' }))
  await app.sees(/唤醒/)
  await app.when((c) => !c.waking, 'the service to wake', 60000)
  await app.seesNot('唤醒')
  assert.match(await app.ask('你好'), /演示模型/)
  await cloud.set('gateway', { reset: true })
  await app.phone.done()
})

test('without sockets the same answer comes by polling', async () => {
  const app = await open('poller')
  await cloud.set('gateway', { socket_limit: 0 })
  await cloud.set('relay', { answer: SENTENCES, tokens_per_second: 120, match: 'poll-1' })
  assert.equal(await app.ask('poll-1'), SENTENCES)
  await cloud.set('gateway', { reset: true })
  await app.phone.done()
})
