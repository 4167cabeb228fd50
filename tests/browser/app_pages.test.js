'use strict'

// Conversations, settings, themes, languages, large type: the pages around the chat.

const { test, before, after } = require('node:test')
const assert = require('node:assert/strict')
const { Browsers, until, endAll } = require('./harness')
const { LocalCloud } = require('./cloud')
const { App } = require('./app')

const browsers = new Browsers()
let cloud

before(async () => {
  cloud = await LocalCloud.start({ env: { YUNLIAO_RATE_LIMIT: '100/minute' } })
  await browsers.open()
})
after(() => endAll(browsers, cloud))

async function open(user, params = {}, language = 'zh') {
  await cloud.agree(user)
  return new App(await browsers.phone(cloud.url, { user, ...params }), language)
}

const titles = async (user) => (await cloud.call(user, 'GET', '/v1/conversations')).conversations.map((c) => c.title)

test('conversations: listed, opened, searched, renamed, deleted and brought back', async () => {
  const app = await open('keeper')
  await app.ask('苹果怎么保存')
  await app.press(app.t.newChat)
  await until(async () => (await app.chat()).empty, 'a new conversation')
  await app.ask('香蕉怎么保存')
  await until(async () => (await titles('keeper')).length === 2 && (await titles('keeper')).every(Boolean), 'two titles')

  await app.press(app.t.conversations)
  await app.sees('苹果怎么保存')
  await app.sees('香蕉怎么保存')
  await app.top.locator('wx-input input').first().fill('苹果')
  await app.seesNot('香蕉怎么保存')
  await app.top.locator('wx-input input').first().fill('')
  await app.sees('香蕉怎么保存')

  await app.top.getByText('苹果怎么保存').first().click({ delay: 600 })
  await app.choose(app.t.rename)
  await app.page.locator('.mp-modal textarea').fill('水果笔记')
  await app.modal()
  await app.sees('水果笔记')
  await until(async () => (await titles('keeper')).includes('水果笔记'), 'the new title to be stored')

  await app.top.locator('wx-input input').first().fill('香蕉怎么保')
  await app.sees(app.t.inMessages)
  await app.top.locator('wx-input input').first().fill('')
  await app.seesNot(app.t.inMessages)

  await app.top.getByText('香蕉怎么保存').first().click({ delay: 600 })
  await app.choose(app.t.delete)
  await until(async () => (await titles('keeper')).length === 1, 'the deletion')
  await app.press(app.t.undo)
  await until(async () => (await titles('keeper')).length === 2, 'the deletion to be undone')

  await app.top.getByText('水果笔记').first().click()
  await until(async () => (await app.phone.route()) === 'pages/chat/chat', 'the chat page')
  await app.sees('苹果怎么保存')
  await app.phone.done()
})

test('a conversation row can be swiped open by finger', async () => {
  await cloud.agree('swiper')
  const app = new App(await browsers.phone(cloud.url, { user: 'swiper' }, { context: { hasTouch: true } }))
  await app.ask('要滑动的对话')
  await app.press(app.t.conversations)
  await app.sees('要滑动的对话')
  const row = await app.top.getByText('要滑动的对话').first().boundingBox()
  const touch = await app.page.context().newCDPSession(app.page)
  const y = row.y + row.height / 2
  const at = (x) => [{ x, y }]
  await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: at(row.x + 250) })
  for (const x of [230, 190, 150, 100, 60]) await touch.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: at(row.x + x) })
  await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] })
  await app.top.getByRole('button', { name: app.t.delete, exact: true }).first().tap()
  await until(async () => (await titles('swiper')).length === 0, 'the deletion')
  await app.phone.done()
})

/** Relative luminance, 0 dark to 1 light, of what is behind the middle of the page's top. */
const luminance = (app) => app.top.evaluate((layer) => {
  const numbers = (text) => (text.match(/[\d.]+/g) || []).map(Number)
  for (let node = layer.querySelector('.mp-page > *') || layer; node; node = node.parentElement) {
    const [r, g, b, a = 1] = numbers(getComputedStyle(node).backgroundColor)
    if (a > 0.5) return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255
  }
  return 1
})

test('both themes, on every page, also when the phone changes while the page is open', async () => {
  const app = await open('painter')
  await app.ask('你好')
  assert.ok((await luminance(app)) > 0.8)
  await app.phone.control('theme', 'dark')
  await until(async () => (await luminance(app)) < 0.2, 'the dark theme')
  await app.phone.done()
  for (const route of ['conversations', 'settings', 'about', 'privacy', 'credits']) {
    for (const theme of ['light', 'dark']) {
      const page = await open('painter', { route: `pages/${route}/${route}`, theme })
      await until(async () => ((await luminance(page)) < 0.2) === (theme === 'dark'), `${route} in ${theme}`)
      await page.phone.done()
    }
  }
})

