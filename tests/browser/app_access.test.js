'use strict'

// Fingers, screen readers and eyes: what can be touched is named and large enough, on every page, in every width and text size.

const { test, before, after } = require('node:test')
const assert = require('node:assert/strict')
const { Browsers, until, endAll } = require('./harness')
const { LocalCloud } = require('./cloud')
const { App } = require('./app')

const browsers = new Browsers()
let cloud

before(async () => {
  cloud = await LocalCloud.start({ env: {
    YUNLIAO_RATE_LIMIT: '100/minute', YUNLIAO_PROVIDER: '某某科技有限公司', YUNLIAO_CONTACT: 'help@example.com',
    YUNLIAO_MODELS: Array.from({ length: 8 }, (_, i) => `${i ? `m${i}` : 'demo-chat'}=${i === 3 ? '一个名字特别特别长的模型'.repeat(5) : `模型 ${i}`}`).join(','),
  } })
  await browsers.open()
})
after(() => endAll(browsers, cloud))

/** Phones that exist: small, with large type, a tablet. */
const SCREENS = [
  { name: '320', context: { viewport: { width: 320, height: 568 } }, params: {} },
  { name: '390, largest type', context: { viewport: { width: 390, height: 844 } }, params: { fontsize: '23' }, size: 'huge' },
  { name: '768', context: { viewport: { width: 768, height: 1024 } }, params: { full: '1' } },
]

/** What is wrong with what can be touched, and what is wider than the screen. */
const faults = (app) => app.top.evaluate((layer) => {
  const out = []
  const edge = layer.getBoundingClientRect()
  const hidden = (node) => !node.checkVisibility({ visibilityProperty: true, opacityProperty: false }) || Boolean(node.closest('[aria-hidden="true"]'))
  for (const node of layer.querySelectorAll('.mp-page [role="button"], .mp-page [role="link"], .mp-page [role="radio"], .mp-page [role="switch"]')) {
    if (hidden(node)) continue
    const box = node.getBoundingClientRect()
    const inText = getComputedStyle(node).display === 'inline'
    const what = `${node.getAttribute('role')} "${node.getAttribute('aria-label') || ''}" ${node.className}`
    if (!(node.getAttribute('aria-label') || '').trim() && !(inText && node.innerText.trim())) out.push(`no name: ${what}`)
    if (!inText && (box.width < 43.5 || box.height < 43.5)) out.push(`${box.width.toFixed(0)} x ${box.height.toFixed(0)}: ${what}`)
  }
  const scrolls = (node) => node && (/(auto|scroll)/.test(getComputedStyle(node).overflowX) || scrolls(node.parentElement))
  for (const node of layer.querySelectorAll('.mp-page *')) {
    if (hidden(node) || node.getBoundingClientRect().right <= edge.right + 1) continue
    if (!scrolls(node.closest('wx-scroll-view[data-x]')) && !node.closest('[style*="translateX"]')) out.push(`wider than the screen: ${node.localName} ${node.className}`)
  }
  return out
})

async function open(user, screen, params = {}) {
  const app = new App(await browsers.phone(cloud.url, { user, ...screen.params, ...params }, { context: screen.context }))
  if (screen.size) await app.page.evaluate((size) => window.__mp.app().yunliao.settings.set('textSize', size), screen.size)
  await app.phone.settle()
  return app
}

const LONG = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft'
const ANSWER = `# ${LONG}\n\n一段\`${'code'.repeat(30)}\`和${'👨‍👩‍👧‍👦'.repeat(12)}，[链接](https://example.com/${'a'.repeat(120)})，https://example.com/${'b'.repeat(150)}\n\n` +
  `> > ${LONG}\n\n- [ ] ${LONG}\n- [x] 好\n\n\`\`\`js\nconst a = '${'x'.repeat(200)}'\n\`\`\`\n\n| 一 | ${LONG} | 三 | 四 |\n|---|:-:|--:|---|\n| 1 | 2 | 3 | 4 |\n\nمرحبا بالعالم، هذا نص عربي طويل ${'א'.repeat(200)}\n`

