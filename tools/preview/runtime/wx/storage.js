// wx storage: 1 MB per key, 10 MB in all, one store per WeChat user.
import { phone } from '../frame.js'
import { wxCall } from './call.js'

const KEY_BYTES = 1024 * 1024
const TOTAL_BYTES = 10 * 1024 * 1024
const prefix = () => `mp:${phone.user}:`
const keys = () => Object.keys(localStorage).filter((k) => k.startsWith(prefix()))
const size = () => keys().reduce((sum, k) => sum + k.length + localStorage.getItem(k).length, 0)

function encode(data) {
  if (data === undefined) return JSON.stringify({ type: 'Undefined' })
  if (data instanceof Date) return JSON.stringify({ type: 'Date', data: data.getTime() })
  return JSON.stringify({ type: 'Json', data })
}

function decode(text) {
  const { type, data } = JSON.parse(text)
  return type === 'Date' ? new Date(data) : data
}

function set(key, data) {
  if (typeof key !== 'string' || !key) throw new Error('parameter error: key should be a non-empty String')
  const text = encode(data)
  const bytes = new Blob([text]).size
  if (bytes > KEY_BYTES) throw new Error('exceed max size of one key, 1048576 bytes')
  const old = localStorage.getItem(prefix() + key)
  if (size() + text.length - (old ? old.length : 0) > TOTAL_BYTES) throw new Error('exceed storage max size 10Mb')
  localStorage.setItem(prefix() + key, text)
}

const get = (key) => {
  const text = localStorage.getItem(prefix() + key)
  return text === null ? undefined : decode(text)
}
const remove = (key) => localStorage.removeItem(prefix() + key)
export const clear = () => keys().forEach((k) => localStorage.removeItem(k))
const info = () => ({ keys: keys().map((k) => k.slice(prefix().length)), currentSize: Math.ceil(size() / 1024), limitSize: TOTAL_BYTES / 1024 })

export const storage = {
  setStorageSync(key, data) {
    try {
      set(key, data)
    } catch (error) {
      throw new Error(`setStorageSync:fail ${error.message}`)
    }
  },
  getStorageSync: (key) => {
    const value = get(key)
    return value === undefined ? '' : value
  },
  removeStorageSync: remove,
  clearStorageSync: clear,
  getStorageInfoSync: info,
  setStorage: wxCall('setStorage', async ({ key, data }) => set(key, data)),
  getStorage: wxCall('getStorage', async ({ key }) => {
    const data = get(key)
    if (data === undefined) throw new Error('data not found')
    return { data }
  }),
  removeStorage: wxCall('removeStorage', async ({ key }) => remove(key)),
  clearStorage: wxCall('clearStorage', async () => clear()),
  getStorageInfo: wxCall('getStorageInfo', async () => info()),
}
