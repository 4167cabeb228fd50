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

const TALKS = [
  ['写一封请假邮件', '主题：请假一天\n\n王经理，您好：我因感冒发烧，申请明天请病假一天。'],
  ['解释一下什么是递归', '递归就是一个函数调用它自己，直到问题小到可以直接回答。'],
  ['番茄炒蛋怎么做才嫩', '蛋液里加一小勺水，油热后关小火，凝固一半就盛出来。'],
  ['周末想在杭州走走，有什么建议？', '可以试试西湖环线：断桥出发，沿白堤慢行，在雷峰塔看日落。'],
]

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

/** One call as the mini-program of the phone's user makes it. */
async function call(phone, method, target, body) {
  const { origin, searchParams } = new URL(phone.page.url())
  const response = await fetch(origin + target, {
    method, headers: { 'X-WX-SERVICE': 'yunliao', 'X-Local-User': searchParams.get('user'), 'content-type': 'application/json' }, body: JSON.stringify(body),
  })
  return response.json()
}

async function agree(phone) {
  const button = phone.top.getByText(/^(同意并开始使用|Agree and start)$/)
  await button.click()
  await button.waitFor({ state: 'detached' })
}

/** Says something, with the answer prescribed when one is given; waits for the end unless told not to. */
async function say(phone, text, { answer, wait = true, pace = 400, reasoning = '', ...switches } = {}) {
  if (answer) await order(phone, 'relay', { answer, reasoning, tokens_per_second: pace, times: 1, match: text, ...switches })
  await phone.top.locator('wx-textarea textarea').last().fill(text)
  await phone.top.getByLabel(/^(发送|Send)$/).last().click()
  if (!wait) return
  for (let tries = 0; tries < 400; tries += 1) {
    const state = await store(phone)
    if (state && !state.busy && state.recent.some((m) => m.role === 'assistant' && m.end)) return
    await phone.page.waitForTimeout(100)
  }
  throw new Error('no answer came')
}

