#!/usr/bin/env node
'use strict'

/*
 * A stand-in for the container, for looking at screens and for tests that need an answer of exact words.
 * It keeps everything in memory, has no rules of its own and knows the phrases of ANSWERS; the real container is used
 * where behaviour is tested.
 *
 *   node tests/browser/fake_backend.js --port 8790 --source miniprogram     preview and stand-in at one address
 */

const http = require('node:http')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { WebSocketServer } = require('ws')

const SAMPLE = `## 周末去哪儿

可以试试 **西湖** 环线，全程约 *10 公里*：

1. 断桥出发，沿白堤
2. 苏堤六桥
   - 早晨人少
   - 带水
3. 雷峰塔

> 天气好时傍晚最美。

| 路段 | 距离 | 用时 | 难度 | 适合人群 |
|---|---:|---:|:---:|---|
| 白堤 | 1 km | 15 分钟 | 低 | 所有人 |
| 苏堤 | 2.8 km | 45 分钟 | 低 | 散步的人 |

\`\`\`python
def pace(km, minutes):
    """Minutes per kilometre."""
    return minutes / km  # 15.0
\`\`\`

更多见 [官网](https://example.com/route)，行内代码 \`pace(1, 15)\`。
`

const ANSWERS = {
  default: { text: '你好！我是云聊，很高兴见到你。有什么可以帮你的吗？' },
  'md-demo': { text: SAMPLE },
  'reason-demo': { reasoning: '先想一想题目在问什么。\n再列出已知条件，逐一排除。', text: '答案是 **42**。' },
  'long-demo': { text: Array.from({ length: 40 }, (_, i) => `### 第 ${i + 1} 节\n\n${'这是一段用来填满屏幕的文字。'.repeat(18)}\n`).join('\n') },
  'length-demo': { text: '这个回答因为长度到了上限而停在', reason: 'length' },
  'fail-demo': { text: '说到一半', reason: 'failed', error: { code: 'relay_interrupted', message: '上游中断，请重试。', message_en: 'The model was cut off. Try again.', retryable: true } },
  'retract-demo': { text: '前半句没有问题，后半句会被收回', reason: 'blocked', keep: 0, error: { code: 'blocked_output', message: '回答不符合规范，已收回。', message_en: 'The answer broke the rules and was taken back.', retryable: false } },
  违禁演示词: { text: '', reason: 'blocked', error: { code: 'blocked_input', message: '内容不符合规范，请换个说法。', message_en: 'Your message broke the rules.', retryable: false } },
}

const error = (status, code, message, extra = {}) => ({ status, body: { error: { code, message, message_en: message, retryable: status >= 500 || status === 429, request_id: 'req-0001', status, ...extra } } })

class FakeBackend {
  constructor({ delayMs = 40, consent = true } = {}) {
    this.delayMs = delayMs
    this.users = new Map()
    this.consentByDefault = consent
    this.answers = { ...ANSWERS }
    this.requests = []
    this.refuse = null
    this.count = 0
  }

  id(kind) {
    this.count += 1
    return `${kind}_${String(this.count).padStart(6, '0')}`
  }

  user(name) {
    if (!this.users.has(name)) this.users.set(name, { name, consent: this.consentByDefault, conversations: new Map(), turns: new Map() })
    return this.users.get(name)
  }

  answerFor(text) {
    const key = Object.keys(this.answers).find((k) => k !== 'default' && text.includes(k))
    return this.answers[key || 'default']
  }

  push(turn, event) {
    turn.events.push({ seq: turn.events.length + 1, ...event })
    for (const listener of [...turn.listeners]) listener()
  }

  begin(user, body, kind) {
    const conversation = user.conversations.get(body.conversation_id) || this.conversation(user)
    const now = Date.now()
    const turn = { id: this.id('turn'), client_id: body.client_id, conversation_id: conversation.id, text: body.text, created_at: now, state: 'running', events: [], listeners: new Set(), stopped: false }
    user.turns.set(turn.id, turn)
    let asked = null
    if (kind === 'send') {
      if (body.replaces) conversation.messages.splice(conversation.messages.findIndex((m) => m.id === body.replaces))
      asked = { id: this.id('msg'), turn_id: turn.id, role: 'user', text: body.text, created_at: now, state: 'normal' }
      conversation.messages.push(asked)
      conversation.title = conversation.title || body.text.slice(0, 20)
    } else {
      const last = conversation.messages[conversation.messages.length - 1]
      if (kind === 'regenerate' && last && last.role === 'assistant') conversation.messages.pop()
      asked = conversation.messages.filter((m) => m.role === 'user').pop()
    }
    conversation.last_activity_at = now
    conversation.live = turn
    this.push(turn, { type: 'accepted', turn_id: turn.id, conversation_id: conversation.id, client_id: turn.client_id, user_message_id: asked ? asked.id : '', created_at: now })
    this.run(turn, conversation, this.answerFor(body.text || (asked && asked.text) || ''))
    return turn
  }

