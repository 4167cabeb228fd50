// Calls of the operators' API. A session that is over asks for the password on top of the page and goes on with the same call: nothing
// that was typed is lost, and a refused call has done nothing.

import { session, keep } from './session.js'
import { language, t } from './words.js'

const PATIENCE_MS = 30000

/** Why a call did not work, in words for people. */
export class Failure extends Error {
  constructor(status, error = {}) {
    super(error.code || 'network')
    this.status = status
    this.code = error.code || 'network'
    this.detail = error.detail || ''
    this.requestId = error.request_id || ''
    this.said = error
  }

  get text() {
    if (this.code === 'network') return t('network')
    const words = (language() === 'zh' ? this.said.message : this.said.message_en) || this.code
    const more = [this.detail, this.requestId && `${t('requestId')} ${this.requestId}`].filter(Boolean).join(' · ')
    return more ? `${words}（${more}）` : words
  }
}

let askAgain = null
let asking = null

/** `ask()` signs the same person in again and gives whether it was done. */
export function whenOver(ask) {
  askAgain = ask
}

/** @returns the answer's body. Throws `Failure`. */
export async function call(method, path, body) {
  for (;;) {
    try {
      return await once(method, path, body)
    } catch (failure) {
      if (failure.code !== 'operator_login' || path === '/login' || !askAgain) throw failure
      asking = asking || askAgain().finally(() => { asking = null })
      if (!await asking) throw failure
    }
  }
}

async function once(method, path, body) {
  const headers = { Accept: 'application/json' }
  const known = session()
  if (known && path !== '/login') headers.Authorization = `Bearer ${known.token}`
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  let response
  let answer
  try {
    response = await fetch(`/op/v1${path}`, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: 'no-store', credentials: 'omit', redirect: 'error',
      signal: AbortSignal.timeout(PATIENCE_MS),
    })
    answer = await response.json()
  } catch {
    throw new Failure(0)
  }
  if (!response.ok) throw new Failure(response.status, answer.error)
  return answer
}

export const get = (path) => call('GET', path)
export const post = (path, body = {}) => call('POST', path, body)
export const put = (path, body) => call('PUT', path, body)

export async function signIn(name, password) {
  keep(await call('POST', '/login', { name, password }))
}

export async function signOut() {
  try {
    await once('POST', '/logout', {})
  } catch {
    // the session ends by itself
  }
  keep(null)
}