/** One call of the operators' API as a machine in the VPC makes it. */
async function desk(phone, path, body, token) {
  const response = await fetch(new URL(`/op/v1${path}`, phone.page.url()), {
    method: 'POST', headers: { 'content-type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) }, body: JSON.stringify(body),
  })
  return response.json()
}

/** The operator alice at work on the phone. */
async function operator(page, phone, password) {
  await agree(phone)
  const { token } = await desk(phone, '/login', { name: 'alice', password })
  const { code } = await desk(phone, '/bindings', {}, token)
  await page.evaluate(() => window.__mp.wx.navigateTo({ url: '/pages/operator/operator' }))
  await phone.top.locator('wx-input input').fill(code)
  await phone.top.getByLabel('绑定').click()
  await phone.top.getByText('今日对话轮').waitFor()
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
    name: 'reasoning',
    run: async (page, phone) => {
      await agree(phone)
      await say(phone, '鸡兔同笼，共 35 个头、94 只脚，各有几只？', {
        reasoning: '先设兔有 x 只，鸡有 35 - x 只。\n脚的总数：4x + 2(35 - x) = 94。\n化简得 2x = 24，所以 x = 12。\n验算：12 × 4 + 23 × 2 = 94，正确。',
        answer: '**兔 12 只，鸡 23 只。**\n\n设兔有 x 只，则 4x + 2(35 − x) = 94，解得 x = 12。',
      })
      await phone.top.getByText(/已思考|思考过程/).first().click()
    },
  },
  {
    name: 'thinking',
    run: async (page, phone) => {
      await agree(phone)
      await say(phone, '这道题怎么解？', { reasoning: '先看题目给了什么条件。'.repeat(40), answer: '好。', wait: false, pace: 30 })
      await phone.top.getByText(/正在思考 [2-9]/).first().waitFor()
    },
  },
  {
    name: 'failed',
    run: async (page, phone) => {
      await agree(phone)
      await say(phone, '写一首关于雨的短诗', { answer: '雨从屋檐落下来，\n\n一滴一滴数着夜的长短，\n\n窗里的灯还亮着。', cut_at_percent: 60, cut_how: 'reset', times: 99, match: '' })
      await order(phone, 'relay', { reset: true })
    },
  },
  {
    name: 'length',
    run: async (page, phone) => {
      await agree(phone)
      await say(phone, '讲一个很长的故事', { answer: '很久以前，山脚下有一个小镇。镇上的人都靠一条河生活，河水清得能看见石头上的纹路。', finish_reason: 'length' })
    },
  },
  {
    name: 'rate-limited',
    run: async (page, phone) => {
      await agree(phone)
      for (let i = 0, refused = false; i < 200 && !refused; i += 1) refused = (await call(phone, 'POST', '/v1/turns?wait=5', { client_id: `${run}-limit-${i}`, text: `违禁演示词 ${i}` })).error?.code === 'rate_limited'
      await say(phone, '再问一个问题', { wait: false })
      await phone.top.getByText(/秒后自动发送/).waitFor()
    },
  },
  {
    name: 'unknown-error',
    run: async (page, phone) => {
      await agree(phone)
      await order(phone, 'faults', { platform_error: -501000, times: 1, match: '/v1/turns' })
      await say(phone, '今天吃什么？', { wait: false })
      await phone.top.getByText('未发送').waitFor()
    },
  },
  {
    name: 'english',
    params: { lang: 'en' },
    run: async (page, phone) => {
      await agree(phone)
      await say(phone, 'Give me three ideas for a rainy Sunday', { answer: 'Here are **three ideas**:\n\n1. Bake bread: slow, warm, and it smells wonderful.\n2. Visit a small museum you have never been to.\n3. Write a letter by hand.\n\n> The best plan is the one you enjoy.' })
    },
  },
  {
    name: 'largest-text',
    params: { fontsize: '23' },
    run: async (page, phone) => {
      await agree(phone)
      await page.evaluate(() => window.__mp.app().yunliao.settings.set('textSize', 'huge'))
      await say(phone, '周末去哪儿？', { answer: '可以试试 **西湖** 环线：\n\n1. 断桥出发\n2. 走苏堤六桥\n\n全程约 `10 km`，慢慢走。' })
    },
  },
  {
    name: 'largest-settings',
    params: { fontsize: '23' },
    run: async (page, phone) => {
      await agree(phone)
      await page.evaluate(() => window.__mp.app().yunliao.settings.set('textSize', 'huge'))
      await page.evaluate(() => window.__mp.wx.navigateTo({ url: '/pages/settings/settings' }))
    },
  },
  {
    name: 'empty',
    run: async (page, phone) => {
      await agree(phone)
      await phone.top.getByLabel('对话', { exact: true }).click()
      await phone.top.getByText('还没有对话').waitFor()
    },
  },
  {
    name: 'editing',
    run: async (page, phone) => {
      await agree(phone)
      await say(phone, '推荐一本书', { answer: '可以看看《活着》。' })
      await page.evaluate(() => window.__mp.page().chat.startEdit(window.__mp.page().data.recent[0].key))
    },
  },
  {
    name: 'menu',
    run: async (page, phone) => {
      await agree(phone)
      await say(phone, '推荐一本书', { answer: '可以看看《活着》。' })
      await phone.top.getByLabel('更多操作').last().click()
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
      for (const [text, answer] of TALKS) {
        await say(phone, text, { answer })
        await phone.top.getByLabel('新对话').click()
      }
      await phone.top.getByLabel('对话', { exact: true }).click()
      await phone.top.getByText(TALKS[0][0]).first().waitFor()
    },
  },
  { name: 'settings', run: async (page, phone) => {
    await agree(phone)
    await page.evaluate(() => window.__mp.wx.navigateTo({ url: '/pages/settings/settings' }))
  } },
  {
    name: 'credits',
    run: async (page, phone) => {
      await agree(phone)
      for (const text of ['周末去哪儿走走', '解释一下递归', '写一封请假邮件']) await say(phone, text, { answer: '好的，下面是我的想法。'.repeat(30) })
      await page.evaluate(() => window.__mp.wx.navigateTo({ url: '/pages/credits/credits' }))
      await phone.top.getByText('每日免费额度').waitFor()
    },
  },
  {
    name: 'receipt',
    run: async (page, phone) => {
      await agree(phone)
      await say(phone, '帮我写一段关于秋天的文字', { answer: '秋天来的时候，风先知道。它从山那边过来，把树叶一片片翻到金黄的一面。'.repeat(40), wait: false, pace: 60 })
      await phone.top.getByText('秋天来的时候').first().waitFor()
      await page.waitForTimeout(1500)
      await phone.top.getByLabel('停止', { exact: true }).click()
      const menu = phone.top.getByLabel('更多操作').last()
      await menu.waitFor()
      await page.waitForTimeout(1500)
      await menu.click()
      await page.locator('.mp-sheet button', { hasText: '用量与费用' }).click()
      await phone.top.getByText('停止省下').waitFor()
    },
  },
  {
    name: 'no-credits',
    run: async (page, phone) => {
      await agree(phone)
      await page.evaluate(() => window.__mp.app().yunliao.settings.set('model', 'demo-dear'))
      await say(phone, '帮我写一本小说', { wait: false })
      await phone.top.getByText('额度不够').waitFor()
    },
  },
  { name: 'privacy', run: async (page, phone) => {
    await agree(phone)
    await page.evaluate(() => window.__mp.wx.navigateTo({ url: '/pages/privacy/privacy' }))
    await phone.top.getByText('同意时间').waitFor()
  } },
  {
    name: 'export',
    run: async (page, phone) => {
      await agree(phone)
      await say(phone, '推荐一本书', { answer: '可以看看《活着》。' })
      await page.evaluate(() => window.__mp.wx.navigateTo({ url: '/pages/privacy/privacy' }))
      await phone.top.getByLabel('可读文本（Markdown）').click()
      await phone.top.getByText('文件已备好').waitFor()
    },
  },
  {
    name: 'erased',
    run: async (page, phone) => {
      await agree(phone)
      await say(phone, '推荐一本书', { answer: '可以看看《活着》。' })
      await page.evaluate(() => window.__mp.wx.navigateTo({ url: '/pages/privacy/privacy' }))
      await phone.top.getByLabel('删除我的全部数据').click()
      for (let question = 0; question < 2; question += 1) await page.locator('.mp-modal .mp-confirm').click()
      await phone.top.getByText('删除回执').or(phone.top.getByText('回执编号')).first().waitFor()
    },
  },
  { name: 'operator-code', run: async (page, phone) => {
    await agree(phone)
    await page.evaluate(() => window.__mp.wx.navigateTo({ url: '/pages/operator/operator' }))
    await phone.top.getByText('一次性代码').first().waitFor()
  } },
  { name: 'operator', operator: true, run: (page, phone, password) => operator(page, phone, password) },
  {
    name: 'operator-relays',
    operator: true,
    run: async (page, phone, password) => {
      await operator(page, phone, password)
      await phone.top.getByLabel('上游', { exact: true }).click()
      await phone.top.getByLabel('测试 relay').click()
      await phone.top.getByText(/^[\d.]+ (ms|s)$/).waitFor()
    },
  },
  { name: 'about', run: async (page, phone) => {
    await agree(phone)
    await page.evaluate(() => window.__mp.wx.navigateTo({ url: '/pages/about/about' }))
  } },
]

module.exports = states.map((state) => ({ ...state, user: (theme) => `shot-${run}-${state.name}-${theme}` }))
