'use strict'

// How the console looks and is used: on a phone, in both themes, with large letters, by keyboard, by name.

const { test, before, after } = require('node:test')
const assert = require('node:assert/strict')
const { until, endAll } = require('./harness')
const { LocalCloud } = require('./cloud')
const { Desk, launchBrowser } = require('./console')

const TABS = ['overview', 'users', 'cases', 'lists', 'relays', 'models', 'settings', 'audit', 'operators']
const PRICES = { version: 'c-1', models: { 'demo-chat': { input: 2000000, output: 8000000 } }, plans: { free: { daily: 500000 } } }
const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }
let cloud
let browser

before(async () => {
  cloud = await LocalCloud.start({ env: { YUNLIAO_RATE_LIMIT: '10000/minute', YUNLIAO_PRICES: JSON.stringify(PRICES) } })
  browser = await launchBrowser()
  await cloud.agree('somebody')
  await cloud.call('somebody', 'POST', '/v1/complaints', { text: '一个投诉' })
  const sent = await cloud.call('somebody', 'POST', '/v1/turns?wait=8', { client_id: 'looks-first-1', text: '你好' })
  for (let now = sent; now.live; now = await cloud.call('somebody', 'GET', `/v1/turns/${sent.turn.id}/events?after=${now.cursor}&wait=5`));
})
after(() => endAll(browser, cloud))

/** Texts on the screen whose colour does not stand out from what is behind them (WCAG 2.2, 1.4.3). */
const faint = (page) => page.evaluate(() => {
  const rgb = (text) => text.match(/[\d.]+/g).map(Number)
  const bright = (colour) => colour.slice(0, 3).map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)).reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0)
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor)
      if (colour.length < 4 || colour[3] === 1) return colour
    }
    return [255, 255, 255]
  }
  const found = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement
    if (!walker.currentNode.data.trim() || !node.checkVisibility() || node.closest('svg') || node.disabled) continue
    const style = getComputedStyle(node)
    const [light, dark] = [bright(rgb(style.color)), bright(behind(node))].sort((one, other) => other - one)
    const contrast = (light + 0.05) / (dark + 0.05)
    if (contrast < 4.5) found.push(`${walker.currentNode.data.trim().slice(0, 20)} ${contrast.toFixed(2)}`)
  }
  return found
})

/** Controls without a name, or too small for a finger (24 px, WCAG 2.2, 2.5.8), and anything wider than the screen. */
const clumsy = (page) => page.evaluate(() => {
  const found = []
  for (const node of document.querySelectorAll('button, input, select, textarea, a[href]')) {
    if (!node.checkVisibility() || node.classList.contains('skip')) continue
    const name = node.getAttribute('aria-label') || [...(node.labels || [])].map((label) => label.innerText).join('') || node.innerText
    if (!name.trim()) found.push(`no name: ${node.outerHTML.slice(0, 80)}`)
    const { height, width } = node.getBoundingClientRect()
    if (Math.min(height, width) < 24 && !node.closest('p, dd, td')) found.push(`small: ${name} ${width}x${height}`)
  }
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth
  if (wide > 0) found.push(`${wide} px wider than the screen`)
  if (document.querySelectorAll('h1').length !== 1) found.push('not one heading')
  return found
})

for (const theme of ['light', 'dark']) {
  for (const [where, context] of [['on a phone of 360 px', PHONE], ['on a desk', {}]]) {
    test(`every tab is readable ${where} in the ${theme} theme`, async () => {
      const desk = await Desk.open(browser, cloud, { ...context, colorScheme: theme })
      assert.deepEqual([await faint(desk.page), await clumsy(desk.page)], [[], []])
      await desk.signIn(`eye-${theme}`)
      const user = await desk.find('somebody')
      for (const tab of [...TABS, user]) {
        await desk.go(tab)
        assert.deepEqual({ tab, faint: await faint(desk.page), clumsy: await clumsy(desk.page) }, { tab, faint: [], clumsy: [] })
      }
      await desk.button('暂停使用').click()
      await desk.dialog.waitFor()
      assert.deepEqual([await faint(desk.page), await clumsy(desk.page)], [[], []])
      const other = theme === 'light' ? '深色' : '浅色'
      await desk.dialog.getByRole('button', { name: '取消' }).click()
      const before = await desk.page.evaluate(() => getComputedStyle(document.body).backgroundColor)
      await desk.page.getByLabel('主题').selectOption({ label: other })
      assert.notEqual(await desk.page.evaluate(() => getComputedStyle(document.body).backgroundColor), before)
      await desk.done()
    })
  }
}

test('letters twice as large still fit a phone', async () => {
  const desk = await Desk.open(browser, cloud, PHONE)
  await desk.signIn('large')
  const user = await desk.find('somebody')
  await desk.page.evaluate(() => { document.documentElement.style.fontSize = '200%' })
  for (const tab of [...TABS, user]) {
    await desk.go(tab)
    assert.deepEqual({ tab, clumsy: await clumsy(desk.page) }, { tab, clumsy: [] })
  }
  await desk.done()
})

test('everything is said in English too, and stays so', async () => {
  const desk = await Desk.open(browser, cloud)
  await desk.signIn('speaker')
  const user = await desk.find('somebody')
  await desk.button('English').click()
  for (const tab of [...TABS, user]) {
    await desk.go(tab)
    const said = (await desk.text()).replace(/中文|somebody|你是云聊助手[^\n]*|内容由人工智能[^\n]*|AI 生成|云聊|人工[^\n]*/g, '')
    assert.ok(!/[\u4e00-\u9fff]/.test(tab === 'settings' ? said.replace(/服务设置|环境变量|公网访问/g, '') : said), `${tab}: ${/.*[\u4e00-\u9fff].*/.exec(said)}`)
  }
  assert.equal(await desk.page.evaluate(() => document.documentElement.lang), 'en')
  await desk.page.reload()
  await desk.sees('Audit log')
  await desk.done()
})

test('by keyboard alone: skip to the content, go to a tab, open and leave a dialog, and the focus is where it was', async () => {
  const desk = await Desk.open(browser, cloud)
  await desk.signIn('typist')
  await desk.go('lists')
  await desk.page.reload()
  await desk.page.getByRole('navigation').waitFor()
  await desk.settle()
  await desk.page.keyboard.press('Tab')
  await desk.page.keyboard.press('Enter')
  assert.equal(await desk.page.evaluate(() => document.activeElement.id), 'content')
  await desk.page.keyboard.press('Tab')
  assert.equal(await desk.page.evaluate(() => document.activeElement.innerText), '新建版本')
  await desk.page.keyboard.press('Enter')
  await desk.dialog.waitFor()
  assert.ok(await desk.page.evaluate(() => Boolean(document.activeElement.closest('dialog'))))
  await desk.page.keyboard.press('Escape')
  await desk.dialog.waitFor({ state: 'detached' })
  await until(() => desk.page.evaluate(() => document.activeElement.innerText === '新建版本'), 'the focus to be back')
  await desk.page.getByRole('link', { name: '上游' }).focus()
  await desk.page.keyboard.press('Enter')
  await until(() => desk.page.evaluate(() => document.activeElement.tagName === 'H1' && document.activeElement.innerText === '上游'), 'the heading to have the focus')
  assert.equal(await desk.page.title(), '上游 · 云聊运营台')
  assert.equal(await desk.page.getByRole('link', { name: '上游' }).getAttribute('aria-current'), 'page')
  await desk.done()
})
