'use strict'

// The wx object of the preview: callContainer and its limits, sockets, storage, dialogs, queries, system facts.

const { test, before, after } = require('node:test')
const assert = require('node:assert/strict')
const http = require('node:http')
const { WebSocketServer } = require('ws')
const { Browsers, until, start, FIXTURE, endAll } = require('./harness')

const browsers = new Browsers()
let backend
let server
const seen = []
const held = []

/** A server with answers of every kind that the platform can give. */
function platform() {
  const http1 = http.createServer(async (request, response) => {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    seen.push({ method: request.method, url: request.url, headers: request.headers, body: body.toString() })
    const json = (status, value, headers = {}) => response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
    const path = request.url.split('?')[0]
    if (path === '/v1/hold') held.push(response)
    else if (path === '/v1/platform') json(599, { errCode: 102002, errMsg: 'cloud.callContainer:fail Error: errCode: 102002 | errMsg: 请求超时', callID: 'c-1' }, { 'x-local-errcode': '102002' })
    else if (path === '/v1/big') response.writeHead(200).end('x'.repeat(1024 * 1000 + 1))
    else if (path === '/v1/teapot') json(418, { error: { code: 'teapot' } })
    else if (path === '/v1/text') response.writeHead(200, { 'content-type': 'text/plain' }).end('plain')
    else json(200, { user: request.headers['x-local-user'], query: request.url })
  })
  const sockets = new WebSocketServer({ noServer: true })
  http1.on('upgrade', (request, socket, head) => sockets.handleUpgrade(request, socket, head, (ws) => {
    ws.send(JSON.stringify({ url: request.url }))
    ws.on('message', (data) => (String(data) === 'bye' ? ws.close(4401, 'refused') : ws.send(`echo ${data}`)))
  }))
  return new Promise((resolve) => {
    http1.listen(0, '127.0.0.1', () => resolve({
      url: `http://127.0.0.1:${http1.address().port}`,
      close: () => new Promise((done) => {
        for (const ws of sockets.clients) ws.terminate()
        http1.close(done)
        http1.closeAllConnections()
      }),
    }))
  })
}

before(async () => {
  backend = await platform()
  server = await start({ source: FIXTURE, upstream: backend.url })
  await browsers.open()
})
after(() => endAll(browsers, server, backend))

const open = (params) => browsers.phone(server.url, { route: 'pages/net/net', ...params })

/** Calls a container in the page; gives the result or `{failed: error}`. */
const call = (phone, options) => phone.page.evaluate((o) => {
  const { wx } = window.__mp
  wx.cloud.init({})
  return wx.cloud.callContainer({ config: { env: 'local' }, header: { 'X-WX-SERVICE': 'yunliao', 'X-Client': 'miniprogram' }, ...o }).catch((failed) => ({ failed }))
}, options)

