'use strict'

// The operators' console in a real browser over the real service: what it shows, what it does, what it never does.

const { test, before, after } = require('node:test')
const assert = require('node:assert/strict')
const { until, endAll } = require('./harness')
const { LocalCloud } = require('./cloud')
const { Desk, launchBrowser, password } = require('./console')

const HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=2</script>"\'`${1}'
const PRICES = { version: 'c-1', models: { 'demo-chat': { input: 2000000, output: 8000000 } }, plans: { free: { daily: 500000 } }, limits: { user_day: 5000000 } }
let cloud
let browser

before(async () => {
  cloud = await LocalCloud.start({ instances: 2, env: { YUNLIAO_RATE_LIMIT: '10000/minute', YUNLIAO_COOLDOWN: 'off', YUNLIAO_PRICES: JSON.stringify(PRICES), YUNLIAO_JOBS_SECRET: 'canary-jobs-secret-1' } })
  browser = await launchBrowser()
})
after(() => endAll(browser, cloud))

/** One turn of `user` to its end; the last event. */
async function ask(user, text) {
  await cloud.agree(user)
  const sent = await cloud.call(user, 'POST', '/v1/turns?wait=5', { client_id: `c-${user}-${Math.random().toString(36).slice(2)}`, text })
  assert.ok(sent.turn, JSON.stringify(sent))
  let now = sent
  let last = now.events[now.events.length - 1]
  while (now.live) {
    now = await cloud.call(user, 'GET', `/v1/turns/${sent.turn.id}/events?after=${now.cursor}&wait=5`)
    last = now.events[now.events.length - 1] || last
  }
  return last
}

test('who signs in sees what goes on; a wrong password says so and nothing else', async () => {
  await ask('early', '你好')
  const desk = await Desk.open(browser, cloud)
  await desk.page.getByLabel('账号名').fill('nobody')
  await desk.page.getByLabel('密码').fill('wrong-password-1')
  await desk.button('登录').click()
  await desk.sees('名称与密码不符')
  await desk.signIn('overlooker')
  await desk.sees('今日对话轮')
  const { days } = await desk.page.evaluate(async () => {
    const { token } = JSON.parse(sessionStorage.getItem('yunliao.console.session'))
    return (await fetch('/op/v1/summary?hours=1&days=1', { headers: { Authorization: `Bearer ${token}` } })).json()
  })
  assert.ok(days[0].turns >= 1)
  assert.equal(await desk.page.getByRole('figure').count(), 3)
  await desk.page.getByRole('button', { name: '30 天' }).click()
  assert.equal(await desk.page.getByRole('button', { name: '30 天' }).getAttribute('aria-pressed'), 'true')
  await desk.page.reload()
  await desk.sees('今日对话轮')
  assert.equal(await desk.page.evaluate(() => Object.keys(localStorage).some((key) => localStorage[key].includes('token')) || document.cookie), '')
  await desk.page.getByRole('button', { name: /^账号/ }).click()
  await desk.button('退出登录').click()
  await desk.page.getByLabel('密码').waitFor()
  assert.equal(await desk.page.evaluate(() => sessionStorage.length), 0)
  await desk.done()
})

test('the overview asks again while it is seen, and not while it is hidden', async () => {
  const desk = await Desk.open(browser, cloud)
  await desk.signIn('watcher')
  await desk.sees('今日对话轮')
  let asked = 0
  desk.page.on('request', (request) => { asked += request.url().includes('/summary') ? 1 : 0 })
  await desk.page.clock.install()
  await desk.go('users')
  await desk.go('overview')
  await until(() => asked === 1, 'the first look')
  await desk.sees('数据截至')
  await desk.page.clock.runFor(5100)
  await until(() => asked === 2, 'a second look after five seconds')
  await desk.settle()
  const seen = (state) => desk.page.evaluate((now) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => now })
    document.dispatchEvent(new Event('visibilitychange'))
  }, state)
  await seen('hidden')
  await desk.page.clock.runFor(60000)
  assert.equal(asked, 2)
  await seen('visible')
  await until(() => asked === 3, 'a look as soon as it is seen')
  await desk.go('users')
  await desk.page.clock.runFor(60000)
  assert.equal(asked, 3)
  await desk.done()
})

