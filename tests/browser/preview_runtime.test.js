'use strict'

// The runtime of the preview over a small app of its own: templates, components, built-in tags, gestures, pages.

const { test, before, after } = require('node:test')
const assert = require('node:assert/strict')
const { Browsers, until, start, FIXTURE, endAll } = require('./harness')

const browsers = new Browsers()
let server

before(async () => {
  server = await start({ source: FIXTURE })
  await browsers.open()
})
after(() => endAll(browsers, server))

const id = (phone, name) => phone.top.locator(`[data-mp-id="${name}"]`)
const said = (phone, text) => until(async () => (await phone.data()).said === text, `said ${text}`)

test('a page is drawn with its styles, WXS, components and slots', async () => {
  const phone = await browsers.phone(server.url)
  assert.equal(await id(phone, 'box').textContent(), '*d*')
  assert.equal(await phone.top.locator('.kind').textContent(), 'Array')
  assert.equal(await phone.top.locator('card').count(), 20)
  assert.match(await phone.top.locator('card').nth(3).textContent(), /card 3\s*slot 3/)
  const box = await id(phone, 'box').boundingBox()
  assert.equal(box.width, 52) // 100rpx of a 390 px screen
  assert.equal(box.height, 26)
  assert.equal(await phone.top.locator('card').first().evaluate((n) => getComputedStyle(n).marginTop), '4.16px')
  const data = await phone.data()
  assert.equal(data.globals, 'undefined,undefined,undefined,undefined,undefined')
  await phone.done()
})

test('lifecycle calls come in WeChat’s order, and hiding and showing are told to app and page', async () => {
  const phone = await browsers.phone(server.url)
  const log = () => phone.page.evaluate(() => window.__mp.app().globalData.log.join())
  await until(async () => (await log()).endsWith('ready'), 'ready')
  assert.equal(await log(), 'launch,show,load,pageShow,ready')
  await phone.control('hide')
  await phone.control('show')
  assert.equal(await log(), 'launch,show,load,pageShow,ready,pageHide,hide,show,pageShow')
  assert.equal(await phone.page.evaluate(() => window.__mp.component('card').data.readied), true)
  await phone.done()
})

test('pages open and close with query, properties and event channel', async () => {
  const phone = await browsers.phone(server.url)
  await id(phone, 'go').click()
  await until(async () => (await phone.top.locator('.second').textContent()) === 'a=1 prop=1 there', 'the second page')
  assert.equal(await phone.route(), 'pages/second/second')
  assert.equal(await phone.top.locator('.mp-back').isVisible(), true)
  await id(phone, 'back').click()
  await until(async () => (await phone.data()).last === 'came back', 'the event of the second page')
  assert.equal(await phone.route(), 'pages/home/home')
  await id(phone, 'go').click()
  await phone.top.locator('.mp-back').click()
  await until(async () => (await phone.route()) === 'pages/home/home', 'back by the arrow')
  const failure = await phone.page.evaluate(() => window.__mp.wx.navigateTo({ url: '/pages/none/none' }).catch((e) => e.errMsg))
  assert.match(failure, /^navigateTo:fail page "pages\/none\/none" is not found/)
  await phone.done()
})

test('mouse, touch and long press become tap and longpress', async () => {
  const phone = await browsers.phone(server.url)
  const touched = phone.top.locator('.touched')
  await touched.click()
  await until(async () => (await phone.data()).last === 'tap 7 object', 'a tap by mouse')
  await touched.click({ delay: 600 })
  await until(async () => (await phone.data()).last === 'press', 'a long press')
  await phone.top.locator('card [class*="--card"]').first().click()
  await until(async () => (await phone.data()).last === 'picked card 0', 'an event of a component')
  await phone.done()

  const finger = await browsers.phone(server.url, {}, { context: { hasTouch: true } })
  await finger.top.locator('.touched').tap()
  await until(async () => (await finger.data()).last === 'tap 7 object', 'a tap by finger')
  await finger.done()
})

