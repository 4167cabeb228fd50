'use strict'

const assert = require('node:assert/strict')
const path = require('node:path')
const { start } = require('../../tools/preview/server')
const { launchBrowser } = require('../../tools/preview/browser')
const { openPhone } = require('../../tools/preview/phone')

const ROOT = path.join(__dirname, '../..')
const FIXTURE = path.join(__dirname, 'fixture-app')

/** One browser for a file of tests; every phone in a context of its own, so nothing is shared between tests. */
class Browsers {
  async open() {
    this.browser = await launchBrowser()
  }

  /**
   * @param options.context  options of the browser context, e.g. {hasTouch: true}  @param options.warnings  warnings are expected
   * @returns the Phone; it is closed with `phone.done()`, which also asserts that the runtime saw no error
   */
  async phone(url, params = {}, options = {}) {
    const context = await this.browser.newContext({ viewport: { width: 900, height: 980 }, ...(options.context || {}) })
    const phone = await openPhone(context, url, { panel: '0', ...params })
    phone.context = context
    phone.done = async () => {
      const found = { errors: await phone.errors(), unshimmed: await phone.unshimmed(), warnings: options.warnings ? [] : await phone.warnings() }
      await context.close()
      assert.deepEqual(found, { errors: [], unshimmed: [], warnings: [] })
    }
    return phone
  }

  close() {
    return this.browser.close()
  }
}

/** Waits until `check` gives something true. Generous: the machine may be busy. */
async function until(check, what, limitMs = 20000) {
  const end = Date.now() + limitMs
  let last
  for (;;) {
    last = await check()
    if (last) return last
    if (Date.now() > end) throw new Error(`waited in vain for ${what}; last: ${JSON.stringify(last)}`)
    await new Promise((done) => setTimeout(done, 50))
  }
}

module.exports = { Browsers, until, start, ROOT, FIXTURE }