test('a user is found by number, suspended with a reason, and back by one press', async () => {
  await cloud.agree('spammer')
  const desk = await Desk.open(browser, cloud)
  await desk.signIn('keeper', 'operator')
  await desk.find('spammer')
  await desk.sees('正常')
  await desk.button('暂停使用').click()
  await desk.dialog.getByLabel('理由').fill('发布广告')
  await desk.dialog.getByLabel('天数').fill('3')
  await desk.dialog.getByRole('button', { name: '暂停使用' }).click()
  await desk.sees('已暂停这个用户')
  await desk.sees('发布广告 (keeper')
  await until(async () => (await cloud.call('spammer', 'GET', '/v1/conversations')).error?.code === 'suspended', 'the user to be refused')
  await desk.button('撤销').click()
  await desk.sees('已撤销')
  await until(async () => (await cloud.call('spammer', 'GET', '/v1/conversations')).conversations, 'the user to be let in')
  assert.equal(await desk.button('发放').count(), 0)
  await desk.done()
})

test('an owner grants credits and takes them back, each once', async () => {
  await cloud.agree('payer')
  const desk = await Desk.open(browser, cloud)
  await desk.signIn('treasurer')
  await desk.find('payer')
  await desk.button('发放').click()
  await desk.dialog.getByLabel('数量（额度）').fill('1.5')
  await desk.dialog.getByLabel('理由').fill('补偿')
  await desk.dialog.getByRole('button', { name: '发放' }).click()
  await desk.sees('已处理： 1.5')
  assert.equal((await cloud.call('payer', 'GET', '/v1/me/credits')).balance, 2000000)
  await desk.button('收回').click()
  await desk.dialog.getByLabel('数量（额度）').fill('900')
  await desk.dialog.getByLabel('理由').fill('误发')
  await desk.dialog.getByRole('button', { name: '收回' }).click()
  await desk.sees('超过可收回的数量')
  await desk.dialog.getByLabel('数量（额度）').fill('1.5')
  await desk.dialog.getByRole('button', { name: '收回' }).click()
  await desk.dialog.waitFor({ state: 'detached' })
  assert.equal((await cloud.call('payer', 'GET', '/v1/me/credits')).balance, 500000)
  await desk.done()
})

test('words of people are read with a reason, shown as words whatever is in them, and named in the audit log', async () => {
  await cloud.set('relay', { answer: HOSTILE, match: 'hostile-question', tokens_per_second: 100000 })
  assert.equal((await ask('hostile', `hostile-question ${HOSTILE}`)).reason, 'complete')
  await cloud.call('hostile', 'POST', '/v1/complaints', { text: `投诉 ${HOSTILE}` })
  const desk = await Desk.open(browser, cloud)
  await desk.signIn('reader')
  await desk.find('hostile')
  await desk.page.getByLabel('理由').fill('核对投诉')
  await desk.button('写明理由并阅读会话').click()
  await desk.page.getByRole('button', { name: /hostile-question/ }).click()
  await desk.page.locator('.message.assistant').waitFor()
  assert.ok((await desk.page.locator('.message.assistant').innerText()).includes('AI 生成'))
  assert.equal(await desk.page.locator('.message.assistant .text').first().innerText(), HOSTILE)
  assert.ok((await desk.page.locator('.message.user').innerText()).includes(HOSTILE))

  await desk.go('cases')
  await desk.page.getByRole('link', { name: /投诉/ }).first().click()
  await desk.page.getByLabel('理由').fill('核对投诉内容')
  await desk.button('写明理由并阅读投诉').click()
  await desk.sees(`投诉 ${HOSTILE}`)
  await desk.button('标记为已查看').click()
  await desk.sees('reader')
  await desk.button('裁定').click()
  await desk.dialog.getByLabel('结论').selectOption('noted')
  await desk.dialog.getByLabel('备注').fill(HOSTILE)
  await desk.dialog.getByRole('button', { name: '裁定' }).click()
  await desk.sees('已裁定')
  await desk.sees(HOSTILE)

  await desk.go('audit')
  await desk.page.getByLabel('做了什么').fill('user.read')
  await desk.button('筛选').click()
  await desk.sees('核对投诉内容')
  await desk.settle()
  assert.ok(!(await desk.page.locator('.rows').innerText()).includes('login'))
  await desk.button('校验完整性').click()
  await desk.sees('完整，条数')
  assert.equal(await desk.page.evaluate(() => window.hacked), undefined)
  await desk.done()
})

