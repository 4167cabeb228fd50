/** Character references that answers really use. The full HTML table would cost 30 KB; an unknown name stays as it was written. */

/** @type {Record<string, string>} */
const NAMED = {
  amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0', copy: '\u00a9', reg: '\u00ae', trade: '\u2122',
  hellip: '\u2026', mdash: '\u2014', ndash: '\u2013', lsquo: '\u2018', rsquo: '\u2019', ldquo: '\u201c', rdquo: '\u201d',
  times: '\u00d7', divide: '\u00f7', plusmn: '\u00b1', deg: '\u00b0', middot: '\u00b7', bull: '\u2022', larr: '\u2190',
  rarr: '\u2192', uarr: '\u2191', darr: '\u2193', le: '\u2264', ge: '\u2265', ne: '\u2260', infin: '\u221e', yen: '\u00a5',
  euro: '\u20ac', pound: '\u00a3', cent: '\u00a2', para: '\u00b6', sect: '\u00a7', laquo: '\u00ab', raquo: '\u00bb',
  alpha: '\u03b1', beta: '\u03b2', gamma: '\u03b3', delta: '\u03b4', pi: '\u03c0', sigma: '\u03c3', omega: '\u03c9', mu: '\u03bc',
  auml: '\u00e4', ouml: '\u00f6', uuml: '\u00fc', szlig: '\u00df', frac34: '\u00be', frac12: '\u00bd', emsp: '\u2003', ensp: '\u2002',
  check: '\u2713', cross: '\u2717', AElig: '\u00c6', Dcaron: '\u010e', HilbertSpace: '\u210b', DifferentialD: '\u2146',
  ClockwiseContourIntegral: '\u2232', ngE: '\u2267\u0338'
};

const REFERENCE = /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{1,31}));/y;

/**
 * The character reference that starts at `at`, or null.
 * @param {string} text @param {number} at
 * @returns {{ value: string, end: number } | null}
 */
function reference(text, at) {
  REFERENCE.lastIndex = at;
  const found = REFERENCE.exec(text);
  if (!found) return null;
  const end = REFERENCE.lastIndex;
  if (found[3]) {
    const value = Object.prototype.hasOwnProperty.call(NAMED, found[3]) ? NAMED[found[3]] : '';
    return value ? { value, end } : null;
  }
  const point = found[1] ? parseInt(found[1], 10) : parseInt(found[2], 16);
  const bad = point === 0 || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff);
  return { value: bad ? '\ufffd' : String.fromCodePoint(point), end };
}

/** Backslash escapes and character references resolved, as in link destinations. @param {string} text @returns {string} */
function unescape(text) {
  let out = '';
  for (let at = 0; at < text.length; at += 1) {
    const ch = text[at];
    if (ch === '\\' && isPunctuation(text[at + 1] || '')) {
      at += 1;
      out += text[at];
    } else if (ch === '&') {
      const found = reference(text, at);
      out += found ? found.value : ch;
      if (found) at = found.end - 1;
    } else {
      out += ch;
    }
  }
  return out;
}

/** ASCII punctuation, the characters a backslash escapes (CommonMark 0.31, 2.4). @param {string} ch @returns {boolean} */
function isPunctuation(ch) {
  return ch.length === 1 && /[!-/:-@[-`{-~]/.test(ch);
}

module.exports = { reference, unescape, isPunctuation };