  async run(turn, conversation, answer) {
    const wait = () => new Promise((done) => setTimeout(done, this.delayMs))
    const pieces = (text, size) => Array.from({ length: Math.ceil([...text].length / size) }, (_, i) => [...text].slice(i * size, (i + 1) * size).join(''))
    let text = ''
    await wait()
    for (const delta of pieces(answer.reasoning || '', 6)) {
      if (turn.stopped) break
      this.push(turn, { type: 'reasoning', delta })
      await wait()
    }
    for (const delta of pieces(answer.text, answer.text.length > 4000 ? 120 : 8)) {
      if (turn.stopped) break
      text += delta
      this.push(turn, { type: 'text', delta })
      await wait()
    }
    if (answer.keep !== undefined) {
      text = [...text].slice(0, answer.keep).join('')
      this.push(turn, { type: 'retract', keep: answer.keep })
    }
    const reason = turn.stopped ? 'stopped' : answer.reason || 'complete'
    const message = { id: this.id('msg'), turn_id: turn.id, role: 'assistant', text, reasoning: answer.reasoning, created_at: Date.now(), state: reason === 'blocked' ? 'blocked' : 'normal', end_reason: reason, error: answer.error, label: 'AI 生成' }
    conversation.messages.push(message)
    conversation.live = null
    turn.state = 'ended'
    turn.ended = true
    this.push(turn, { type: 'end', reason, message_id: message.id, error: turn.stopped ? undefined : answer.error, usage: { input_tokens: 10, output_tokens: text.length, reasoning_tokens: 0, estimated: true } })
  }

  conversation(user) {
    const conversation = { id: this.id('conv'), title: '', messages: [], created_at: Date.now(), last_activity_at: Date.now() }
    user.conversations.set(conversation.id, conversation)
    return conversation
  }

  view(turn) {
    const { id, conversation_id, client_id, state, created_at } = turn
    return { id, conversation_id, client_id, state, created_at }
  }

  answerOf(turn, after, status = 200) {
    return { status, body: { turn: this.view(turn), turn_id: turn.id, events: turn.events.filter((e) => e.seq > after), cursor: turn.events.length, live: !turn.ended } }
  }

  untilMore(turn, after, seconds) {
    if (turn.events.length > after || turn.ended || !seconds) return Promise.resolve()
    return new Promise((done) => {
      const end = () => {
        turn.listeners.delete(end)
        clearTimeout(timer)
        done()
      }
      const timer = setTimeout(end, seconds * 1000)
      turn.listeners.add(end)
    })
  }

  summary(c) {
    const last = c.messages[c.messages.length - 1]
    return { id: c.id, title: c.title || '新对话', snippet: last ? last.text.slice(0, 40) : '', created_at: c.created_at, last_activity_at: c.last_activity_at, ...(c.live ? { live_turn_id: c.live.id } : {}) }
  }

  start(user, body, kind) {
    const known = [...user.turns.values()].find((t) => t.client_id === body.client_id)
    if (known) return { turn: known, status: 200 }
    if (!user.consent) return error(403, 'consent_required', '请先同意用户协议')
    const live = [...user.turns.values()].find((t) => !t.ended)
    if (live) return error(409, 'turn_in_progress', '上一条还在回答', { turn_id: live.id })
    if (/rate-demo/.test(body.text || '')) return error(429, 'rate_limited', '发送得太快了，请稍候。', { retry_after: 12 })
    return { turn: this.begin(user, body, kind), status: 202 }
  }

