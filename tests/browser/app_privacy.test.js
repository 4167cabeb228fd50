'use strict'

// What a person agreed to, a copy of their data to take along, and their way out.

const { test, before, after } = require('node:test')
const assert = require('node:assert/strict')
const { Browsers, until, endAll } = require('./harness')
const { LocalCloud } = require('./cloud')
const { App } = require('./app')

const browsers = new Browsers()
let cloud

before(async () => {
  cloud = await LocalCloud.start({ env: { YUNLIAO_RATE_LIMIT: '10000/minute' } })
  await browsers.open()
})
after(() => endAll(browsers, cloud))

async function open(user, params = {}, language = 'zh') {
  await cloud.agree(user)
  return new App(await browsers.phone(cloud.url, { user, ...params }), language)
}

const PAGE = { route: 'pages/privacy/privacy' }
const handed = (app) => app.page.evaluate(() => window.__mp.handed.map((one) => ({ ...one })))
const kept = (app) => app.page.evaluate(() => window.__mp.keptFiles())

/** Answers so many questions over the API. */
async function talk(user, times) {
  await cloud.agree(user)
  await cloud.set('relay', { answer: '一个可以带走的回答。'.repeat(40), tokens_per_second: 100000, first_token_ms: 0, match: '带走' })
  for (let i = 0; i < times; i += 1) {
    const sent = await cloud.call(user, 'POST', '/v1/turns?wait=5', { client_id: `${user}-question-${i}`, text: `带走 ${i}` })
    assert.ok(sent.turn, JSON.stringify(sent))
    for (let now = sent; now.live; now = await cloud.call(user, 'GET', `/v1/turns/${sent.turn.id}/events?after=${now.cursor}&wait=5`));
  }
}

test('what was agreed to and when is shown; processing abroad is allowed and taken back', async () => {
  const app = await open('reader', PAGE)
  const { consent } = await cloud.call('reader', 'GET', '/v1/me')
  await app.sees(consent.version)
  const at = new Date(consent.accepted_at)
  await app.sees(`${at.getFullYear()}年${at.getMonth() + 1}月${at.getDate()}日`)
  const abroad = async () => (await cloud.call('reader', 'GET', '/v1/me')).consent.overseas
  for (const wanted of [!consent.overseas, consent.overseas]) {
    await app.top.getByRole('switch', { name: app.t.overseas }).click()
    await until(async () => (await abroad()) === wanted, `the switch to be ${wanted} at the service`)
    await until(async () => (await app.top.getByRole('switch', { name: app.t.overseas }).getAttribute('aria-checked')) === String(wanted), 'the switch to show it')
  }
  await app.phone.done()
})

for (const [format, button, end] of [['json', 'exportJson', '.json'], ['markdown', 'exportMarkdown', '.md']]) {
  test(`an export as ${format} holds every word with the AI label, and does not stay on the phone`, async () => {
    const user = `taker-${format}`
    await talk(user, 3)
    const app = await open(user, { route: 'pages/settings/settings' })
    await app.press(app.t.privacyPage)
    await app.sees(app.t.exportTitle)
    await app.press(app.t[button])
    await app.sees(app.t.exportReady)
    assert.equal((await kept(app)).length, 1)
    await app.press(app.t.sendToChat)
    const [file] = await until(async () => { const all = await handed(app); return all.length ? all : null }, 'the file to be handed over')
    assert.ok(file.name.endsWith(end), file.name)
    for (const words of ['带走 0', '带走 2', '一个可以带走的回答。', 'AI 生成', 'AIGC']) assert.ok(file.text.includes(words), `${words} in ${file.name}`)
    if (format === 'json') assert.ok(JSON.parse(file.text).AIGC)
    await app.page.evaluate(() => window.__mp.wx.navigateBack())
    await until(async () => (await kept(app)).length === 0, 'the file to leave the phone')
    await app.phone.done()
  })
}

test('an export that is cut off says so and works at the next try; one that is left takes its file along', async () => {
  await talk('unlucky', 2)
  const app = await open('unlucky', PAGE)
  await app.sees(app.t.exportTitle)
  await cloud.set('gateway', { platform_error: -501000, times: 9, match: '/v1/me/export' })
  await app.press(app.t.exportJson)
  await app.sees(app.t.exportFailed)
  await cloud.set('gateway', { reset: true })
  await app.press(app.t.retry)
  await app.sees(app.t.exportReady)
  await app.press(app.t.close)
  await app.sees(app.t.exportJson)
  assert.deepEqual(await kept(app), [])
  await app.phone.done()
})

test('delete all my data asks twice, leaves nothing, and gives a genuine receipt', async () => {
  await talk('leaver', 1)
  const app = await open('leaver', PAGE)
  await app.sees(app.t.eraseAll)
  await app.press(app.t.eraseAll)
  await app.modal()
  await app.modal(false)
  assert.equal((await cloud.call('leaver', 'GET', '/v1/conversations')).conversations.length, 1)
  await app.press(app.t.eraseAll)
  await app.modal()
  await app.modal()
  await app.sees(app.t.eraseDone)
  await app.press(app.t.copyReceipt)
  const receipt = JSON.parse(await until(() => app.page.evaluate(() => window.__mp.clipboard), 'the receipt on the clipboard'))
  assert.ok((await app.text()).includes(receipt.id))
  assert.equal((await cloud.call('leaver', 'POST', '/v1/receipts/check', { receipt })).genuine, true)
  assert.equal((await cloud.call('leaver', 'GET', '/v1/me')).consent.version, '')
  await app.press(app.t.finish)
  await app.sees(app.t.agree)
  await app.press(app.t.agree)
  await app.sees(app.t.welcome)
  assert.deepEqual((await cloud.call('leaver', 'GET', '/v1/conversations')).conversations, [])
  await app.phone.done()
})

