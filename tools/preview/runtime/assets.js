// Where the files of the mini-program are, seen from the page.
export const SOURCE = '/__preview/src/'
let current = ''

/** The page whose relative paths are meant. */
export function setAssetBase(route) {
  current = route
}

/** A path of the mini-program as an address; absolute addresses and data are left as they are. */
export function assetUrl(src) {
  const text = String(src)
  if (/^(?:https?:|data:|blob:|\/\/)/i.test(text)) return text
  if (/^[a-z][a-z0-9+.-]*:/i.test(text)) return `data:,${encodeURIComponent(text)}`
  const base = new URL(`https://x/${current}`)
  return SOURCE + new URL(text, base).pathname.slice(1)
}