test('themes reach styles, navigation bar and the mini-program', async () => {
  const phone = await browsers.phone(server.url)
  const ink = () => phone.top.locator('.mp-page').evaluate((n) => getComputedStyle(n).getPropertyValue('--ink').trim())
  const bar = () => phone.top.locator('.mp-navbar').evaluate((n) => getComputedStyle(n).backgroundColor)
  await phone.page.evaluate(() => window.__mp.wx.onThemeChange((e) => { window.__theme = e.theme }))
  assert.deepEqual([await ink(), await bar()], ['#222', 'rgb(255, 255, 255)'])
  await phone.control('theme', 'dark')
  assert.deepEqual([await ink(), await bar()], ['#eee', 'rgb(17, 17, 17)'])
  assert.equal(await phone.page.evaluate(() => window.__theme), 'dark')
  await phone.done()
})

test('templates, includes, conditions, loops and WXS', async () => {
  const phone = await browsers.phone(server.url, { route: 'pages/sink/sink' })
  assert.equal(await id(phone, 'wxs').textContent(), '00 String a#')
  assert.equal(await phone.top.locator('.row').textContent(), 'row one 1')
  assert.equal(await id(phone, 'foot').textContent(), 'foot 0')
  assert.equal(await id(phone, 'if').textContent(), 'zero')
  assert.deepEqual(await phone.top.locator('.item').allTextContents(), ['0:r1', '1:r2', '2:r3', '3:r4'])
  await phone.page.evaluate(() => window.__mp.page().setData({ count: 1 }))
  assert.equal(await id(phone, 'if').textContent(), 'one')
  assert.equal(await id(phone, 'portal').textContent(), 'portal 1')
  await phone.done()
})

test('components: behaviors, observers, model binding, relations, external classes, generics, isolation', async () => {
  const phone = await browsers.phone(server.url, { route: 'pages/sink/sink' })
  const stepper = id(phone, 'stepper')
  assert.match(await stepper.textContent(), /0\/6 twice 0/)
  await stepper.locator('wx-view').click()
  assert.match(await stepper.textContent(), /2\/6 twice 4/)
  assert.equal((await phone.data()).count, 2)
  await stepper.locator('wx-view').click()
  await stepper.locator('wx-view').click()
  await stepper.locator('wx-view').click()
  await said(phone, 'over 6')
  assert.deepEqual(await phone.top.locator('tab').allTextContents(), ['a of tabs', 'b of tabs'])
  const chip = id(phone, 'chip').locator('wx-view').first()
  assert.equal(await chip.evaluate((n) => getComputedStyle(n).color), 'rgb(10, 20, 30)')
  assert.match(await id(phone, 'chip').textContent(), /B\s*chip\s*A/)
  assert.equal(await id(phone, 'host').textContent(), 'generic')
  assert.notEqual(await stepper.locator('wx-view').evaluate((n) => getComputedStyle(n).color), 'rgb(255, 0, 0)')
  assert.equal(await stepper.locator('wx-view').evaluate((n) => getComputedStyle(n).paddingTop), '4px')
  await phone.done()
})

test('events: catch stops, marks are collected, long press without a tap, disabled button is silent', async () => {
  const phone = await browsers.phone(server.url, { route: 'pages/sink/sink' })
  await id(phone, 'inner').click()
  await said(phone, 'inner 7')
  await id(phone, 'bubbling').click()
  await said(phone, 'outer outer 8')
  await id(phone, 'stop').click()
  await said(phone, 'tapped') // touchstart went through, tap did not
  await id(phone, 'long').click({ delay: 600 })
  await said(phone, 'pressed')
  await phone.page.evaluate(() => window.__mp.page().setData({ said: 'none' }))
  await id(phone, 'off').click({ force: true })
  await phone.settle()
  assert.equal((await phone.data()).said, 'none')
  await phone.done()
})

