'use strict'

/** A page with the mini-program in it, for tests and pictures. */
class Phone {
  constructor(page) {
    this.page = page
    this.outside = []
  }

  errors() {
    return this.page.evaluate(() => [...window.__mp.errors])
  }

  warnings() {
    return this.page.evaluate(() => [...window.__mp.warnings])
  }

  unshimmed() {
    return this.page.evaluate(() => window.__mp.unshimmed)
  }

  /** Waits until `window.__mp.ready`. */
  async ready() {
    await this.page.waitForFunction(() => document.documentElement.dataset.ready, null, { timeout: 30000 })
  }

  /** Data of the page on top. */
  data() {
    return this.page.evaluate(() => JSON.parse(JSON.stringify(window.__mp.page().data)))
  }

  /** The layer that a person sees. */
  get top() {
    return this.page.locator('.mp-layer:not([hidden])').last()
  }

  control(name, ...args) {
    return this.page.evaluate(([n, a]) => window.__mp.control[n](...a), [name, args])
  }

  async route() {
    return this.page.evaluate(() => window.__mp.getCurrentPages().slice(-1)[0].route)
  }

  /** Two frames and the fonts: what was set is drawn. */
  async settle() {
    await this.page.evaluate(() => document.fonts.ready.then(() => new Promise((done) => {
      requestAnimationFrame(() => requestAnimationFrame(done))
    })))
    await this.page.waitForTimeout(350)
  }
}

/**
 * Opens the preview at `url`. `params` go into the address (user, theme, route, fontsize, panel, full, lang).
 * Requests to anywhere but `url` are refused and noted in `phone.outside`.
 */
async function openPhone(context, url, params = {}) {
  const page = await context.newPage()
  const phone = new Phone(page)
  const home = new URL(url)
  await page.route('**/*', (route) => {
    const target = new URL(route.request().url())
    if (target.protocol === 'data:' || target.host === home.host) return route.continue()
    phone.outside.push(target.href)
    return route.abort()
  })
  const address = new URL(home)
  for (const [name, value] of Object.entries(params)) address.searchParams.set(name, value)
  await page.goto(address.href)
  await phone.ready()
  return phone
}

module.exports = { Phone, openPhone }