test('callContainer needs init, then gives data, status, header, callID and errMsg', async () => {
  const phone = await open({ user: 'alice' })
  const early = await phone.page.evaluate(() => window.__mp.wx.cloud.callContainer({ path: '/v1/me' }).catch((e) => e.errMsg))
  assert.match(early, /Cloud API isn't enabled/)
  const answer = await call(phone, { path: '/v1/me', data: { a: '云 1' } })
  assert.equal(answer.statusCode, 200)
  assert.deepEqual(answer.data, { user: 'alice', query: '/v1/me?a=%E4%BA%91%201' })
  assert.equal(answer.errMsg, 'cloud.callContainer:ok')
  assert.equal(answer.header['content-type'], 'application/json')
  assert.ok(answer.callID)
  const request = seen.find((r) => r.url.startsWith('/v1/me?a'))
  assert.equal(request.headers['x-wx-service'], 'yunliao')
  const posted = await call(phone, { path: '/v1/turns', method: 'POST', data: { text: 'hi' } })
  assert.equal(posted.statusCode, 200)
  assert.equal(seen.find((r) => r.method === 'POST').body, '{"text":"hi"}')
  await phone.done()
})

test('callContainer with callbacks calls success or fail, and complete', async () => {
  const phone = await open()
  const order = await phone.page.evaluate(() => new Promise((done) => {
    const { wx } = window.__mp
    wx.cloud.init()
    const calls = []
    wx.cloud.callContainer({ path: '/v1/me', header: { 'X-WX-SERVICE': 'yunliao' }, success: (r) => calls.push(`success ${r.statusCode}`), complete: () => {
      calls.push('complete')
      wx.cloud.callContainer({ path: 'nowhere', fail: (e) => calls.push(`fail ${e.errCode}`), complete: () => done(calls) })
    } })
  }))
  assert.deepEqual(order, ['success 200', 'complete', 'fail -501000'])
  await phone.done()
})

test('the platform’s limits and errors reach the caller as WeChat’s', async () => {
  const phone = await open()
  const code = async (options) => (await call(phone, options)).failed.errCode
  assert.equal(await code({ path: '/v1/me', method: 'PATCH' }), 102005)
  assert.equal(await code({ path: '/v1/turns', method: 'POST', data: { text: 'x'.repeat(102400) } }), -606001)
  assert.equal(await code({ path: '/v1/big' }), -606002)
  const timeout = await call(phone, { path: '/v1/platform' })
  assert.deepEqual(timeout.failed, { errCode: 102002, errMsg: 'cloud.callContainer:fail Error: errCode: 102002 | errMsg: 请求超时', callID: 'c-1' })
  const teapot = await call(phone, { path: '/v1/teapot' })
  assert.equal(teapot.statusCode, 418)
  assert.deepEqual(teapot.data, { error: { code: 'teapot' } })
  assert.equal((await call(phone, { path: '/v1/text' })).data, 'plain')
  assert.equal((await call(phone, { path: '/v1/hold', timeout: 300 })).failed.errCode, 102002)
  await phone.done()
})

test('offline: calls under way and new ones fail, the program is told, and it works again after', async () => {
  const phone = await open()
  await phone.page.evaluate(() => {
    window.__network = []
    window.__mp.wx.onNetworkStatusChange((e) => window.__network.push(`${e.isConnected} ${e.networkType}`))
  })
  const before = held.length
  const under = call(phone, { path: '/v1/hold' })
  await until(() => held.length > before, 'the request to arrive')
  await phone.control('offline')
  assert.equal((await under).failed.errCode, -601001)
  assert.equal((await call(phone, { path: '/v1/me' })).failed.errCode, -601001)
  await phone.control('online')
  assert.equal((await call(phone, { path: '/v1/me' })).statusCode, 200)
  assert.deepEqual(await phone.page.evaluate(() => window.__network), ['false none', 'true wifi'])
  await phone.done()
})

test('five seconds in the background interrupt what is under way, and the foreground ends that', async () => {
  const phone = await open()
  await phone.page.clock.install()
  const before = held.length
  const under = call(phone, { path: '/v1/hold' })
  await until(() => held.length > before, 'the request to arrive')
  await phone.control('hide')
  await phone.page.clock.fastForward(5100)
  const { failed } = await under
  assert.equal(failed.errno, 600003)
  assert.match(failed.errMsg, /fail interrupted/)
  assert.equal((await call(phone, { path: '/v1/me' })).failed.errno, 600003)
  await phone.control('show')
  assert.equal((await call(phone, { path: '/v1/me' })).statusCode, 200)
  await phone.done()
})

test('connectContainer: messages both ways, the server’s close code, five at once', async () => {
  const phone = await open({ user: 'bob' })
  const result = await phone.page.evaluate(async () => {
    const { wx } = window.__mp
    wx.cloud.init()
    const got = []
    const { socketTask } = await wx.cloud.connectContainer({ service: 'yunliao', path: '/v1/socket' })
    const closed = new Promise((done) => socketTask.onClose(done))
    socketTask.onMessage((m) => {
      got.push(m.data)
      if (got.length === 1) socketTask.send({ data: 'hello' })
      if (got.length === 2) socketTask.send({ data: 'bye' })
    })
    const { code, reason } = await closed
    const all = []
    for (let i = 0; i < 5; i += 1) all.push((await wx.cloud.connectContainer({ service: 'yunliao', path: '/' })).socketTask)
    const sixth = await wx.cloud.connectContainer({ service: 'yunliao', path: '/' }).catch((e) => e.errMsg)
    for (const task of all) task.close({})
    return { got, code, reason, sixth }
  })
  assert.match(result.got[0], /\/v1\/socket\?local_user=bob&local_service=yunliao/)
  assert.equal(result.got[1], 'echo hello')
  assert.deepEqual([result.code, result.reason], [4401, 'refused'])
  assert.match(result.sixth, /at most 5 sockets/)
  await phone.done()
})

test('going offline cuts open sockets', async () => {
  const phone = await open()
  await phone.page.evaluate(async () => {
    const { wx } = window.__mp
    wx.cloud.init()
    const { socketTask } = await wx.cloud.connectContainer({ service: 'yunliao', path: '/' })
    socketTask.onClose((e) => { window.__closed = e.code })
    await new Promise((done) => socketTask.onOpen(done))
  })
  await phone.control('offline')
  assert.equal(await phone.page.evaluate(() => window.__closed), 1006)
  await phone.done()
})

test('storage is kept per user and within WeChat’s limits', async () => {
  const phone = await open({ user: 'alice' })
  const result = await phone.page.evaluate(async () => {
    const { wx } = window.__mp
    wx.setStorageSync('a', { n: 1 })
    const absent = await wx.getStorage({ key: 'none' }).catch((e) => e.errMsg)
    let large = ''
    try {
      wx.setStorageSync('big', 'x'.repeat(1024 * 1024 + 1))
    } catch (error) {
      large = error.message
    }
    return [wx.getStorageSync('a'), wx.getStorageSync('none'), absent, large, wx.getStorageInfoSync().keys]
  })
  assert.deepEqual(result, [{ n: 1 }, '', 'getStorage:fail data not found', 'setStorageSync:fail exceed max size of one key, 1048576 bytes', ['a']])
  await phone.page.goto(phone.page.url().replace('user=alice', 'user=bob'))
  await phone.ready()
  assert.deepEqual(await phone.page.evaluate(() => window.__mp.wx.getStorageInfoSync().keys), [])
  await phone.page.goto(phone.page.url().replace('user=bob', 'user=alice'))
  await phone.ready()
  assert.deepEqual(await phone.page.evaluate(() => window.__mp.wx.getStorageSync('a')), { n: 1 })
  await phone.done()
})

test('modal, action sheet, toast, loading and clipboard', async () => {
  const phone = await open()
  const ask = (name, options) => phone.page.evaluate(([n, o]) => {
    window.__answer = window.__mp.wx[n](o).catch((e) => e)
  }, [name, options])
  const answer = () => phone.page.evaluate(() => window.__answer)
  await ask('showModal', { title: 'Sure?', content: 'really', confirmText: 'Yes' })
  await phone.page.locator('.mp-modal .mp-confirm').click()
  assert.equal((await answer()).confirm, true)
  await ask('showModal', { title: 'Name', editable: true, content: 'old' })
  await phone.page.locator('.mp-modal textarea').fill('new')
  await phone.page.locator('.mp-modal .mp-confirm').click()
  assert.equal((await answer()).content, 'new')
  await ask('showActionSheet', { itemList: ['one', 'two'] })
  await phone.page.locator('.mp-sheet button', { hasText: 'two' }).click()
  assert.equal((await answer()).tapIndex, 1)
  await ask('showActionSheet', { itemList: ['one'] })
  await phone.page.locator('.mp-sheet .mp-cancel').click()
  assert.equal((await answer()).errMsg, 'showActionSheet:fail cancel')
  await phone.page.evaluate(() => window.__mp.wx.showLoading({ title: 'wait' }))
  assert.equal(await phone.page.locator('.mp-toast').textContent(), 'wait')
  await phone.page.evaluate(() => window.__mp.wx.hideLoading())
  assert.equal(await phone.page.locator('.mp-toast').count(), 0)
  await phone.page.evaluate(() => window.__mp.wx.setClipboardData({ data: 'copied' }))
  assert.equal(await phone.page.evaluate(() => window.__mp.clipboard), 'copied')
  assert.equal((await phone.page.evaluate(() => window.__mp.wx.setClipboardData({ data: 1 }).catch((e) => e))).errMsg.includes('fail'), true)
  await phone.done()
})

test('selector queries answer in page coordinates; system facts are those of the frame', async () => {
  const phone = await browsers.phone(server.url, { route: 'pages/sink/sink', fontsize: '23', lang: 'en', theme: 'dark' })
  const { rect, offset, missing, view } = await phone.page.evaluate(() => new Promise((done) => {
    const query = window.__mp.wx.createSelectorQuery()
    query.select('#wxs').boundingClientRect()
    query.select('#sv').fields({ scrollOffset: true, size: true, dataset: true, computedStyle: ['overflowY'] })
    query.select('#nothing').boundingClientRect()
    query.selectViewport().scrollOffset()
    query.exec(([r, o, m, v]) => done({ rect: r, offset: o, missing: m, view: v }))
  }))
  assert.deepEqual([rect.left, rect.top, rect.width, rect.id], [0, 0, 390, 'wxs'])
  assert.deepEqual([offset.height, offset.scrollTop, offset.scrollHeight, offset.overflowY], [120, 0, 240, 'auto'])
  assert.equal(missing, null)
  assert.equal(view.scrollTop, 0)
  const facts = await phone.page.evaluate(() => {
    const { wx } = window.__mp
    return { ...wx.getWindowInfo(), ...wx.getAppBaseInfo(), capsule: wx.getMenuButtonBoundingClientRect() }
  })
  assert.deepEqual([facts.windowWidth, facts.statusBarHeight, facts.language, facts.theme, facts.fontSizeSetting], [390, 47, 'en', 'dark', 23])
  assert.equal(facts.screenHeight - facts.windowHeight, 47 + 44)
  assert.equal(facts.safeArea.bottom, facts.screenHeight - 34)
  assert.ok(facts.capsule.top >= 47 && facts.capsule.right < 390)
  await phone.done()
})

test('a member that the shim lacks is named', async () => {
  const phone = await open()
  assert.equal(await phone.page.evaluate(() => typeof window.__mp.wx.makeCoffee), 'undefined')
  assert.deepEqual(await phone.unshimmed(), ['wx.makeCoffee'])
  assert.deepEqual(await phone.page.evaluate(() => ['cloud.callContainer', 'showToast', 'makeCoffee'].map((n) => window.__mp.wx.canIUse(n))), [true, true, false])
  await phone.context.close()
})

test('slow network delays, keeps order, and can be switched off', async () => {
  const phone = await open()
  await phone.control('slow', 200)
  const result = await phone.page.evaluate(async () => {
    const { wx } = window.__mp
    wx.cloud.init()
    const { socketTask } = await wx.cloud.connectContainer({ service: 'yunliao', path: '/' })
    const got = []
    await new Promise((done) => {
      socketTask.onOpen(() => { for (const data of ['1', '2', '3']) socketTask.send({ data }) })
      socketTask.onMessage((m) => got.push(m.data) === 4 && done())
    })
    socketTask.close({})
    return got.slice(1)
  })
  assert.deepEqual(result, ['echo 1', 'echo 2', 'echo 3'])
  await phone.control('slow', 0)
  assert.equal((await call(phone, { path: '/v1/me' })).statusCode, 200)
  await phone.done()
})

test('the soft keyboard has a height that the page hears of', async () => {
  const phone = await browsers.phone(server.url)
  await phone.control('keyboard', 291)
  await phone.page.evaluate(() => {
    window.__heights = []
    window.__mp.wx.onKeyboardHeightChange((e) => window.__heights.push(e.height))
  })
  await phone.top.locator('wx-input input').focus()
  await phone.page.evaluate(() => window.__mp.wx.hideKeyboard())
  assert.deepEqual(await phone.page.evaluate(() => window.__heights), [291, 0])
  await phone.done()
})
