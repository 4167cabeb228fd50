'use strict'

// A service whose settings are missing: the mini-program says which and where they go, in both languages, and nothing can be sent.

const { test, before, after } = require('node:test')
const assert = require('node:assert/strict')
const { Browsers } = require('./harness')
const { LocalCloud } = require('./cloud')
const { App } = require('./app')

const browsers = new Browsers()
let cloud

before(async () => {
  cloud = await LocalCloud.start({ unready: true, env: { YUNLIAO_MASTER_KEYS: '', YUNLIAO_APPIDS: 'canary value' } })
  await browsers.open()
})
after(async () => {
  await browsers.close()
  await cloud.stop()
})

test('the page names the missing settings and where they go, and never a value', async () => {
  const app = new App(await browsers.phone(cloud.url, { user: 'owner' }))
  await app.sees('YUNLIAO_MASTER_KEYS 没有填写')
  await app.sees('YUNLIAO_APPIDS 必须是用逗号隔开的 appid')
  await app.sees('服务设置 → 环境变量')
  assert.ok(!(await app.text()).includes('canary'))
  const banner = await app.top.locator('.banner--bad').first().boundingBox()
  assert.ok(banner.y >= 0 && banner.y + banner.height < 700, JSON.stringify(banner))
  await app.phone.done()
})