test('the form family', async () => {
  const phone = await browsers.phone(server.url, { route: 'pages/sink/sink' })
  await id(phone, 'l1').click()
  await said(phone, 'picks x,y')
  await id(phone, 'o2').click()
  await said(phone, 'radio 2')
  await id(phone, 'submit').click()
  await said(phone, JSON.stringify({ who: 'ada', on: true, picks: ['x', 'y'], one: '2' }))
  await id(phone, 'sw').click()
  await said(phone, 'switch true')
  assert.equal((await phone.data()).on, true)
  await id(phone, 'picker').click()
  await phone.page.locator('.mp-picker-columns select').selectOption('2')
  await phone.page.locator('.mp-picker-box .mp-confirm').click()
  await until(async () => (await id(phone, 'picker').textContent()).includes('p2'), 'the picked name')
  await phone.done()
})

test('a textarea grows with its lines, counts them and confirms by the key', async () => {
  const phone = await browsers.phone(server.url, { route: 'pages/sink/sink' })
  const field = id(phone, 'area').locator('textarea')
  const height = async () => (await id(phone, 'area').boundingBox()).height
  await field.fill('one')
  const one = await height()
  await field.fill('one\ntwo\nthree\nfour')
  assert.ok(await height() > one * 2)
  await until(() => phone.page.evaluate(() => window.__mp.page().lineCount === 4), 'four lines')
  await field.press('Enter')
  await said(phone, 'confirm one\ntwo\nthree\nfour')
  assert.equal((await phone.data()).area, 'one\ntwo\nthree\nfour')
  await phone.page.evaluate(() => window.__mp.page().setData({ area: '' }))
  assert.equal(await field.inputValue(), '')
  await until(async () => (await height()) < one * 1.5, 'the height of one line')
  await phone.done()
})

test('rich-text runs nothing; images report load and failure', async () => {
  const phone = await browsers.phone(server.url, { route: 'pages/sink/sink' })
  assert.equal(await id(phone, 'rich').textContent(), 'hello boldl')
  assert.equal(await id(phone, 'rich').locator('[onerror], script, [href]').count(), 0)
  assert.equal(await id(phone, 'nodes').textContent(), 'a < b')
  assert.equal(await phone.page.evaluate(() => window.__hacked), undefined)
  await until(() => phone.page.evaluate(() => window.__mp.page().loadedSize === 4 && window.__mp.page().imageFailed), 'image events')
  const image = await id(phone, 'img').boundingBox()
  assert.equal(image.height, image.width / 2)
  await phone.done()
})

test('scroll-view: position by number and by id, its ends, its node', async () => {
  const phone = await browsers.phone(server.url, { route: 'pages/sink/sink' })
  const top = () => id(phone, 'sv').evaluate((n) => n.scrollTop)
  const set = (data) => phone.page.evaluate((d) => window.__mp.page().setData(d), data)
  await set({ top: 60 })
  await until(async () => (await top()) === 60, 'scroll-top')
  await set({ into: 'r3' })
  await until(async () => (await top()) === 120, 'scroll-into-view')
  await said(phone, 'low')
  await phone.page.evaluate(() => new Promise((done) => {
    window.__mp.wx.createSelectorQuery().select('#sv').node().exec(([{ node }]) => {
      node.scrollTo({ top: 0, animated: false })
      done()
    })
  }))
  await said(phone, 'up')
  await phone.done()
})

test('fixed, vh, safe area, page scroll and reach-bottom belong to the page area', async () => {
  const phone = await browsers.phone(server.url, { route: 'pages/sink/sink' })
  const [area, fixed, dims] = await Promise.all([
    phone.top.locator('.mp-viewport').boundingBox(), id(phone, 'fixed').boundingBox(), id(phone, 'dims').boundingBox(),
  ])
  assert.equal(fixed.y + fixed.height, area.y + area.height)
  assert.equal(dims.width, 195)
  assert.ok(Math.abs(dims.height - (area.height / 10 + 34)) < 0.6)
  await phone.page.evaluate(() => window.__mp.wx.pageScrollTo({ scrollTop: 99999, duration: 0 }))
  await until(() => phone.page.evaluate(() => window.__mp.page().pageTop > 0 && window.__mp.page().reached), 'page scroll events')
  await phone.done()
})