  async route(user, method, url, body) {
    const query = url.searchParams
    const parts = url.pathname.split('/').filter(Boolean).slice(1)
    const [what, id, action] = parts
    if (this.refuse) return this.refuse
    if (url.pathname === '/healthz') return { status: 200, body: { ok: true } }
    if (what === 'me' && id === 'consent') {
      user.consent = true
      return { status: 200, body: { consent: this.consentOf(user) } }
    }
    if (what === 'me' && method === 'DELETE') {
      this.users.delete(user.name)
      return { status: 200, body: { deleted: true } }
    }
    if (what === 'me') return { status: 200, body: { user: { id: `u-${user.name}` }, consent: this.consentOf(user), limits: { rate: '5/minute' } } }
    if (what === 'models') return { status: 200, body: { models: [{ id: 'demo', name: '演示模型', default: true }, { id: 'demo-pro', name: '演示模型 Pro', default: false }] } }
    if (what === 'config') return { status: 200, body: CONFIG }
    if (what === 'tickets') return { status: 201, body: { ticket: `${user.name}.${this.id('ticket')}`, expires_in: 60 } }
    if (what === 'messages' && (action === 'feedback' || action === 'report')) return { status: 200, body: { ok: true } }
    if (what === 'turns' && method === 'POST' && !id) {
      const started = this.start(user, body, 'send')
      if (!started.turn) return started
      await this.untilMore(started.turn, 1, Math.min(3, Number(query.get('wait')) || 0))
      return this.answerOf(started.turn, 0, started.status)
    }
    if (what === 'turns') return this.turn(user, method, id, action, query, body)
    if (what === 'search') return { status: 200, body: { results: this.found(user, body.q), next: null, searched: 1 } }
    if (what === 'conversations') return this.conversations(user, method, id, action, body)
    return error(404, 'not_found', '没有找到')
  }

  consentOf(user) {
    return { version: user.consent ? CONFIG.agreement.version : '', current: CONFIG.agreement.version, at: user.consent ? 1 : null, overseas: false }
  }

  async turn(user, method, id, action, query, body) {
    const turn = user.turns.get(id)
    if (!turn) return error(404, 'not_found', '没有找到')
    if (action === 'stop') {
      turn.stopped = true
      return { status: 200, body: { turn: this.view(turn) } }
    }
    if (action === 'regenerate' || action === 'continue') {
      const started = this.start(user, { ...body, conversation_id: turn.conversation_id }, action)
      return started.turn ? this.answerOf(started.turn, 0, started.status) : started
    }
    const after = Number(query.get('after')) || 0
    await this.untilMore(turn, after, Math.min(12, Number(query.get('wait')) || 0))
    return this.answerOf(turn, after)
  }

  found(user, words) {
    return [...user.conversations.values()].filter((c) => !c.deleted).flatMap((c) => c.messages
      .filter((m) => m.text.toLowerCase().includes(words.toLowerCase()))
      .map((m) => ({ kind: m.role === 'user' ? 'question' : 'answer', conversation_id: c.id, title: c.title, message_id: m.id, excerpt: m.text.slice(0, 80), at: m.created_at, label: m.label })))
  }

  conversations(user, method, id, action, body) {
    const list = () => [...user.conversations.values()].filter((c) => !c.deleted).sort((a, b) => b.last_activity_at - a.last_activity_at)
    if (!id && method === 'POST') {
      const c = this.conversation(user)
      c.title = (body && body.title) || ''
      return { status: 201, body: { conversation: this.summary(c) } }
    }
    if (!id) return { status: 200, body: { conversations: list().map((c) => this.summary(c)), next: null } }
    const c = user.conversations.get(id)
    if (!c || (c.deleted && action !== 'restore')) return error(404, 'not_found', '没有找到')
    if (action === 'messages') return { status: 200, body: { messages: c.messages, next: null } }
    if (action === 'restore') c.deleted = false
    else if (method === 'DELETE') {
      c.deleted = true
      return { status: 200, body: { deleted: true, undo_seconds: 30 } }
    } else if (method === 'PUT') c.title = body.title
    return { status: 200, body: { conversation: this.summary(c) } }
  }

