'use strict'

// Credits as a person meets them: the balance, the receipt of an answer, what a stop saved, a refusal that says what is missing, a code.

const { test, before, after } = require('node:test')
const assert = require('node:assert/strict')
const { Browsers, until, endAll } = require('./harness')
const { LocalCloud } = require('./cloud')
const { App } = require('./app')

const PRICES = {
  version: 'test-1', models: { 'demo-chat': { input: 2000000, output: 8000000, reasoning: 4000000 }, dear: { input: 2000000, output: 900000000 } },
  plans: { free: { daily: 500000 } }, limits: { user_day: 5000000 },
}
const browsers = new Browsers()
let cloud

before(async () => {
  cloud = await LocalCloud.start({ env: { YUNLIAO_RATE_LIMIT: '10000/minute', YUNLIAO_MODELS: 'demo-chat=演示模型,dear=贵的模型', YUNLIAO_PRICES: JSON.stringify(PRICES) } })
  await browsers.open()
})
after(() => endAll(browsers, cloud))

async function open(user, params = {}, language = 'zh') {
  await cloud.agree(user)
  return new App(await browsers.phone(cloud.url, { user, ...params }), language)
}

const credits = (user) => cloud.call(user, 'GET', '/v1/me/credits')

/** Answers so many questions over the API. */
async function talk(user, times) {
  await cloud.agree(user)
  await cloud.set('relay', { answer: '好。', tokens_per_second: 100000, first_token_ms: 0, match: '问' })
  for (let i = 0; i < times; i += 1) {
    const sent = await cloud.call(user, 'POST', '/v1/turns?wait=5', { client_id: `${user}-question-${i}`, text: `问 ${i}` })
    assert.ok(sent.turn, JSON.stringify(sent))
    for (let now = sent; now.live; now = await cloud.call(user, 'GET', `/v1/turns/${sent.turn.id}/events?after=${now.cursor}&wait=5`));
  }
}

test('an answer is paid for, and its receipt says with what', async () => {
  const app = await open('payer')
  await cloud.set('relay', { answer: '一共**三**句话。'.repeat(20), reasoning: '想一想。', match: 'pay-1' })
  await app.ask('pay-1')
  await until(async () => (await credits('payer')).reserved === 0, 'the answer to be settled')
  const { balance } = await credits('payer')
  assert.ok(balance > 0 && balance < 500000, `${balance}`)

  await app.press(app.t.menu)
  await app.choose(app.t.receipt)
  await app.sees(app.t.charged)
  const seen = await app.text()
  for (const words of [app.t.whats.input, app.t.whats.output, '演示模型', app.t.ends.complete]) assert.ok(seen.includes(words), `${words} in ${seen}`)
  const charged = String((500000 - balance) / 1000000)
  assert.ok(seen.includes(charged), `${charged} in ${seen}`)

  await app.press(app.t.viewCredits)
  await app.sees(app.t.allowance)
  await app.sees(String(balance / 1000000))
  await app.sees(`-${charged}`)
  await app.top.getByRole('button', { name: new RegExp(`^${app.t.entryKinds.settle}`) }).click()
  await app.sees(app.t.charged)
  await app.phone.done()
})

test('a stop saves, and the receipt says how much', async () => {
  const app = await open('halter')
  await cloud.set('relay', { answer: '慢慢地说下去。'.repeat(400), tokens_per_second: 40, match: 'halt-1' })
  await app.send('halt-1')
  await app.sees('慢慢地说下去')
  await app.stopButton.click()
  await app.idle()
  await until(async () => (await credits('halter')).reserved === 0, 'the stopped answer to be settled')
  await app.press(app.t.menu)
  await app.choose(app.t.receipt)
  await app.sees(app.t.savedByStop)
  await app.sees(app.t.ends.stopped)
  await app.phone.done()
})

test('a refusal says what is missing and leads to the credits; the message is kept', async () => {
  const app = await open('poor')
  await app.page.evaluate(() => window.__mp.app().yunliao.settings.set('model', 'dear'))
  await app.send('买不起的问题')
  await app.sees('额度不够')
  await app.sees(/需要约 [\d.]+，可用 0\.5，\d+年\d+月\d+日 \d\d:00 更新/)
  await app.sees('买不起的问题')
  await app.press(app.t.viewCredits)
  await app.sees(app.t.balance)
  await app.phone.done()
})

test('a code adds credits once; a wrong one says so', async () => {
  const code = (await cloud.operate('ledger', 'codes', 'make', '--amount', '2.5c')).trim()
  assert.match(code, /^[A-Z0-9-]{20,}$/)
  const app = await open('lucky', { route: 'pages/credits/credits' })
  await app.sees(app.t.balance)
  const field = app.top.locator('wx-input input')
  await field.fill('AAAAA-BBBBB-CCCCC-DDDDD')
  await app.press(app.t.redeem)
  await app.sees('兑换码无效')
  await field.fill(code.toLowerCase())
  await app.press(app.t.redeem)
  await app.sees('已到账 2.5')
  await app.sees('3')
  await app.sees(app.t.entryKinds.redeem)
  assert.equal((await credits('lucky')).balance, 3000000)
  await app.phone.done()
})

test('entries come page by page, newest first, none twice', async () => {
  await talk('regular', 34)
  const app = await open('regular', { route: 'pages/credits/credits' })
  await app.sees(app.t.loadOlder)
  const numbers = () => app.page.evaluate(() => window.__mp.app().yunliao.credits.state.entries.map((one) => one.number))
  assert.equal((await numbers()).length, 30)
  await app.press(app.t.loadOlder)
  await until(async () => (await numbers()).length > 34, 'the older entries')
  const all = await numbers()
  assert.deepEqual(all, [...new Set(all)].sort((a, b) => b - a))
  await app.phone.done()
})

test('in English, and in the dark: no Chinese of ours, nothing wider than the screen', async () => {
  await talk('londoner', 1)
  const app = await open('londoner', { lang: 'en', theme: 'dark', route: 'pages/credits/credits' }, 'en')
  await app.sees(app.t.entries)
  await app.sees(app.t.entryKinds.settle)
  const text = (await app.text()).replaceAll('演示模型', '').replaceAll('贵的模型', '')
  assert.ok(!/[\u4e00-\u9fff]/.test(text.replace('模拟环境 Simulation', '')), text)
  const wide = await app.top.evaluate((layer) => [...layer.querySelectorAll('.mp-page *')].filter((n) => n.checkVisibility() && n.getBoundingClientRect().right > layer.getBoundingClientRect().right + 1).map((n) => n.className))
  assert.deepEqual(wide, [])
  await app.phone.done()
})

test('an answer that cannot be reached: the receipt says so and can be asked for again', async () => {
  const app = await open('unlucky', { route: 'pages/receipt/receipt?turn=turn_none' })
  await app.sees(app.t.retry)
  await app.phone.done()
})