test('settings: theme, type size and language take effect and are kept', async () => {
  const app = await open('chooser', { route: 'pages/settings/settings' })
  await app.press(app.t.themes.dark)
  await until(async () => (await luminance(app)) < 0.2, 'the dark theme')
  const size = () => app.top.getByText(app.t.textSize).first().evaluate((n) => parseFloat(getComputedStyle(n).fontSize))
  const small = await size()
  await app.press(app.t.sizes.huge)
  await until(async () => (await size()) > small, 'larger type')
  await app.press('English')
  await app.sees('Text size')
  await app.page.reload()
  await app.phone.ready()
  await app.sees('Text size')
  assert.ok((await luminance(app)) < 0.2)
  await app.phone.done()
})

test('English: the program speaks it on a phone that does', async () => {
  const app = await open('reader', { lang: 'en' }, 'en')
  await app.sees(app.t.welcome)
  const answer = await app.ask('Please introduce yourself')
  await app.sees(answer.slice(0, 20))
  const labels = await app.top.evaluate((layer) => [...layer.querySelector('.mp-viewport').querySelectorAll('[aria-label], [role="button"]')].map((n) => n.getAttribute('aria-label') || '').filter((l) => /[\u4e00-\u9fff]/.test(l)))
  // The service's own name is what its operator called it.
  const { name } = await cloud.call('reader', 'GET', '/v1/config')
  assert.deepEqual(labels.filter((label) => label !== name), [])
  await app.phone.done()
})

test('with the largest type nothing is wider than the screen and the field can be used', async () => {
  const app = await open('farsighted', { fontsize: '23' })
  await app.phone.page.evaluate(() => window.__mp.app().yunliao.settings.set('textSize', 'huge'))
  await cloud.set('relay', { answer: '一段`code`，[一个很长很长的链接的文字](https://example.com/a/very/long/address/that/does/not/end)。\n\n| 甲 | 乙 | 丙 | 丁 | 戊 |\n|---|---|---|---|---|\n| 一些文字 | 一些文字 | 一些文字 | 一些文字 | 一些文字 |', match: 'wide-1' })
  await app.ask('wide-1')
  const wide = await app.top.evaluate((layer) => {
    const edge = layer.getBoundingClientRect().right
    const scrolls = (n) => n && (/(auto|scroll)/.test(getComputedStyle(n).overflowX) || scrolls(n.parentElement))
    return [...layer.querySelectorAll('.mp-page *')].filter((n) => n.getBoundingClientRect().right > edge + 1 && n.checkVisibility() &&
      !scrolls(n.closest('wx-scroll-view[data-x]'))).map((n) => `${n.localName}.${n.className}`)
  })
  assert.deepEqual(wide, [])
  const button = await app.sendButton.boundingBox()
  assert.ok(button.width >= 40 && button.height >= 40, `the send button is ${button.width} by ${button.height}`)
  await app.phone.done()
})

test('a link shows its address and opens nothing', async () => {
  const app = await open('linker')
  await cloud.set('relay', { answer: '看[这里](https://example.com/page?x=1)。', match: 'link-1' })
  await app.ask('link-1')
  await app.top.getByText('这里', { exact: true }).last().click()
  await until(async () => (await app.page.locator('#mp-screen').innerText()).includes('https://example.com/page?x=1'), 'the address')
  assert.deepEqual(app.phone.outside, [])
  assert.equal(app.phone.context.pages().length, 1)
  await app.phone.done()
})

test('what is shared carries nothing of the chat', async () => {
  const app = await open('sharer')
  await app.ask('一句私密的话')
  await app.page.evaluate(() => window.__mp.wx.shareAppMessage())
  const [shared] = await app.page.evaluate(() => window.__mp.shares)
  assert.equal(shared.path, '/pages/chat/chat')
  assert.ok(!JSON.stringify(shared).includes('私密'))
  await app.phone.done()
})

test('about and the documents show what the server says', async () => {
  const { provider, agreement } = await cloud.call('visitor', 'GET', '/v1/config')
  const app = await open('visitor', { route: 'pages/about/about' })
  if (provider.name) await app.sees(provider.name)
  await app.press(app.t.agreement)
  await until(async () => (await app.phone.route()) === 'pages/document/document', 'the document page')
  const words = agreement.markdown.replace(/[#*`>\-[\]()|_]/g, ' ').split(/\s+/).filter((w) => w.length > 3)
  await app.sees(words[1])
  await app.phone.done()
})

test('where nothing costs anything the credits page says so', async () => {
  const app = await open('guest', { route: 'pages/settings/settings' })
  await app.press(app.t.credits)
  await app.sees(app.t.creditsOff)
  await app.phone.done()
})
