// Numbers, times and amounts as people read them.

import { language } from './words.js'

const locale = () => (language() === 'zh' ? 'zh-CN' : 'en-GB')
const TIME = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false }

export const number = (value) => new Intl.NumberFormat(locale()).format(value)
export const percent = (value) => new Intl.NumberFormat(locale(), { style: 'percent', maximumFractionDigits: 1 }).format(value)
/** Micro-credits as credits. */
export const credits = (micro) => new Intl.NumberFormat(locale(), { maximumFractionDigits: 6 }).format(micro / 1e6)
export const when = (ms) => (ms ? new Intl.DateTimeFormat(locale(), TIME).format(new Date(ms)) : '—')
export const hour = (ms) => new Intl.DateTimeFormat(locale(), { hour: '2-digit', minute: '2-digit', hour12: false }).format(new Date(ms))
/** A day of the service's figures: those begin at midnight in China, wherever the reader is. */
export const day = (ms) => new Intl.DateTimeFormat(locale(), { month: '2-digit', day: '2-digit', timeZone: 'Asia/Shanghai' }).format(new Date(ms))

/** Milliseconds as a length of time. */
export function span(ms) {
  if (ms === null || ms === undefined) return '—'
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = ms / 1000
  if (seconds < 120) return `${number(Math.round(seconds * 100) / 100)} s`
  if (seconds < 7200) return `${number(Math.round(seconds / 60))} min`
  if (seconds < 172800) return `${number(Math.round(seconds / 360) / 10)} h`
  return `${number(Math.round(seconds / 8640) / 10)} d`
}
