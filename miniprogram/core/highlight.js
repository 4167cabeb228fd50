/**
 * Colours for one line of code. State between lines is one value: the sign that ends an open comment or long string, or ''.
 * The texts of the runs, joined, are the line. One pass; nothing looks back.
 */

const { languageOf } = require('./languages');

/**
 * @typedef {import('./inline').Run} Run
 * @typedef {import('./languages').Language} Language
 * @typedef {{ end: string, s: string }} State open construct: the sign that ends it and the colour it has
 */

/** @type {State} */
const START = { end: '', s: '' };
const WORD = /[A-Za-z_$\u00c0-\uffff][\w$\u00c0-\uffff-]*/y;
const NUMBER = /(?:0[xXbBoO][\da-fA-F_]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)[A-Za-z%]{0,4}/y;
const TAG = /<\/?[A-Za-z][\w:-]*|\/?>/y;

/**
 * @param {string} line @param {State} state @param {string} name language as written after the fence
 * @returns {{ runs: Run[], state: State }}
 */
function highlightLine(line, state, name) {
  const language = languageOf(name);
  /** @type {Run[]} */ const runs = [];
  let at = 0;
  let open = state;
  if (language.kind === 'text') {
    add(runs, line, '');
    return { runs, state: START };
  }
  while (at < line.length) {
    if (open.end) {
      const close = line.indexOf(open.end, at);
      const end = close < 0 ? line.length : close + open.end.length;
      add(runs, line.slice(at, end), open.s);
      at = end;
      if (close >= 0) open = START;
    } else {
      const step = token(line, at, language);
      add(runs, line.slice(at, step.end), step.s);
      at = step.end;
      open = step.open || START;
    }
  }
  return { runs, state: open };
}

/** @param {string} line @param {number} at @param {Language} language @returns {{ end: number, s: string, open?: State }} */
function token(line, at, language) {
  const sign = starts(line, at, language.line);
  if (sign && !(sign === '#' && at > 0 && line[at - 1] !== ' ')) return { end: line.length, s: 'hc' };
  if (language.block && line.startsWith(language.block[0], at)) {
    return { end: at + language.block[0].length, s: 'hc', open: { end: language.block[1], s: 'hc' } };
  }
  const long = starts(line, at, language.long);
  if (long) return { end: at + long.length, s: 'hs', open: { end: long, s: 'hs' } };
  const ch = line[at];
  if (language.quotes.indexOf(ch) >= 0 && language.kind !== 'markup') {
    const end = quoted(line, at);
    const key = language.kind === 'data' && /^\s*:/.test(line.slice(end, end + 8));
    return { end, s: key ? 'hv' : 'hs' };
  }
  if (language.kind === 'markup') return markup(line, at);
  if (ch >= '0' && ch <= '9') return { end: match(NUMBER, line, at) || at + 1, s: 'hn' };
  if ((ch === '$' && language.kind === 'shell') || (ch === '@' && language.kind !== 'shell')) {
    return { end: match(WORD, line, at + 1) || at + 1, s: 'hv' };
  }
  const end = match(WORD, line, at);
  if (end) return word(line, at, end, language);
  return { end: at + 1, s: '' };
}

/** @param {string} line @param {number} at @param {number} wordEnd @param {Language} language @returns {{ end: number, s: string }} */
function word(line, at, wordEnd, language) {
  const dash = language.kind === 'data' || language.kind === 'shell' ? -1 : line.slice(at, wordEnd).indexOf('-');
  const end = dash > 0 ? at + dash : wordEnd;
  const text = line.slice(at, end);
  if (language.words.has(language.kind === 'sql' ? text.toLowerCase() : text)) return { end, s: 'hk' };
  if (language.types.has(text)) return { end, s: 'ht' };
  if (language.kind === 'data') return { end, s: line[end] === ':' ? 'hv' : '' };
  if (line[end] === '(') return { end, s: 'hf' };
  return { end, s: language.kind === 'code' && /^[A-Z][a-z]/.test(text) ? 'ht' : '' };
}

/** @param {string} line @param {number} at @returns {{ end: number, s: string }} */
function markup(line, at) {
  const tag = match(TAG, line, at);
  if (tag) return { end: tag, s: 'hp' };
  const name = match(WORD, line, at);
  if (name) return { end: name, s: line[name] === '=' ? 'hv' : '' };
  if (line[at] === '"' && line[at - 1] === '=') return { end: quoted(line, at), s: 'hs' };
  return { end: at + 1, s: '' };
}

/** @param {string} line @param {number} at @param {string[]} signs @returns {string} */
function starts(line, at, signs) {
  for (let index = 0; index < signs.length; index += 1) {
    if (line.startsWith(signs[index], at)) return signs[index];
  }
  return '';
}

/** @param {RegExp} pattern sticky @param {string} line @param {number} at @returns {number} end of the match, or 0 */
function match(pattern, line, at) {
  pattern.lastIndex = at;
  return pattern.test(line) ? pattern.lastIndex : 0;
}

/** @param {string} line @param {number} at @returns {number} */
function quoted(line, at) {
  const quote = line[at];
  let end = at + 1;
  while (end < line.length && line[end] !== quote) end += line[end] === '\\' ? 2 : 1;
  return Math.min(line.length, end + 1);
}

/** Blanks join what came before: fewer nodes on the phone. @param {Run[]} runs @param {string} t @param {string} s */
function add(runs, t, s) {
  if (!t) return;
  const last = runs[runs.length - 1];
  if (last && ((last.s || '') === s || !t.trim())) last.t += t;
  else if (last && !last.t.trim()) {
    last.t += t;
    if (s) last.s = s;
  } else runs.push(s ? { t, s } : { t });
}

module.exports = { highlightLine, START };
