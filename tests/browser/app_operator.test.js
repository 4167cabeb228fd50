'use strict'

// Operators inside the mini-program: in by a one-time code, at work with the same rules, and nothing of it for anybody else.

const { test, before, after } = require('node:test')
const assert = require('node:assert/strict')
const { Browsers, until, endAll } = require('./harness')
const { LocalCloud } = require('./cloud')
const { App } = require('./app')
const { password } = require('./console')

const browsers = new Browsers()
let cloud

before(async () => {
  cloud = await LocalCloud.start({ env: { YUNLIAO_RATE_LIMIT: '10000/minute', YUNLIAO_OPERATORS_IN_MINIPROGRAM: 'on' } })
  await browsers.open()
})
after(() => endAll(browsers, cloud))

/** One call of the operators' API as a machine in the VPC makes it. */
async function op(method, path, body, token) {
  const headers = { 'content-type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) }
  return (await fetch(`${cloud.url}/op/v1${path}`, { method, headers, body: body && JSON.stringify(body) })).json()
}

/** A one-time code of the operator `name`. */
async function codeOf(name, role) {
  const { token } = await op('POST', '/login', { name, password: await password(cloud, name, role) })
  return (await op('POST', '/bindings', {}, token)).code
}

async function open(user, params = {}, language = 'zh') {
  await cloud.agree(user)
  return new App(await browsers.phone(cloud.url, { user, ...params }), language)
}

async function go(app, page) {
  await app.page.evaluate((where) => window.__mp.wx.navigateTo({ url: `/pages/${where}/${where}` }), page)
  await until(() => app.page.evaluate((where) => window.__mp.page().route === `pages/${where}/${where}`, page), `the page ${page}`)
}

/** The dialog with a field: types and confirms. */
async function say(app, text) {
  await app.page.locator('.mp-modal textarea').fill(text)
  await app.modal()
}

async function bound(user, name, role) {
  const app = await open(user)
  await go(app, 'about')
  for (let i = 0; i < 5; i += 1) await app.top.getByText(`${app.t.agreement} ${app.t.version}`).click()
  await app.sees(app.t.operatorCodeWhy)
  await app.top.locator('wx-input input').fill(await codeOf(name, role))
  await app.press(app.t.operatorBind)
  await app.sees(app.t.today.turns)
  return app
}

test('nobody sees an entry before the code, nobody gets in without one, and the code is good once', async () => {
  const app = await open('curious')
  await go(app, 'settings')
  assert.ok(!(await app.text()).includes(app.t.operator))
  await go(app, 'operator')
  await app.top.locator('wx-input input').fill('WRONGCODE234')
  await app.press(app.t.operatorBind)
  await app.sees('运营账号未登录')
  const code = await codeOf('mallory', 'viewer')
  await app.top.locator('wx-input input').fill(code)
  await app.press(app.t.operatorBind)
  await app.sees(app.t.today.turns)
  await go(app, 'settings')
  await app.sees(app.t.operator)

  const other = await open('copycat')
  await go(other, 'operator')
  await other.top.locator('wx-input input').fill(code)
  await other.press(other.t.operatorBind)
  await other.sees('运营账号未登录')
  await other.phone.done()
  await app.phone.done()
})

test('the overview counts turns, and a viewer may only look', async () => {
  const app = await bound('watcher', 'vera', 'viewer')
  await app.press(app.t.operatorTabs.relays)
  await app.sees('relay')
  await app.sees(app.t.breakers.closed)
  assert.ok(!(await app.text()).includes(app.t.relayTest))
  await app.phone.done()
})

test('an operator suspends a user with a reason and lifts it again', async () => {
  await cloud.agree('noisy')
  const number = (await cloud.call('noisy', 'GET', '/v1/me')).user.id
  const app = await bound('boss', 'oscar', 'operator')
  await app.press(app.t.operatorTabs.users)
  await app.top.locator('wx-input input').fill(number)
  await app.press(app.t.findUser)
  await app.sees(app.t.inOrder)
  await app.press(app.t.suspendUser)
  await say(app, '多次发送广告')
  await app.sees('多次发送广告 (oscar)')
  await until(async () => (await cloud.call('noisy', 'GET', '/v1/conversations')).error?.code === 'suspended', 'the user to be refused')
  await app.press(app.t.liftUser)
  await say(app, '已经改正')
  await app.sees(app.t.inOrder)
  await until(async () => (await cloud.call('noisy', 'GET', '/v1/conversations')).conversations, 'the user to be let in')
  await app.phone.done()
})

test('a complaint is read with a reason, as words, and decided', async () => {
  await cloud.agree('plaintiff')
  await cloud.call('plaintiff', 'POST', '/v1/complaints', { text: '回答不实 <b>请看</b>' })
  const app = await bound('judge', 'olga', 'operator')
  await app.press(app.t.operatorTabs.cases)
  await app.sees(app.t.caseKinds.complaint)
  await app.top.getByRole('button', { name: /投诉/ }).first().click()
  await app.press(app.t.readWords)
  await say(app, '核实投诉')
  await app.sees('回答不实 <b>请看</b>')
  await app.press(app.t.decide)
  await app.choose(app.t.decisions.noted)
  await say(app, '已经回复')
  await app.sees(app.t.noCases)
  await app.press(app.t.caseStates.decided)
  await app.sees(app.t.decisions.noted)
  await app.phone.done()
})

test('an upstream is tried, switched off and on; leaving ends the session and takes the entry away', async () => {
  const app = await bound('plumber', 'otto', 'operator')
  await app.press(app.t.operatorTabs.relays)
  await app.sees(app.t.breakers.closed)
  await app.press(`${app.t.relayTest} relay`)
  await app.sees(/测试\s+[\d.]+ (ms|s)/)
  await app.press(`${app.t.relayOff} relay`)
  await say(app, '回答不对')
  await app.sees(app.t.strandedModels)
  await app.sees('回答不对')
  await app.press(`${app.t.relayOn} relay`)
  await app.sees(app.t.breakers.closed)
  await app.press(app.t.operatorLeave)
  await app.sees(app.t.operatorCodeWhy)
  await go(app, 'settings')
  assert.ok(!(await app.text()).includes(app.t.operator))
  await app.phone.done()
})

test('a session that was ended elsewhere leads back to the code', async () => {
  const app = await bound('former', 'oleg', 'operator')
  await cloud.operate('operators', 'logout', 'oleg')
  await app.press(app.t.operatorTabs.relays)
  await app.sees(app.t.operatorCodeWhy)
  await app.sees('登录已过期')
  await app.phone.done()
})

test('where the service is not open to operators in the mini-program, the page says so', async () => {
  const closed = await LocalCloud.start({})
  try {
    await closed.agree('knocker')
    const app = new App(await browsers.phone(closed.url, { user: 'knocker' }))
    await go(app, 'operator')
    await app.top.locator('wx-input input').fill('ABCDEFGH2345')
    await app.press(app.t.operatorBind)
    await app.sees('YUNLIAO_OPERATORS_IN_MINIPROGRAM')
    await app.phone.done()
  } finally {
    await closed.stop()
  }
})
