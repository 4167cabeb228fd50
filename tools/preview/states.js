'use strict'

/*
 * The main states for `screenshots.js`, over the local Cloud Run with its demo model. Each state has a user of its own, so
 * that the pictures of a second run and of the other theme start from nothing.
 */

const { randomBytes } = require('node:crypto')

const run = randomBytes(3).toString('hex')
const MARKDOWN = `## 周末去哪儿

可以试试 **西湖** 环线，全程约 *10 公里*：

1. 断桥出发，沿白堤慢行
2. 走苏堤六桥，早晨人少
3. 在雷峰塔看日落

> 天气好时，傍晚最美。

| 路段 | 距离 | 用时 |
|---|---:|---:|
| 白堤 | 1 km | 15 分钟 |
| 苏堤 | 2.8 km | 45 分钟 |

想算配速，可以用这几行：

\`\`\`python
def pace(km, minutes):
    """Minutes per kilometre."""
    return minutes / km  # 15.0
\`\`\`
`

/** One order to the local Cloud Run's control plane. */
async function order(phone, what, body) {
  const response = await fetch(new URL(`/__local/${what}`, phone.page.url()), {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${what}: ${response.status}`)
}

const store = (phone) => phone.page.evaluate(() => {
  const { chats } = window.__mp.app().yunliao
  return chats.length ? JSON.parse(JSON.stringify(chats[chats.length - 1].state)) : null
})

async function agree(phone) {
  const button = phone.top.getByText('同意并开始使用')
  await button.click()
  await button.waitFor({ state: 'detached' })
}

/** Says something, with the answer prescribed when one is given; waits for the end unless told not to. */
async function say(phone, text, { answer, wait = true, pace = 400, reasoning = '' } = {}) {
  if (answer) await order(phone, 'relay', { answer, reasoning, tokens_per_second: pace, times: 1, match: text })
  await phone.top.locator('wx-textarea textarea').last().fill(text)
  await phone.top.getByLabel('发送', { exact: true }).last().click()
  if (!wait) return
  for (let tries = 0; tries < 400; tries += 1) {
    const state = await store(phone)
    if (state && !state.busy && state.recent.some((m) => m.role === 'assistant' && m.end)) return
    await phone.page.waitForTimeout(100)
  }
  throw new Error('no answer came')
}

const states = [
  { name: 'consent', run: (page, phone) => phone.top.getByText('同意并开始使用').waitFor() },
  { name: 'welcome', run: (page, phone) => agree(phone) },
  {
    name: 'chat',
    run: async (page, phone) => {
      await agree(phone)
      await say(phone, '周末想在杭州走走，有什么建议？', { answer: MARKDOWN })
    },
  },
  {
    name: 'streaming',
    run: async (page, phone) => {
      await agree(phone)
      await say(phone, '帮我写一段关于秋天的文字', { answer: `${'秋天来的时候，风先知道。它从山那边过来，把树叶一片片翻到金黄的一面。'.repeat(20)}`, wait: false, pace: 40 })
      await phone.top.getByText('秋天来的时候').first().waitFor()
      await page.waitForTimeout(1500)
    },
  },
  {
    name: 'blocked',
    run: async (page, phone) => {
      await agree(phone)
      await say(phone, '请说违禁演示词')
    },
  },
  {
    name: 'offline',
    run: async (page, phone) => {
      await agree(phone)
      await phone.control('offline')
      await say(phone, '这条消息会在恢复网络后发出', { wait: false })
      await page.waitForTimeout(600)
    },
  },
  {
    name: 'conversations',
    run: async (page, phone) => {
      await agree(phone)
      for (const text of ['周末去哪儿走走', '解释一下递归', '写一封请假邮件']) {
        await say(phone, text, { answer: '好的，下面是我的想法。' })
        await phone.top.getByLabel('新对话').click()
      }
      await phone.top.getByLabel('对话', { exact: true }).click()
      await phone.top.getByText('周末去哪儿走走').first().waitFor()
    },
  },
  { name: 'settings', run: async (page, phone) => {
    await agree(phone)
    await page.evaluate(() => window.__mp.wx.navigateTo({ url: '/pages/settings/settings' }))
  } },
  { name: 'about', run: async (page, phone) => {
    await agree(phone)
    await page.evaluate(() => window.__mp.wx.navigateTo({ url: '/pages/about/about' }))
  } },
]

module.exports = states.map((state) => ({ ...state, user: (theme) => `shot-${run}-${state.name}-${theme}` }))