test('a word list is tried, put in force for the users, and taken back by one press', async () => {
  const desk = await Desk.open(browser, cloud)
  await desk.signIn('lister', 'operator')
  await desk.go('lists')
  await desk.button('新建版本').click()
  await desk.dialog.getByLabel('词，一行一个').fill('金丝雀词\n另一个词')
  await desk.dialog.getByLabel('备注').fill('第一版')
  await desk.dialog.getByRole('button', { name: '保存并启用' }).click()
  await desk.sees('已启用')
  await desk.page.getByLabel('文字', { exact: true }).fill('含有金丝雀词的话')
  await desk.button('试一试').click()
  await desk.sees('会被拦截')
  await until(async () => (await ask('blocked', '说说金丝雀词')).error?.code === 'blocked_input', 'the list to be in force on every instance')
  await desk.button('撤销').click()
  await until(async () => (await ask('blocked', '说说金丝雀词')).reason === 'complete', 'the list to be gone on every instance')
  await desk.settle()
  await desk.button('查看').first().click()
  await desk.page.getByLabel('版本 1').waitFor()
  assert.equal(await desk.page.getByLabel('版本 1').inputValue(), '金丝雀词\n另一个词')
  await desk.done()
})

test('an upstream is tried with a real generation, switched off for all instances, and on again', async () => {
  const desk = await Desk.open(browser, cloud)
  await desk.signIn('switcher', 'operator')
  await desk.go('relays')
  const asked = (await cloud.order('relay/requests')).total
  await desk.button('测试').click()
  await until(async () => /首字 [\d.]+ (ms|s)/.test(await desk.page.locator('.result').innerText().catch(() => '')), 'the time to first text')
  assert.equal((await cloud.order('relay/requests')).total, asked + 1)
  await cloud.set('relay', { status: 401, times: 1, match: '只回答一个字' })
  await desk.button('测试').click()
  await desk.sees('relay_refused (status 401)')

  await desk.button('关闭').click()
  await desk.dialog.getByLabel('理由').fill('回答不对')
  await desk.dialog.getByRole('button', { name: '关闭' }).click()
  await desk.sees('这些模型现在没有上游可用： demo-chat')
  await desk.sees('switcher · 回答不对')
  let inARow = 0
  await until(async () => {
    inARow = (await ask('stranded', '你好')).error?.code === 'relay_overloaded' ? inARow + 1 : 0
    return inARow === 4 // both instances take their turns
  }, 'the switch to hold on every instance', 60000)
  await desk.button('撤销').click()
  await desk.sees('已撤销')
  await until(async () => (await ask('stranded', '你好')).reason === 'complete', 'the upstream to be asked again')
  await desk.settle()
  assert.ok(!(await desk.text()).includes('回答不对'))
  await desk.done()
})

test('a session that ends in mid-work is renewed on top, and what was typed is sent', async () => {
  await cloud.agree('typed')
  const desk = await Desk.open(browser, cloud)
  await desk.signIn('sleeper', 'operator')
  await desk.find('typed')
  await desk.button('暂停使用').click()
  await desk.dialog.getByLabel('理由').fill('写了很久的理由')
  await cloud.operate('operators', 'logout', 'sleeper')
  await desk.dialog.getByRole('button', { name: '暂停使用' }).click()
  await desk.sees('登录已过期')
  await desk.page.getByLabel('密码').fill('wrong-password-1')
  await desk.page.getByRole('dialog', { name: '请重新登录' }).getByRole('button', { name: '登录' }).click()
  await desk.sees('名称与密码不符')
  await desk.page.getByLabel('密码').fill(await password(cloud, 'sleeper'))
  await desk.page.getByRole('dialog', { name: '请重新登录' }).getByRole('button', { name: '登录' }).click()
  await desk.sees('写了很久的理由 (sleeper')
  await desk.done()
})

