// The panel beside the phone: buttons that do to the mini-program what a day in a pocket does.
const LABELS = {
  hide: ['切到后台', 'Hide'], show: ['回到前台', 'Show'], offline: ['断开网络', 'Offline'], online: ['恢复网络', 'Online'],
  slow: ['弱网', 'Slow network'], light: ['浅色', 'Light'], dark: ['深色', 'Dark'], cold: ['冷启动', 'Cold start'],
  kill: ['关闭一个实例', 'Kill an instance'], font: ['大字号', 'Large font'], keyboard: ['软键盘', 'Keyboard'],
  ios: ['套接字无身份', 'iOS sockets'], cut: ['切断套接字', 'Cut sockets'],
  reset: ['清空本机数据', 'Reset storage'], reload: ['重新打开', 'Reopen'],
}

function make(tag, className, text) {
  const node = document.createElement(tag)
  if (className) node.className = className
  if (text !== undefined) node.textContent = text
  return node
}

function button(name, act) {
  const [zh, en] = LABELS[name]
  const b = make('button', 'mp-key')
  b.type = 'button'
  b.dataset.act = name
  b.append(make('b', '', zh), make('span', '', en))
  b.addEventListener('click', act)
  return b
}

function group(zh, en, ...buttons) {
  const box = make('section', 'mp-group')
  const title = make('h2', '', zh)
  title.appendChild(make('span', '', en))
  const keys = make('div', 'mp-keys')
  keys.append(...buttons)
  box.append(title, keys)
  return box
}

