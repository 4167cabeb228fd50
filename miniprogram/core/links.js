/** Where a link begins and ends in running text, and which addresses are shown as links at all. */

const { unescape } = require('./entities');

const AUTOLINK = /<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*)>/y;
const EMAIL = /<([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8})>/y;
const BARE = /(?:https?:\/\/|www\.)[A-Za-z0-9-]+[^\s<>\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]*/y;

/**
 * `<scheme:...>` or `<a@b.c>` at `at`.
 * @param {string} text @param {number} at @returns {{ url: string, text: string, end: number } | null}
 */
function angleLink(text, at) {
  AUTOLINK.lastIndex = at;
  let found = AUTOLINK.exec(text);
  if (found) return { url: found[1], text: found[1], end: AUTOLINK.lastIndex };
  EMAIL.lastIndex = at;
  found = EMAIL.exec(text);
  return found ? { url: 'mailto:' + found[1], text: found[1], end: EMAIL.lastIndex } : null;
}

/**
 * A bare http(s):// or www. address at `at`; trailing punctuation and an unbalanced `)` stay outside, as in GFM.
 * @param {string} text @param {number} at @returns {{ url: string, text: string, end: number } | null}
 */
function bareLink(text, at) {
  BARE.lastIndex = at;
  const found = BARE.exec(text);
  if (!found) return null;
  let shown = found[0];
  let extra = shown.split(')').length - shown.split('(').length;
  for (;;) {
    const last = shown[shown.length - 1];
    if (last === ')' && extra > 0) extra -= 1;
    else if (!/[?!.,:*_~'"`|;]/.test(last)) break;
    shown = shown.slice(0, -1);
  }
  if (shown.length < 5) return null;
  return { url: shown.slice(0, 4) === 'www.' ? 'http://' + shown : shown, text: shown, end: at + shown.length };
}

/**
 * `(destination "title")` at `at`, which is the position of the parenthesis. The title is read over: nothing shows it.
 * @param {string} text @param {number} at @returns {{ url: string, end: number } | null}
 */
function destination(text, at) {
  let pos = blank(text, at + 1);
  let url = '';
  if (text[pos] === '<') {
    const start = pos + 1;
    for (pos = start; pos < text.length && text[pos] !== '>'; pos += 1) {
      if (text[pos] === '\n' || text[pos] === '<') return null;
      if (text[pos] === '\\') pos += 1;
    }
    if (text[pos] !== '>') return null;
    url = text.slice(start, pos);
    pos += 1;
  } else {
    const start = pos;
    let depth = 0;
    for (; pos < text.length; pos += 1) {
      const ch = text[pos];
      if (ch === '\\') pos += 1;
      else if (ch === '(') depth += 1;
      else if (ch === ')') {
        if (depth === 0) break;
        depth -= 1;
      } else if (ch <= ' ') break;
    }
    if (depth > 0) return null;
    url = text.slice(start, pos);
  }
  const after = blank(text, pos);
  if (after > pos && after < text.length && /["'(]/.test(text[after])) {
    const close = text[after] === '(' ? ')' : text[after];
    let end = after + 1;
    while (end < text.length && text[end] !== close) end += text[end] === '\\' ? 2 : 1;
    if (end >= text.length) return null;
    pos = blank(text, end + 1);
  } else {
    pos = after;
  }
  return text[pos] === ')' ? { url: unescape(url), end: pos + 1 } : null;
}

/** @param {string} text @param {number} at @returns {number} */
function blank(text, at) {
  let pos = at;
  while (pos < text.length && /[ \t\n]/.test(text[pos])) pos += 1;
  return pos;
}

/** The host of an https address in lower case, or ''. Credentials or odd characters make it ''. @param {string} url @returns {string} */
function secureHost(url) {
  const found = /^https:\/\/([A-Za-z0-9.-]+)(?::\d{1,5})?(?:[/?#]|$)/.exec(url);
  return found ? found[1].toLowerCase() : '';
}

/**
 * True when an image may be loaded: https, and its host is listed or is below a listed `.example.com`.
 * @param {string} url @param {ReadonlyArray<string>} hosts @returns {boolean}
 */
function imageAllowed(url, hosts) {
  const host = secureHost(url);
  if (!host) return false;
  return hosts.some((allowed) => {
    const name = allowed.toLowerCase();
    return name[0] === '.' ? host.slice(-name.length) === name : host === name;
  });
}

module.exports = { angleLink, bareLink, destination, imageAllowed, secureHost };