  /** Listens on a port of loopback. Resolves `{url, close}`. */
  listen(port = 0) {
    const server = http.createServer(async (request, response) => {
      const chunks = []
      for await (const chunk of request) chunks.push(chunk)
      const url = new URL(request.url, 'http://x')
      this.requests.push(`${request.method} ${request.url}`)
      let body = {}
      try {
        body = chunks.length ? JSON.parse(Buffer.concat(chunks)) : {}
      } catch {
        body = {}
      }
      const user = this.user(request.headers['x-local-user'] || 'demo')
      const answer = await this.route(user, request.method, url, body)
      const status = answer.status >= 400 && request.headers['x-client'] === 'miniprogram' ? 200 : answer.status
      response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'req-0001' }).end(JSON.stringify(answer.body))
    })
    const sockets = new WebSocketServer({ noServer: true })
    server.on('upgrade', (request, socket, head) => {
      const url = new URL(request.url, 'http://x')
      sockets.handleUpgrade(request, socket, head, (ws) => this.socket(ws, url.searchParams.get('local_user') || 'demo'))
    })
    return new Promise((resolve) => {
      server.listen(port, '127.0.0.1', () => resolve({
        url: `http://127.0.0.1:${server.address().port}`,
        close: () => new Promise((done) => {
          for (const ws of sockets.clients) ws.terminate()
          server.close(done)
          server.closeAllConnections()
        }),
      }))
    })
  }

  socket(ws) {
    let user = null
    const say = (frame) => ws.readyState === 1 && ws.send(JSON.stringify(frame))
    const follow = (turn, after) => {
      let cursor = after
      const drain = () => {
        for (; cursor < turn.events.length; cursor += 1) say({ op: 'event', turn: turn.id, event: turn.events[cursor] })
        if (turn.ended) turn.listeners.delete(drain)
      }
      turn.listeners.add(drain)
      ws.on('close', () => turn.listeners.delete(drain))
      drain()
    }
    ws.on('message', (data) => {
      const frame = JSON.parse(data)
      if (frame.op === 'hello') {
        user = this.user(String(frame.ticket).split('.')[0])
        say({ op: 'welcome', heartbeat: 10 })
      } else if (!user) ws.close(4401)
      else if (frame.op === 'ping') say({ op: 'pong', t: frame.t })
      else if (frame.op === 'send') {
        const started = this.start(user, frame, 'send')
        if (!started.turn) return say({ op: 'error', client_id: frame.client_id, error: started.body.error })
        say({ op: 'turn', client_id: frame.client_id, turn: this.view(started.turn), cursor: 0 })
        follow(started.turn, 0)
      } else if (frame.op === 'resume') {
        const turn = user.turns.get(frame.turn)
        if (turn) follow(turn, frame.after || 0)
        else say({ op: 'error', turn: frame.turn, error: error(404, 'not_found', '没有找到').body.error })
      } else if (frame.op === 'stop') {
        const turn = user.turns.get(frame.turn)
        if (turn) turn.stopped = true
      }
      return undefined
    })
  }
}

const CONFIG = {
  name: '云聊', ai_notice: '内容由人工智能生成，请注意甄别', ai_label: 'AI 生成',
  starters: [
    { title: '写一封请假邮件', prompt: '帮我写一封礼貌的请假邮件' }, { title: '周末去哪儿', prompt: 'md-demo 推荐一条周末路线' },
    { title: '解释一段代码', prompt: 'reason-demo 解释这段代码' }, { title: '学一句英语', prompt: '教我一句地道的英语' },
  ],
  provider: { name: '演示大模型', filing: 'Demo-0000', contact: 'demo@example.com' },
  agreement: { version: '1', title: '用户服务协议', markdown: '# 用户服务协议\n\n使用前请阅读。**内容由人工智能生成**。\n\n1. 合法使用\n2. 自行判断' },
  privacy: { version: '1', title: '隐私政策', markdown: '# 隐私政策\n\n我们只保存你的对话。' }, image_hosts: [],
}

async function main() {
  const { values } = parseArgs({ options: {
    port: { type: 'string', default: '8790' }, source: { type: 'string', default: path.join(__dirname, '../../miniprogram') },
    delay: { type: 'string', default: '40' }, 'no-consent': { type: 'boolean', default: false },
  } })
  const { start } = require('../../tools/preview/server')
  const backend = new FakeBackend({ delayMs: Number(values.delay), consent: !values['no-consent'] })
  const api = await backend.listen()
  const page = await start({ source: values.source, upstream: api.url, port: Number(values.port) })
  console.log(`${page.url}  (stand-in for the container at ${api.url})`)
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => Promise.all([page.close(), api.close()]).then(() => process.exit(0)))
}

if (require.main === module) main()

module.exports = { FakeBackend, CONFIG, ANSWERS, SAMPLE }
