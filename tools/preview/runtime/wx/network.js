// The phone's network as the panel sets it, and what going to the background does to traffic.
import { phone, emit } from '../frame.js'

const BACKGROUND_MS = 5000
const cutters = new Set()
let hiddenSince = 0
let timer = 0

/** Calls `cut(reason)` when the network goes or the app has been in the background for 5 seconds. Returns how to forget it. */
export function onCut(cut) {
  cutters.add(cut)
  return () => cutters.delete(cut)
}

function cutAll(reason) {
  for (const cut of [...cutters]) cut(reason)
}

export function setOnline(online) {
  if (phone.online === online) return
  phone.online = online
  emit('network', { isConnected: online, networkType: online ? 'wifi' : 'none' })
  if (!online) cutAll('offline')
}

export function wentHidden() {
  hiddenSince = Date.now()
  timer = setTimeout(() => cutAll('background'), BACKGROUND_MS)
}

export function cameBack() {
  hiddenSince = 0
  clearTimeout(timer)
}

/** '' when a request may start now, else why not. */
export function refusal() {
  if (!phone.online) return 'offline'
  if (hiddenSince && Date.now() - hiddenSince >= BACKGROUND_MS) return 'background'
  return ''
}

export const lag = () => (phone.slowMs ? new Promise((done) => setTimeout(done, phone.slowMs)) : Promise.resolve())
