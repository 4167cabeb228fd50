'use strict'

// What must never happen on the screen: blocked words that stay, another person's data, an answer that acts.

const { test, before, after } = require('node:test')
const assert = require('node:assert/strict')
const { Browsers, until, endAll } = require('./harness')
const { LocalCloud } = require('./cloud')
const { App } = require('./app')

const browsers = new Browsers()
let cloud

before(async () => {
  cloud = await LocalCloud.start({ env: { YUNLIAO_RATE_LIMIT: '30/minute', YUNLIAO_COOLDOWN: 'off' } })
  await browsers.open()
})
after(() => endAll(browsers, cloud))

async function open(user, params = {}) {
  await cloud.agree(user)
  return new App(await browsers.phone(cloud.url, { user, ...params }))
}

test('a question that is not allowed is refused in words and never reaches the model', async () => {
  const app = await open('rude')
  const before = (await cloud.order('relay/requests')).total
  await app.send('请说违禁演示词')
  const chat = await app.when((c) => !c.busy && c.recent.some((m) => m.end === 'blocked' || m.state === 'blocked'), 'the refusal')
  const error = chat.recent.map((m) => m.error).find((e) => e && e.message)
  assert.equal(error.code, 'blocked_input')
  await app.sees(error.message)
  assert.equal((await cloud.order('relay/requests')).total, before)
  await app.phone.done()
})

test('an answer that turns bad is taken back from the screen', async () => {
  const app = await open('reader')
  const good = '这一段完全没有问题，可以放心地读。'.repeat(60)
  await cloud.set('relay', { answer: `${good}然后是违禁演示词。`, tokens_per_second: 250, match: 'retract-1' })
  await app.send('retract-1')
  await app.sees('这一段完全没有问题')
  const chat = await app.when((c) => !c.busy && c.recent.some((m) => m.end === 'blocked'), 'the block', 60000)
  const error = chat.recent.map((m) => m.error).find((e) => e && e.message)
  await app.sees(error.message)
  assert.ok(!(await app.text()).includes('违禁演示词'))
  const { conversations } = await cloud.call('reader', 'GET', '/v1/conversations')
  const { messages } = await cloud.call('reader', 'GET', `/v1/conversations/${conversations[0].id}/messages`)
  const kept = messages.find((m) => m.role === 'assistant').text
  assert.equal(await app.answer(), kept)
  if (!kept.includes('这一段完全没有问题')) await app.seesNot('这一段完全没有问题')
  await app.phone.done()
})

test('too many messages: a countdown instead of an answer, and the words are kept', async () => {
  await cloud.agree('eager')
  let refused = null
  for (let i = 0; i < 40 && !refused; i += 1) {
    const answer = await cloud.call('eager', 'POST', '/v1/turns?wait=5', { client_id: `eager-00${i}x`, text: `违禁演示词 ${i}` })
    if (answer.error && answer.error.code === 'rate_limited') refused = answer.error
  }
  assert.ok(refused, 'the limit was never reached')
  const app = await open('eager')
  await app.send('又一条消息')
  await app.when((c) => c.limit && c.limit.seconds > 0, 'the countdown')
  await app.sees(/\d+ ?(秒|s)/)
  await app.sees('又一条消息')
  await app.phone.done()
})

test('two people on one phone never see each other’s words', async () => {
  const app = await open('alice')
  await cloud.agree('bob')
  await app.ask('爱丽丝的秘密是蓝莓')
  await app.sees('爱丽丝的秘密是蓝莓')
  await app.page.goto(app.page.url().replace('user=alice', 'user=bob'))
  await app.phone.ready()
  await app.when((c) => c.online, 'bob’s chat')
  await app.phone.settle()
  assert.ok(!(await app.text()).includes('蓝莓'))
  assert.deepEqual((await cloud.call('bob', 'GET', '/v1/conversations')).conversations, [])
  const { conversations } = await cloud.call('alice', 'GET', '/v1/conversations')
  const stolen = await cloud.call('bob', 'GET', `/v1/conversations/${conversations[0].id}/messages`)
  assert.equal(stolen.error.code, 'not_found')
  const kept = await app.page.evaluate(() => JSON.stringify({ ...localStorage }))
  assert.ok(!kept.includes('蓝莓'), 'words were left in the phone’s storage')
  await app.phone.done()
})

const HOSTILE = [
  '<script>window.__hacked = 1</script><img src=x onerror="window.__hacked = 2">',
  '<iframe src="https://evil.example/frame"></iframe><svg onload="window.__hacked = 3"></svg>',
  '![beacon](https://evil.example/beacon.png?who=me) ![data](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+)',
  '[click](javascript:window.__hacked=4) [data](data:text/html,x) [page](https://evil.example/page)',
  '<view class="system">系统消息：请转账</view>', '</view></scroll-view><view>跑出来了', '{{constructor.constructor("window.__hacked=5")()}}',
  '| a | b |\n|---|---|\n| <b onclick="window.__hacked=6">x</b> | ![t](https://evil.example/t.gif) |',
  '```html\n<script>window.__hacked = 7</script>\n```',
].join('\n\n')

test('hostile Markdown: no request leaves, nothing runs, nothing is opened, the page stays one conversation', async () => {
  const app = await open('target')
  await cloud.set('relay', { answer: HOSTILE, tokens_per_second: 0, match: 'hostile-1' })
  await app.ask('hostile-1')
  await app.sees('window.__hacked = 1') // as words
  await app.phone.settle()
  const found = await app.page.evaluate(() => ({
    hacked: window.__hacked,
    nodes: document.querySelectorAll('#mp-screen script, #mp-screen iframe, #mp-screen [onerror], #mp-screen [onclick], #mp-screen [onload], #mp-screen a[href]').length,
    images: [...document.querySelectorAll('#mp-screen img[src]')].map((n) => n.src).filter((src) => /evil|svg\+xml;base64,PHN2/.test(src)),
    pages: document.querySelectorAll('.mp-layer').length,
  }))
  assert.deepEqual([found.hacked, found.nodes, found.images], [undefined, 0, []])
  assert.deepEqual(app.phone.outside, [])
  const chat = await app.chat()
  assert.deepEqual(chat.recent.map((m) => m.role), ['user', 'assistant'])
  await app.top.getByText('click', { exact: true }).last().click()
  await app.phone.settle()
  assert.equal(await app.page.evaluate(() => window.__hacked), undefined)
  assert.deepEqual(app.phone.outside, [])
  assert.equal(app.phone.context.pages().length, 1)
  await app.phone.done()
})

test('an enormous line and deep nesting: the screen still answers', async () => {
  const app = await open('flooded')
  const deep = `${'> '.repeat(400)}深处\n\n${Array.from({ length: 200 }, (_, i) => `${'  '.repeat(i)}- ${i}`).join('\n')}\n\n${'['.repeat(2000)}\n\n${'*a_'.repeat(2000)}`
  await cloud.set('relay', { answer: `${'长'.repeat(9000)}\n\n${deep}\n\n结束。`, tokens_per_second: 0, chunk_characters: 400, match: 'flood-1' })
  await app.send('flood-1')
  await app.when((c) => !c.busy && c.recent.some((m) => m.role === 'assistant' && m.end), 'the end', 90000)
  await app.type('还能写字')
  assert.equal(await app.field.inputValue(), '还能写字')
  const wide = await app.top.evaluate((node) => node.querySelector('.mp-scroller').scrollWidth - node.clientWidth)
  assert.ok(wide <= 1, `the page is ${wide} px too wide`)
  await until(async () => (await app.chat()).draft === '还能写字', 'the draft')
  await app.phone.done()
})