test('page-container opens and closes; hidden hides; swiper turns', async () => {
  const phone = await browsers.phone(server.url, { route: 'pages/sink/sink' })
  assert.equal(await id(phone, 'sheet').isVisible(), false)
  await phone.page.evaluate(() => window.__mp.page().setData({ sheet: true }))
  assert.equal(await id(phone, 'sheet').isVisible(), true)
  await phone.top.locator('wx-page-container').click({ position: { x: 20, y: 20 } })
  await until(async () => !(await id(phone, 'sheet').isVisible()), 'the sheet to close')
  assert.equal(await id(phone, 'hidden').isVisible(), false)
  assert.equal(await id(phone, 'hiddenchip').isVisible(), false)
  await phone.page.evaluate(() => window.__mp.page().setData({ hide: false, slide: 1 }))
  assert.equal(await id(phone, 'hidden').isVisible(), true)
  await said(phone, 'slide 1')
  await until(() => id(phone, 'hiddenchip').isVisible(), 'the component to show')
  await phone.done()
})

test('setData is counted in bytes, and what cannot cross to the view is reported', async () => {
  const phone = await browsers.phone(server.url, {}, { warnings: true })
  const [bytes, warnings] = await phone.page.evaluate(() => {
    window.__mp.stats.reset()
    window.__mp.page().setData({ last: '云' })
    const { bytes: counted } = window.__mp.stats
    window.__mp.page().setData({ last: 'x', bad: undefined, worse: { f() {} } })
    return [counted, window.__mp.warnings]
  })
  assert.equal(bytes, Buffer.byteLength('{"last":"云"}'))
  assert.equal(warnings.length, 2)
  assert.match(warnings[0], /bad is undefined/)
  assert.match(warnings[1], /worse\.f is a function/)
  await phone.done()
})

test('a component can be mounted alone', async () => {
  const phone = await browsers.phone(server.url)
  await phone.page.evaluate(() => window.__mp.mount('components/card/card', { title: 'alone' }).then(() => 0))
  assert.match(await phone.page.locator('mp-mounted').textContent(), /alone/)
  await phone.done()
})

test('an error in page code is recorded with its place', async () => {
  const phone = await browsers.phone(server.url)
  await phone.page.evaluate(() => {
    window.__mp.page().tap = 1
    window.__mp.wx.nextTick(() => { throw new Error('on purpose') })
  })
  await until(async () => (await phone.errors()).length === 1, 'the error')
  assert.match((await phone.errors())[0], /on purpose/)
  await phone.context.close()
})

test('a phone-sized window shows the mini-program alone, a desk shows the panel whose buttons work', async () => {
  const small = await browsers.phone(server.url, {}, { context: { viewport: { width: 390, height: 844 } } })
  assert.deepEqual(await small.page.locator('#mp-screen').boundingBox(), { x: 0, y: 0, width: 390, height: 844 })
  assert.equal(await small.page.locator('.mp-badge').isVisible(), true)
  await small.done()

  const desk = await browsers.phone(server.url, { panel: '1' }, { context: { viewport: { width: 1100, height: 980 } } })
  const act = (name) => desk.page.locator(`#mp-panel [data-act="${name}"]`)
  assert.match(await desk.page.locator('.mp-simulation').textContent(), /模拟环境/)
  await act('dark').click()
  assert.equal(await desk.page.evaluate(() => document.documentElement.classList.contains('mp-dark')), true)
  await act('hide').click()
  assert.match(await desk.page.evaluate(() => window.__mp.app().globalData.log.join()), /pageHide,hide$/)
  await act('show').click()
  await act('offline').click()
  assert.equal(await desk.page.evaluate(() => window.__mp.wx.getNetworkType().then((r) => r.networkType)), 'none')
  await act('online').click()
  await desk.page.locator('#mp-panel [data-user="bob"]').click()
  await desk.page.waitForURL(/user=bob/)
  await desk.ready()
  await desk.done()
})
