/** How a line may begin: one small recogniser per construct (CommonMark 0.31 chapters 4 and 5, GFM tables). Lines are short here. */

const { unescape } = require('./entities');

/** @param {string} s @returns {number} width of the leading blanks */
function indentOf(s) {
  let at = 0;
  while (s[at] === ' ') at += 1;
  return at;
}

/** Leading tabs become blanks up to the next multiple of 4, counted from `column`. @param {string} s @param {number} column @returns {string} */
function expand(s, column) {
  if (s.indexOf('\t') < 0) return s;
  let out = '';
  let at = 0;
  for (; at < s.length && (s[at] === ' ' || s[at] === '\t'); at += 1) {
    out += s[at] === ' ' ? ' ' : ' '.repeat(4 - ((column + out.length) % 4));
  }
  return out + s.slice(at);
}

/** @param {string} s @returns {{ level: number, text: string } | null} */
function heading(s) {
  const found = /^ {0,3}(#{1,6})(?:[ \t]+(.*))?$/.exec(s);
  if (!found) return null;
  const text = (found[2] || '').replace(/[ \t]+$/, '');
  const closed = /^#+$/.test(text) ? '' : text.replace(/[ \t]#+$/, '');
  return { level: found[1].length, text: closed.trim() };
}

/** @param {string} s @returns {{ ch: string, size: number, indent: number, lang: string } | null} */
function fence(s) {
  const found = /^( {0,3})(`{3,}|~{3,})(.*)$/.exec(s);
  if (!found || (found[2][0] === '`' && found[3].indexOf('`') >= 0)) return null;
  const lang = unescape(found[3].trim().split(/[\s{,]/)[0]).slice(0, 24);
  return { ch: found[2][0], size: found[2].length, indent: found[1].length, lang };
}

/** @param {string} s @param {string} ch @param {number} size @returns {boolean} */
function closesFence(s, ch, size) {
  const found = /^ {0,3}(`+|~+)[ \t]*$/.exec(s);
  return Boolean(found && found[1][0] === ch && found[1].length >= size);
}

/** @param {string} s @returns {boolean} */
function rule(s) {
  return /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/.test(s);
}

/** @param {string} s @returns {number} 1, 2 or 0 */
function underline(s) {
  const found = /^ {0,3}(=+|-+)[ \t]*$/.exec(s);
  return found ? (found[1][0] === '=' ? 1 : 2) : 0;
}

/** @param {string} s @returns {{ type: string, number: number, before: number, size: number, rest: string } | null} */
function listMarker(s) {
  const found = /^( {0,3})([-+*]|(\d{1,9})[.)])(?=[ \t]|$)/.exec(s);
  if (!found) return null;
  return {
    type: found[2][found[2].length - 1],
    number: found[3] ? parseInt(found[3], 10) : -1,
    before: found[1].length,
    size: found[2].length,
    rest: s.slice(found[0].length)
  };
}

/** @param {string} s a possible delimiter row @returns {Array<'l'|'c'|'r'|''> | null} */
function columns(s) {
  if (s.indexOf('|') < 0 || !/^[ \t|:-]+$/.test(s)) return null;
  const parts = s.trim().replace(/^\||\|$/g, '').split('|').map((cell) => cell.trim());
  if (parts.length > 24 || !parts.every((cell) => /^:?-+:?$/.test(cell))) return null;
  return parts.map((cell) => {
    const right = cell[cell.length - 1] === ':';
    if (cell[0] === ':') return right ? 'c' : 'l';
    return right ? 'r' : '';
  });
}

/** @param {string} s a table row @returns {string[]} */
function cells(s) {
  /** @type {string[]} */ const out = [];
  let cell = '';
  const text = s.trim();
  for (let at = text[0] === '|' ? 1 : 0; at < text.length; at += 1) {
    if (text[at] === '\\' && text[at + 1] === '|') {
      cell += '|';
      at += 1;
    } else if (text[at] === '|') {
      out.push(cell.trim());
      cell = '';
    } else cell += text[at];
  }
  if (cell.trim() || text[text.length - 1] !== '|') out.push(cell.trim());
  return out;
}

/** True when more characters could still make this beginning of a line something else. @param {string} s @returns {boolean} */
function undecided(s) {
  return /^[ \t>]*(?:[-+*=_#`~|: \t]*|\d{1,9}[.)]?[ \t]*|[-+*] +\[[ xX]?\]?)$/.test(s) || /^[ \t>]*\|/.test(s);
}

module.exports = { indentOf, expand, heading, fence, closesFence, rule, underline, listMarker, columns, cells, undecided };
