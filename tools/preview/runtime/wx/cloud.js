// wx.cloud: callContainer over HTTP and connectContainer over WebSocket to the local Cloud Run.
import { phone } from '../frame.js'
import { wxCall } from './call.js'
import { onCut, refusal, lag } from './network.js'

const LIMIT_MS = 15000
const REQUEST_BYTES = 100 * 1024
const RESPONSE_BYTES = 1000 * 1024
const SOCKETS = 5
const API = 'cloud.callContainer'

const callId = () => `${Date.now()}-${Math.random().toString().slice(2, 12)}`
const cloudError = (errCode, errMsg, callID) => ({ errCode, errMsg: `${API}:fail Error: errCode: ${errCode} | errMsg: ${errMsg}; callId: ${callID}`, callID })
const interrupted = (why, id) => (why === 'background'
  ? { errno: 600003, errCode: 600003, errMsg: `${API}:fail interrupted`, callID: id }
  : { errno: 600001, errCode: -601001, errMsg: `${API}:fail Error: errCode: -601001 | errMsg: network unavailable; callId: ${id}`, callID: id })

function bodyOf(data, method) {
  if (data === undefined || data === null || method === 'GET') return undefined
  if (typeof data === 'string' || data instanceof ArrayBuffer) return data
  return JSON.stringify(data)
}