for (const screen of SCREENS) {
  test(`${screen.name}: every page, in its states`, async () => {
    const user = `walker-${screen.context.viewport.width}`
    const found = {}
    const look = async (app, what) => { found[what] = await faults(app) }

    const newcomer = await open(`${user}-new`, screen)
    await newcomer.sees(newcomer.t.agree)
    await look(newcomer, 'consent')
    await newcomer.phone.done()

    await cloud.agree(user)
    const app = await open(user, screen)
    await app.sees(app.t.welcome)
    await look(app, 'welcome')
    await cloud.set('relay', { answer: ANSWER, reasoning: `想一想 ${LONG}`, tokens_per_second: 0, match: 'access-1' })
    await app.ask(`access-1 ${LONG}${'字'.repeat(300)}`)
    await app.press(/思考/)
    await look(app, 'answer')
    await app.top.getByRole('button', { name: app.t.toEnd }).or(app.top.locator('.end')).first().waitFor({ state: 'attached' })
    await app.page.evaluate(() => window.__mp.page().chat.startEdit(window.__mp.page().data.recent[0].key))
    await app.sees(app.t.editing)
    await look(app, 'editing')
    await app.press(app.t.cancel)
    await cloud.set('gateway', { platform_error: -501000, times: 1, match: '/v1/turns' })
    await app.send('会失败的一句')
    await app.when((c) => c.recent.some((m) => m.state === 'failed'), 'the failure')
    await look(app, 'failed')
    await app.phone.control('offline')
    await app.send('没有网络的一句')
    await app.sees(app.t.waitingNet)
    await look(app, 'offline')
    await app.phone.control('online')
    await app.idle()

    const id = (await app.chat()).conversationId
    await cloud.call(user, 'PUT', `/v1/conversations/${id}`, { title: `${LONG}${'题'.repeat(40)}`.slice(0, 60) })
    await app.press(app.t.conversations)
    await app.sees('Donau')
    await look(app, 'conversations')
    await app.page.evaluate((chosen) => window.__mp.page().setData({ swiped: chosen, shift: -152 }), id)
    await look(app, 'swiped')
    await app.press(app.t.delete)
    await app.sees(app.t.undo)
    await look(app, 'undo')
    await app.phone.done()

    for (const route of ['settings', 'about', 'document', 'privacy', 'credits']) {
      const page = await open(user, screen, { route: `pages/${route}/${route}` })
      await until(async () => (await page.text()).length > 20, route)
      await look(page, route)
      await page.phone.done()
    }
    assert.deepEqual(Object.entries(found).filter(([, list]) => list.length), [])
  })
}

test('with motion reduced, by the phone or by the setting, nothing moves by itself', async () => {
  for (const way of ['phone', 'setting']) {
    const user = `calm-${way}`
    await cloud.agree(user)
    const app = new App(await browsers.phone(cloud.url, { user }, { context: way === 'phone' ? { reducedMotion: 'reduce' } : {} }))
    if (way === 'setting') await app.page.evaluate(() => window.__mp.app().yunliao.settings.set('reducedMotion', true))
    await cloud.set('relay', { reasoning: '想'.repeat(400), answer: '答案。', tokens_per_second: 40, match: 'calm-1' })
    await app.send('calm-1')
    await app.when((c) => c.recent.some((m) => m.thinking), 'the thinking')
    const moving = await app.top.evaluate((layer) => layer.getAnimations({ subtree: true }).filter((one) => one.playState === 'running' && one.effect.getComputedTiming().iterations === Infinity)
      .map((one) => `${one.animationName} ${one.effect.target.className}`))
    assert.deepEqual(moving, [], way)
    await app.stopButton.click()
    await app.phone.done()
  }
})

test('the keyboard lifts the field and covers nothing of it', async () => {
  await cloud.agree('typist')
  const app = new App(await browsers.phone(cloud.url, { user: 'typist' }, { context: { viewport: { width: 390, height: 844 } } }))
  await app.field.click()
  await app.phone.control('keyboard', 291)
  await until(async () => {
    const box = await app.field.boundingBox()
    const screen = await app.top.boundingBox()
    return box.y + box.height <= screen.y + screen.height - 291
  }, 'the field above the keyboard')
  await app.phone.control('keyboard', 0)
  await until(async () => (await app.field.boundingBox()).y > 700, 'the field at the bottom again')
  await app.phone.done()
})

test('the head leaves WeChat’s capsule alone, whatever the title and the model are called', async () => {
  await cloud.agree('namer')
  const app = new App(await browsers.phone(cloud.url, { user: 'namer' }, { context: { viewport: { width: 320, height: 568 } } }))
  await app.page.evaluate(() => {
    const page = window.__mp.page()
    window.__mp.app().yunliao.settings.set('model', 'm3')
    page.setData({ title: '标题'.repeat(100) })
  })
  await app.phone.settle()
  const overlap = await app.page.evaluate(() => {
    const capsule = document.querySelector('.mp-capsule').getBoundingClientRect()
    return [...document.querySelectorAll('.mp-layer:not([hidden]) .head *')].filter((node) => {
      const box = node.getBoundingClientRect()
      return node.className !== 'head__row' && box.width && box.right > capsule.left && box.top < capsule.bottom
    }).map((node) => node.className)
  })
  assert.deepEqual(overlap, [])
  await app.phone.done()
})