test('settings, models and prices are shown, and no secret anywhere', async () => {
  const desk = await Desk.open(browser, cloud)
  const bodies = []
  desk.page.on('response', async (response) => bodies.push(await response.text().catch(() => '')))
  await desk.signIn('looker', 'viewer')
  for (const tab of ['overview', 'users', 'cases', 'lists', 'relays', 'models', 'settings', 'audit', 'operators']) {
    await desk.go(tab)
    for (const secret of ['canary-jobs-secret-1', 'sqlite:', 'local1:']) assert.ok(!(await desk.text()).includes(secret), `${secret} in ${tab}`)
    const changing = ['关闭', '测试', '新建版本', '登记投诉', '裁定', '暂停使用', '停用词表', '新建账号']
    for (const name of changing) assert.equal(await desk.button(name).count(), 0, `${name} in ${tab}`)
  }
  assert.ok(!bodies.some((body) => body.includes('canary-jobs-secret-1')))
  await desk.go('settings')
  await desk.page.getByLabel('筛选').fill('JOBS')
  await desk.sees('已设置')
  await desk.go('models')
  await desk.sees('输出 8')
  await desk.go('audit')
  await desk.sees('只有所有者可以看审计日志')
  await desk.done()
})

test('an owner makes an account, hands its password over, and takes it away at once', async () => {
  const desk = await Desk.open(browser, cloud)
  await desk.signIn('founder')
  await desk.go('operators')
  await desk.button('新建账号').click()
  await desk.dialog.getByLabel('账号名').fill('novice')
  await desk.dialog.getByLabel('角色').selectOption('operator')
  await desk.dialog.getByRole('button', { name: '新建账号' }).click()
  await desk.sees('只显示这一次')
  const given = await desk.page.locator('.code').innerText()
  await desk.button('知道了').click()
  const novice = await Desk.open(browser, cloud)
  await novice.page.getByLabel('账号名').fill('novice')
  await novice.page.getByLabel('密码').fill(given)
  await novice.button('登录').click()
  await novice.sees('novice · 运营')

  await desk.button('停用 novice').click()
  await desk.dialog.getByRole('button', { name: '停用' }).click()
  await desk.sees('账号已停用')
  await novice.page.evaluate(() => { window.location.hash = '#/relays' })
  await novice.sees('登录已过期')
  await novice.button('换一个账号').click()
  await novice.page.getByLabel('账号名').waitFor()
  assert.equal(await novice.page.evaluate(() => sessionStorage.length), 0)
  await novice.done()
  await desk.settle()
  assert.equal(await desk.button('停用 founder').count(), 0)
  await desk.done()
})

test('without the service it says so and goes on when it is back', async () => {
  const desk = await Desk.open(browser, cloud)
  desk.expected = /status of (401|400|404|429)|ERR_/
  await desk.signIn('offline')
  await desk.sees('今日对话轮')
  await desk.context.setOffline(true)
  await desk.page.evaluate(() => { window.location.hash = '#/relays' })
  await desk.sees('连不上服务')
  await desk.context.setOffline(false)
  await desk.button('重试').click()
  await desk.sees('熔断器')
  await desk.done()
})

test('no markup, no script and no address but its own gets into the page, even from inside it', async () => {
  const desk = await Desk.open(browser, cloud)
  const tried = await desk.page.evaluate(async () => {
    const attempt = (work) => { try { work(); return 'done' } catch (error) { return error.name } }
    const found = { markup: attempt(() => { document.body.innerHTML = '<b>bold</b>' }), script: attempt(() => { document.createElement('script').src = '/op/console/main.js' }) }
    const style = document.createElement('style')
    style.textContent = 'body { color: red }'
    document.head.append(style)
    const image = document.createElement('img')
    image.src = 'http://127.0.0.1:9/x.png'
    document.body.append(image)
    found.elsewhere = await fetch('http://127.0.0.1:9/').then(() => 'done', (error) => error.name)
    found.red = getComputedStyle(document.body).color === 'rgb(255, 0, 0)'
    return found
  })
  assert.deepEqual(tried, { markup: 'TypeError', script: 'TypeError', elsewhere: 'TypeError', red: false })
  const violations = await desk.page.evaluate(() => window.violations.map((one) => one.split(' ')[0]))
  for (const directive of ['require-trusted-types-for', 'style-src-elem', 'img-src', 'connect-src']) assert.ok(violations.includes(directive), `${directive} in ${violations}`)
  const frame = await desk.page.evaluate(async () => (await fetch('/op/console')).headers.get('content-security-policy'))
  assert.match(frame, /frame-ancestors 'none'/)
  await desk.context.close()
})