function withQuery(path, data) {
  if (!data || typeof data !== 'object' || data instanceof ArrayBuffer) return path
  const query = Object.entries(data).filter(([, v]) => v !== undefined).map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(v)}`).join('&')
  return query ? `${path}${path.includes('?') ? '&' : '?'}${query}` : path
}

async function send(options, id) {
  const method = String(options.method || 'GET').toUpperCase()
  if (!['GET', 'POST', 'PUT', 'DELETE'].includes(method)) throw cloudError(102005, 'invalid method', id)
  if (typeof options.path !== 'string' || !options.path.startsWith('/')) throw cloudError(-501000, 'Path access permission error', id)
  const path = method === 'GET' ? withQuery(options.path, options.data) : options.path
  const body = bodyOf(options.data, method)
  const size = body === undefined ? 0 : body instanceof ArrayBuffer ? body.byteLength : new Blob([body]).size
  if (size > REQUEST_BYTES) throw cloudError(-606001, 'request body exceeds 100 KB', id)
  const refused = refusal()
  if (refused) throw interrupted(refused, id)

  const abort = new AbortController()
  let reason = ''
  const stop = (why) => {
    reason = reason || why
    abort.abort()
  }
  const limit = Math.min(LIMIT_MS, Number(options.timeout) > 0 ? Number(options.timeout) : LIMIT_MS)
  const timer = setTimeout(() => stop('timeout'), limit)
  const forget = onCut(stop)
  try {
    const headers = { 'content-type': 'application/json', ...(options.header || {}), 'X-Local-User': phone.user }
    delete headers.Referer
    if (body === undefined) delete headers['content-type']
    await lag()
    if (reason) throw new Error(reason)
    const response = await fetch(phone.gateway + path, { method, headers, body, signal: abort.signal, cache: 'no-store', credentials: 'omit', redirect: 'follow' })
    const bytes = await response.arrayBuffer()
    await lag()
    if (reason) throw new Error(reason)
    const local = response.headers.get('x-local-errcode')
    if (response.status === 599 || local) {
      const fault = JSON.parse(new TextDecoder().decode(bytes) || '{}')
      throw { errCode: fault.errCode ?? Number(local), errMsg: fault.errMsg || 'system error', callID: fault.callID || id }
    }
    if (bytes.byteLength > RESPONSE_BYTES) throw cloudError(-606002, 'response body exceeds 1 MB', id)
    return { data: decode(bytes, options), statusCode: response.status, header: headerTable(response.headers), cookies: [], callID: id }
  } catch (error) {
    if (error && error.errCode !== undefined) throw error
    if (reason === 'timeout') throw cloudError(102002, '请求超时', id)
    if (reason) throw interrupted(reason, id)
    throw cloudError(-601001, `request:fail ${error && error.message}`, id)
  } finally {
    clearTimeout(timer)
    forget()
  }
}

function decode(bytes, options) {
  if (options.responseType === 'arraybuffer') return bytes
  const text = new TextDecoder().decode(bytes)
  if (options.dataType !== undefined && options.dataType !== 'json') return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function headerTable(headers) {
  const table = {}
  for (const [name, value] of headers) table[name] = value
  return table
}

const open = new Set()

/** The object that wx.connectSocket and connectContainer give. */
function socketTask(url, protocols) {
  const handlers = { open: [], message: [], close: [], error: [] }
  const fire = (type, value) => {
    for (const handler of [...handlers[type]]) handler(value)
  }
  let socket = null
  let ended = false
  let chain = Promise.resolve()
  const end = (code, reason) => {
    if (ended) return
    ended = true
    open.delete(task)
    forget()
    task.readyState = 3
    fire('close', { code, reason })
  }
  const forget = onCut((why) => {
    if (ended) return
    fire('error', { errMsg: why === 'background' ? 'interrupted' : 'network is down' })
    if (socket) socket.close()
    end(1006, why === 'background' ? 'interrupted' : 'network is down')
  })
  const ordered = (action) => {
    if (!phone.slowMs) return chain.then(action)
    chain = chain.then(lag).then(action)
    return chain
  }
  const task = {
    CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3, readyState: 0,
    send: wxCall('sendSocketMessage', async ({ data }) => {
      if (ended || !socket || socket.readyState !== 1) throw new Error('socket is not connected')
      await ordered(() => socket.send(data))
    }),
    close: wxCall('closeSocket', async ({ code = 1000, reason = '' }) => {
      if (ended) return
      task.readyState = 2
      if (socket && socket.readyState < 2) socket.close(code === 1000 || (code >= 3000 && code < 5000) ? code : 1000, reason)
      end(code, reason)
    }),
    onOpen: (fn) => handlers.open.push(fn),
    onMessage: (fn) => handlers.message.push(fn),
    onClose: (fn) => handlers.close.push(fn),
    onError: (fn) => handlers.error.push(fn),
  }
  open.add(task)
  lag().then(() => {
    if (ended) return
    socket = new WebSocket(url, protocols && protocols.length ? protocols : undefined)
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => {
      if (ended) return
      task.readyState = 1
      fire('open', { header: {}, profile: {} })
    }
    socket.onmessage = (event) => ordered(() => !ended && fire('message', { data: event.data }))
    socket.onerror = () => !ended && fire('error', { errMsg: 'connect failed' })
    socket.onclose = (event) => ordered(() => end(event.code, event.reason))
  })
  return task
}

function connect(options) {
  const name = 'cloud.connectContainer'
  return wxCall(name, async () => {
    const refused = refusal()
    if (refused) throw interrupted(refused, callId())
    if (open.size >= SOCKETS) throw { errCode: -1, errMsg: `at most ${SOCKETS} sockets at once` }
    if (!options.service) throw { errCode: -501000, errMsg: 'service is missing' }
    const base = new URL(phone.gateway || location.origin, location.origin)
    const path = options.path || '/'
    const url = new URL(base)
    url.protocol = base.protocol === 'https:' ? 'wss:' : 'ws:'
    const query = `local_user=${encodeURIComponent(phone.user)}&local_service=${encodeURIComponent(options.service)}`
    const target = `${url.protocol}//${url.host}${path}${path.includes('?') ? '&' : '?'}${query}`
    return { socketTask: socketTask(target, options.protocols) }
  })(options)
}

const call = (options = {}) => {
  const id = callId()
  return wxCall(API, () => send(options, id))(options)
}

export class Cloud {
  constructor(options) {
    this.options = options || {}
    this.ready = false
  }

  async init() {
    await Promise.resolve()
    this.ready = true
  }

  callContainer(options) {
    if (!this.ready) return wxCall(API, () => Promise.reject(new Error("Cloud API isn't enabled, please call init first")))(options)
    return call(options)
  }

  connectContainer(options) {
    if (!this.ready) return wxCall('cloud.connectContainer', () => Promise.reject(new Error("Cloud API isn't enabled, please call init first")))(options)
    return connect(options)
  }
}

let initialised = false

export const cloud = {
  Cloud,
  init() {
    initialised = true
  },
  callContainer(options) {
    if (!initialised) return wxCall(API, () => Promise.reject(new Error("Cloud API isn't enabled, please call init first")))(options)
    return call(options)
  },
  connectContainer: (options) => connect(options),
  getTempFileURL: wxCall('cloud.getTempFileURL', async () => {
    throw new Error('storage is not part of the simulation')
  }),
}