test('one conversation is deleted for good after a question, and the others stay', async () => {
  await talk('tidy', 1)
  const kept = await cloud.call('tidy', 'GET', '/v1/conversations')
  const sent = await cloud.call('tidy', 'POST', '/v1/turns?wait=5', { client_id: 'tidy-second-question', text: '带走 别的' })
  for (let now = sent; now.live; now = await cloud.call('tidy', 'GET', `/v1/turns/${sent.turn.id}/events?after=${now.cursor}&wait=5`));
  const app = await open('tidy', { route: 'pages/conversations/conversations' })
  await app.sees('带走 别的')
  await app.page.evaluate((id) => window.__mp.page().menu({ currentTarget: { dataset: { id } } }), sent.turn.conversation_id)
  await app.choose(app.t.deleteForever)
  await app.modal()
  await app.seesNot('带走 别的')
  const left = await cloud.call('tidy', 'GET', '/v1/conversations')
  assert.deepEqual(left.conversations.map((one) => one.id), kept.conversations.map((one) => one.id))
  assert.ok((await cloud.call('tidy', 'POST', `/v1/conversations/${sent.turn.conversation_id}/restore`, {})).error, 'it came back')
  await app.phone.done()
})

test('consent that is withdrawn ends the talking, not the data', async () => {
  await talk('thinker', 1)
  const app = await open('thinker', PAGE)
  await app.sees(app.t.withdraw)
  await app.press(app.t.withdraw)
  await app.modal()
  await app.sees(app.t.agree)
  assert.equal((await cloud.call('thinker', 'POST', '/v1/turns', { client_id: 'after-the-end', text: '还能说吗' })).error.code, 'consent_required')
  await app.press(app.t.agree)
  await app.sees(app.t.welcome)
  assert.equal((await cloud.call('thinker', 'GET', '/v1/conversations')).conversations.length, 1)
  await app.phone.done()
})

test('consent withdrawn elsewhere: the next message asks for it, and is sent once it is given', async () => {
  const app = await open('elsewhere')
  await app.sees(app.t.welcome)
  await cloud.call('elsewhere', 'DELETE', '/v1/me/consent')
  await app.send('还在吗')
  await app.sees(app.t.agree)
  await app.press(app.t.agree)
  await app.seesNot(app.t.agree)
  await app.press(app.t.retry)
  const chat = await app.idle()
  assert.equal(chat.recent[chat.recent.length - 1].end, 'complete')
  await app.phone.done()
})

test('a model abroad: refused with the way to the switch, or allowed when it is chosen', async () => {
  const abroad = await LocalCloud.start({ env: { YUNLIAO_RELAY_DOMESTIC: 'off', YUNLIAO_MODELS: 'demo-chat=远方,far=更远' } })
  try {
    await abroad.call('home', 'PUT', '/v1/me/consent', { version: 'latest', overseas: false })
    const app = new App(await browsers.phone(abroad.url, { user: 'home' }))
    await app.sees(app.t.welcome)
    await app.send('你好，远方')
    await app.sees(app.t.viewPrivacy)
    await app.press(app.t.viewPrivacy)
    await app.sees(app.t.consentRecord)
    await app.page.evaluate(() => window.__mp.wx.navigateBack())
    await app.top.getByRole('button', { name: /^模型/ }).click()
    await app.choose('更远')
    await app.modal(false)
    assert.equal(await app.page.evaluate(() => window.__mp.app().yunliao.settings.state.model), '')
    await app.top.getByRole('button', { name: /^模型/ }).click()
    await app.choose('更远')
    await app.modal()
    await until(async () => (await abroad.call('home', 'GET', '/v1/me')).consent.overseas === true, 'the consent to be stored')
    await until(async () => (await app.page.evaluate(() => window.__mp.app().yunliao.settings.state.model)) === 'far', 'the model to be chosen')
    await app.phone.done()
  } finally {
    await abroad.stop()
  }
})

test('in English, and in the dark: the page speaks it, the texts too', async () => {
  const app = await open('londoner', { lang: 'en', theme: 'dark', ...PAGE }, 'en')
  await app.sees(app.t.agreedAt)
  await app.sees(app.t.exportJson)
  const text = (await app.text()).replaceAll('模拟环境 Simulation', '')
  assert.ok(!/[\u4e00-\u9fff]/.test(text), text)
  await app.press(app.t.privacy)
  await until(async () => (await app.text()).length > 200, 'the notice')
  assert.ok(((await app.text()).match(/[\u4e00-\u9fff]/g) || []).length < 40, 'the privacy notice is not in English')
  await app.phone.done()
})
