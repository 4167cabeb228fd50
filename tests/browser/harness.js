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
    phone.done = () => within(STEP_MS, async () => {
      const found = { errors: await phone.errors(), unshimmed: await phone.unshimmed(), warnings: options.warnings ? [] : await phone.warnings() }
      await context.close()
      assert.deepEqual(found, { errors: [], unshimmed: [], warnings: [] })
    }, 'the phone to be looked at and closed')
    return phone
  }

  async close() {
    await this.browser?.close()
  }
}

/** No single question to a page, no ending of a part, takes longer on any machine that works. */
const STEP_MS = 60000

/** What `work` gives, or an error after `ms`: a page whose script never returns answers no question. */
function within(ms, work, what) {
  let timer
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms / 1000} s in vain for ${what}`)), ms)
  })
  return Promise.race([work(), late]).finally(() => clearTimeout(timer))
}

/**
 * Ends whatever a file of tests started, for its `after` hook: the browser first, so that nothing holds on to the servers. Each part is
 * ended though another cannot be or was never started: one that stays would keep the file, and with it the whole run, from ending.
 */
async function endAll(...parts) {
  const failed = []
  for (const part of parts.filter(Boolean)) {
    await within(STEP_MS, async () => (part.stop || part.close).call(part), 'a part to end').catch((error) => failed.push(error))
  }
  if (!failed.length) return
  setTimeout(() => process.exit(1), 10000).unref()
  throw failed[0]
}

/** Waits until `check` gives something true. Generous: the machine may be busy. */
async function until(check, what, limitMs = 20000) {
  const end = Date.now() + limitMs
  let last
  for (;;) {
    last = await within(STEP_MS, check, what)
    if (last) return last
    if (Date.now() > end) throw new Error(`waited in vain for ${what}; last: ${JSON.stringify(last)}`)
    await new Promise((done) => setTimeout(done, 50))
  }
}

module.exports = { Browsers, until, within, endAll, start, ROOT, FIXTURE }
