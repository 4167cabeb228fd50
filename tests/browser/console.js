'use strict'

const assert = require('node:assert/strict')
const { launchBrowser } = require('../../tools/preview/browser')
const { until } = require('./harness')

const PASSWORDS = new Map()

/** The operators' console as an operator uses it. What the page did that its policy forbids, and every error, fails `done()`. */
class Desk {
  constructor(page, cloud) {
    this.page = page
    this.cloud = cloud
    this.troubles = []
    /** Refusals that a test means to meet. */
    this.expected = /status of (401|400|404|429)/
    page.on('pageerror', (error) => this.troubles.push(`error: ${error.message}`))
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type()) && !this.expected.test(message.text())) this.troubles.push(`console: ${message.text()}`)
    })
    page.on('request', (request) => {
      if (!request.url().startsWith(`${cloud.url}/op/`)) this.troubles.push(`asked elsewhere: ${request.url()}`)
    })
  }

  static async open(browser, cloud, context = {}) {
    const own = await browser.newContext({ viewport: { width: 1100, height: 900 }, timezoneId: 'Asia/Shanghai', ...context })
    const desk = new Desk(await own.newPage(), cloud)
    desk.context = own
    await desk.page.addInitScript(() => {
      window.violations = []
      window.addEventListener('securitypolicyviolation', (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`))
    })
    await desk.page.goto(`${cloud.url}/op/console`)
    return desk
  }

  /** Signs in on the page. */
  async signIn(name, role = 'owner') {
    await this.page.getByLabel('账号名').fill(name)
    await this.page.getByLabel('密码').fill(await password(this.cloud, name, role))
    await this.page.getByRole('button', { name: '登录' }).click()
    await this.page.getByRole('navigation').waitFor()
    return this
  }

  /** Opens a tab and waits until nothing loads. */
  async go(path) {
    await this.page.evaluate((hash) => new Promise((done) => {
      if (window.location.hash === hash) return done()
      window.addEventListener('hashchange', () => done(), { once: true }) // after the console's own listener
      window.location.hash = hash
    }), `#/${path}`)
    await this.page.getByRole('heading', { level: 1 }).waitFor()
    await this.settle()
  }

  /** Opens the page of a local user, found by the number that the mini-program shows; its path. */
  async find(user) {
    const { id } = (await this.cloud.call(user, 'GET', '/v1/me')).user
    await this.go('users')
    await this.page.getByLabel('编号或 openid').fill(id)
    await this.button('查找').click()
    await this.page.getByRole('heading', { name: '额度' }).waitFor()
    await this.settle()
    return this.page.evaluate(() => window.location.hash.slice(2))
  }

  async settle() {
    await until(() => this.page.evaluate(() => document.querySelectorAll('.waiting, [aria-busy=true]').length === 0), 'nothing to load')
  }

  text() {
    return this.page.evaluate(() => document.body.innerText)
  }

  sees(words) {
    return until(async () => (await this.text()).includes(words), `the console to say ${words}`)
  }

  button(name) {
    return this.page.getByRole('button', { name, exact: true })
  }

  get dialog() {
    return this.page.getByRole('dialog')
  }

  async done() {
    const found = { troubles: this.troubles, violations: await this.page.evaluate(() => window.violations) }
    await this.context.close()
    assert.deepEqual(found, { troubles: [], violations: [] })
  }
}

/** The password of an operator of this cloud, whose account is made when it is first asked for. */
async function password(cloud, name, role) {
  if (!PASSWORDS.has(name)) {
    const said = await cloud.operate('operators', 'add', name, '--role', role)
    PASSWORDS.set(name, new RegExp(`${name}: (\\S+)`).exec(said)[1])
  }
  return PASSWORDS.get(name)
}

module.exports = { Desk, launchBrowser, password }