async function gateway(path, body) {
  const response = await fetch(`/__local/${path}`, body === undefined ? {} : {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`HTTP ${response.status}`)
  return response.json()
}

// Buttons that need the local Cloud Run.
const CLOUD = ['cold', 'kill', 'cut', 'ios']
// Long enough to see what the mini-program says while the service wakes.
const COLD_SECONDS = 4

export function startPanel({ manifest, control, phone, log, stack, on }) {
  const panel = document.getElementById('mp-panel')
  if (!panel || phone.params.get('panel') === '0') return void (panel && panel.remove())
  const said = make('p', 'mp-said')
  said.setAttribute('role', 'status')
  const say = (text) => {
    said.textContent = text
  }
  const withGateway = (action) => async () => {
    try {
      await action()
    } catch (error) {
      say(`本地云托管没有应答 The local Cloud Run did not answer: ${error.message}`)
    }
    refresh()
  }
  const keys = {
    hide: button('hide', () => control.hide()),
    show: button('show', () => control.show()),
    offline: button('offline', () => control.offline()),
    online: button('online', () => control.online()),
    slow: button('slow', () => control.slow(phone.slowMs ? 0 : 1500)),
    light: button('light', () => control.theme('light')),
    dark: button('dark', () => control.theme('dark')),
    font: button('font', () => control.reopen({ fontsize: phone.fontSize > 16 ? null : 23 })),
    keyboard: button('keyboard', () => control.keyboard(panel.dataset.keyboard ? 0 : 291)),
    cold: button('cold', withGateway(async () => {
      await gateway('faults', { cold_start_seconds: COLD_SECONDS })
      await gateway('scale-to-zero', {})
      control.reopen({})
    })),
    kill: button('kill', withGateway(async () => {
      const victim = ((await gateway('state')).instances || []).find((instance) => instance.state === 'ready')
      if (!victim) return say('没有正在运行的实例 No instance is running')
      await gateway(`instances/${victim.n}/kill`, {})
      return say(`已关闭实例 ${victim.n} Killed instance ${victim.n}`)
    })),
    cut: button('cut', withGateway(async () => {
      const { cut } = await gateway('sockets/cut', { user: phone.user })
      say(`切断了 ${cut} 个连接 Cut ${cut} sockets`)
    })),
    ios: button('ios', withGateway(async () => {
      const on = keys.ios.getAttribute('aria-pressed') !== 'true'
      await gateway('faults', { ios_high_performance: on })
      say(on ? '套接字握手不再带身份，如同 iOS 高性能+ 模式 Sockets carry no identity now, as in iOS high-performance+ mode' : '套接字握手带有身份 Sockets carry the identity')
    })),
    reset: button('reset', () => control.resetStorage()),
    reload: button('reload', () => control.reopen({})),
  }
  const users = ['demo', 'alice', 'bob'].map((user) => {
    const b = make('button', 'mp-key')
    b.type = 'button'
    b.dataset.user = user
    b.append(make('b', '', { demo: '体验者', alice: '用户甲', bob: '用户乙' }[user]), make('span', '', user))
    b.addEventListener('click', () => control.reopen({ user }))
    return b
  })
  const instances = make('div', 'mp-instances')
  const link = make('a', 'mp-link', '本地云托管状态 Local Cloud Run state')
  link.href = '/__local/state'
  link.target = '_blank'
  link.rel = 'noopener'
  const facts = make('dl', 'mp-facts')

  const head = make('header', 'mp-head')
  const title = make('h1', '', manifest.app.window?.navigationBarTitleText || '云聊 Yunliao')
  head.append(title, make('p', 'mp-simulation', '模拟环境 Simulation'), make('p', 'mp-note',
    '未经改动的小程序源码在网页中运行；微信接口由预览提供。The unmodified source of the mini-program in a web page; the functions of WeChat are provided by the preview.'))
  panel.append(
    head,
    group('生命周期', 'Lifecycle', keys.hide, keys.show, keys.reload),
    group('网络', 'Network', keys.offline, keys.online, keys.slow),
    group('外观', 'Appearance', keys.light, keys.dark, keys.font, keys.keyboard),
    group('用户', 'User', ...users),
    group('云托管', 'Cloud Run', keys.cold, keys.kill, keys.cut, keys.ios, keys.reset),
    instances, said, facts, link,
  )

  function draw() {
    const { dataset } = panel
    keys.hide.disabled = phone.hidden
    keys.show.disabled = !phone.hidden
    keys.offline.disabled = !phone.online
    keys.online.disabled = phone.online
    for (const theme of ['light', 'dark']) keys[theme].setAttribute('aria-pressed', String(phone.theme === theme))
    keys.slow.setAttribute('aria-pressed', String(phone.slowMs > 0))
    keys.font.setAttribute('aria-pressed', String(phone.fontSize > 16))
    for (const b of users) b.setAttribute('aria-pressed', String(b.dataset.user === phone.user))
    if (keys.keyboard.getAttribute('aria-pressed') === 'true') dataset.keyboard = 'yes'
    const page = stack.top()
    const rows = [
      ['页面 Page', page ? page.route : '…'],
      ['用户 User', phone.user],
      ['错误 Errors', String(log.errors.length)],
      ['提醒 Warnings', String(log.warnings.length)],
    ]
    facts.replaceChildren(...rows.flatMap(([name, value]) => [make('dt', '', name), make('dd', '', value)]))
    facts.classList.toggle('mp-bad', log.errors.length > 0)
  }
  keys.keyboard.addEventListener('click', () => {
    const pressed = keys.keyboard.getAttribute('aria-pressed') !== 'true'
    keys.keyboard.setAttribute('aria-pressed', String(pressed))
    if (pressed) panel.dataset.keyboard = 'yes'
    else delete panel.dataset.keyboard
  })

  async function refresh() {
    try {
      const state = await gateway('state')
      instances.replaceChildren(...(state.instances || []).map((instance) => {
        const chip = make('span', instance.state === 'ready' ? 'mp-chip mp-chip-on' : 'mp-chip', `实例 ${instance.n} · ${state.asleep ? 'asleep' : instance.state}`)
        return chip
      }))
      for (const name of CLOUD) keys[name].disabled = false
      keys.ios.setAttribute('aria-pressed', String(Boolean(state.switches?.values?.ios_high_performance)))
    } catch {
      instances.replaceChildren()
      for (const name of CLOUD) keys[name].disabled = true
    }
  }
  on('state', draw)
  draw()
  refresh()
  setInterval(() => {
    draw()
    if (document.visibilityState === 'visible') refresh()
  }, 3000)
}
