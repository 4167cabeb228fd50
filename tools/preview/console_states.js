'use strict'

/*
 * The operators' console for `screenshots.js`: every tab on a desk and the main ones on a phone, with something in them to see.
 */

const { randomBytes } = require('node:crypto')

const run = randomBytes(3).toString('hex')
const PHONE = { width: 360, height: 740 }
const DESK = { width: 1180, height: 900 }
const QUESTIONS = ['周末去哪儿走走？', '写一封请假邮件', '番茄炒蛋怎么做才嫩', '解释一下什么是递归', '推荐一本书']
const WORDS = ['赌博网站', '代开发票', '刷单兼职']

let filled = null

/** One call as the mini-program of a local user makes it. */
async function call(url, user, method, target, body) {
  const headers = { 'X-WX-SERVICE': 'yunliao', 'X-Local-User': user, 'content-type': 'application/json' }
  return (await fetch(url + target, { method, headers, body: body && JSON.stringify(body) })).json()
}

/** People who talked, complained and were blocked; once for all pictures. Gives the number of one of them. */
async function people(url) {
  for (let i = 0; i < 12; i += 1) {
    const user = `${run}-person-${i % 3}`
    await call(url, user, 'PUT', '/v1/me/consent', { version: 'latest', overseas: true })
    const text = i % 6 === 5 ? '说说违禁演示词' : QUESTIONS[i % QUESTIONS.length]
    const sent = await call(url, user, 'POST', '/v1/turns?wait=8', { client_id: `${run}-console-${i}`, text })
    for (let now = sent; now.live;) now = await call(url, user, 'GET', `/v1/turns/${sent.turn.id}/events?after=${now.cursor}&wait=8`)
  }
  await call(url, `${run}-person-0`, 'POST', '/v1/complaints', { text: '回答里的地址不对，请核实。' })
  return (await call(url, `${run}-person-0`, 'GET', '/v1/me')).user.id
}

/** Shows a tab, all of it there. */
async function go(page, tab) {
  await page.evaluate((hash) => { window.location.hash = hash }, `#/${tab}`)
  await page.locator(`[data-tab="${tab.split('/')[0]}"][aria-current=page]`).waitFor()
  await page.waitForFunction(() => document.querySelectorAll('.waiting, [aria-busy=true]').length === 0)
}

/** Signs in on the page, then `state.show(page, number)`. */
async function open(page, url, state, password) {
  filled = filled || people(url)
  const number = await filled
  await page.goto(`${url}/op/console`)
  if (!state.show) return
  await page.getByLabel('账号名').fill('alice')
  await page.getByLabel('密码').fill(password)
  await page.getByRole('button', { name: '登录' }).click()
  await page.getByRole('navigation').waitFor()
  await state.show(page, number)
}

const tab = (name) => (page) => go(page, name)

async function user(page, number) {
  await go(page, 'users')
  await page.getByLabel('编号或 openid').fill(number)
  await page.getByRole('button', { name: '查找' }).click()
  await page.getByRole('heading', { name: '额度' }).waitFor()
  await page.waitForFunction(() => document.querySelectorAll('.waiting').length === 0)
}

async function suspending(page, number) {
  await user(page, number)
  await page.getByRole('button', { name: '暂停使用' }).click()
  await page.getByLabel('理由').last().fill('多次发送广告')
}

async function lists(page) {
  await go(page, 'lists')
  await page.getByRole('button', { name: '新建版本' }).click()
  await page.getByLabel('词，一行一个').fill(WORDS.join('\n'))
  await page.getByRole('dialog').getByLabel('备注').fill('十一月')
  await page.getByRole('button', { name: '保存并启用' }).click()
  await page.getByText('使用中', { exact: true }).first().waitFor()
}

async function relays(page) {
  await go(page, 'relays')
  await page.getByRole('button', { name: '测试' }).first().click()
  await page.locator('.result').first().waitFor()
}

async function complaint(page) {
  await go(page, 'cases')
  await page.getByRole('link', { name: /投诉/ }).first().click()
  await page.getByLabel('理由').fill('核实投诉')
  await page.getByRole('button', { name: '写明理由并阅读投诉' }).click()
  await page.getByText('请核实').waitFor()
}

const shown = [
  ['sign-in', null], ['overview', tab('overview')], ['users', user], ['suspend', suspending], ['cases', tab('cases')], ['case', complaint], ['lists', lists], ['relays', relays],
  ['models', tab('models')], ['settings', tab('settings')], ['audit', tab('audit')], ['operators', tab('operators')],
]
const onAPhone = ['sign-in', 'overview', 'users', 'suspend', 'case', 'relays', 'settings']

module.exports = {
  open,
  states: [
    ...shown.map(([name, show]) => ({ name: `console-${name}`, show, viewport: DESK })),
    ...shown.filter(([name]) => onAPhone.includes(name)).map(([name, show]) => ({ name: `console-phone-${name}`, show, viewport: PHONE })),
  ],
}
