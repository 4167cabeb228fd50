/**
 * Running text of one paragraph -> flat runs `{ t, s?, u? }`.
 *
 * CommonMark 0.31 chapter 6 with GFM strike-through and bare links. Left out on purpose: reference links (a definition may come
 * after the text that is already frozen) and raw HTML, which stays visible as text so that no answer can forge an interface.
 * One pass over the text with a bracket stack, then the delimiter algorithm; callers keep the text short (see paragraph.js).
 */

const { CodeSpans, codeWords } = require('./code_spans');
const { Emphasis } = require('./emphasis');
const { reference, isPunctuation } = require('./entities');
const { newPiece, toRuns } = require('./inline_pieces');
const { angleLink, bareLink, destination, imageAllowed } = require('./links');

/**
 * @typedef {import('./inline_pieces').Run} Run
 * @typedef {import('./inline_pieces').Piece} Piece
 * @typedef {{ piece: number, at: number, image: boolean, active: boolean, delimiters: number }} Bracket
 * @typedef {{ runs: Run[], openAt: number, spans: Array<[number, number]> }} Parsed
 */

const SPACE = /\s/;
const SPECIAL = /[\\`*_~[\]!<&\nhw]/g;

class InlineParser {
  /** @param {string} text @param {ReadonlyArray<string>} hosts @param {boolean} growing more text of the same paragraph may follow */
  constructor(text, hosts, growing) {
    this.text = text;
    this.hosts = hosts;
    this.growing = growing;
    /** @type {Piece[]} */ this.pieces = [];
    /** @type {Bracket[]} */ this.brackets = [];
    /** @type {Array<[number, number]>} matched constructs, which may not be cut */ this.spans = [];
    this.emphasis = new Emphasis(this.pieces, (from, to) => this.spans.push([from, to]));
    this.code = new CodeSpans(text);
    /** first position whose meaning later text may still change */
    this.openAt = text.length;
  }

  /** @returns {Parsed} */
  parse() {
    const { text } = this;
    let at = 0;
    while (at < text.length) {
      SPECIAL.lastIndex = at;
      const found = SPECIAL.exec(text);
      const next = found ? found.index : text.length;
      if (next > at) this.push(text.slice(at, next), at);
      if (next >= text.length) break;
      at = this.special(next);
    }
    this.emphasis.match(0);
    this.brackets.forEach((one) => this.open(one.at));
    this.emphasis.waiting().forEach((one) => this.open(one));
    if (this.growing) this.emphasis.closeAtEnd(text.length);
    return { runs: toRuns(this.pieces), openAt: this.openAt, spans: this.spans };
  }

  /** @param {number} at @returns {number} where to go on */
  special(at) {
    const { text } = this;
    switch (text[at]) {
      case '\\': return this.escaped(at);
      case '`': return this.codeSpan(at);
      case '*': case '_': case '~': return this.marks(at);
      case '[': return this.bracket(at, '[');
      case '!': return text[at + 1] === '[' ? this.bracket(at, '![') : this.plain(at);
      case ']': return this.closeBracket(at);
      case '\n': return this.newline(at);
      case '&': return this.entity(at);
      default: return this.address(at);
    }
  }

  /** @param {number} at @returns {number} */
  plain(at) {
    this.push(this.text[at], at);
    return at + 1;
  }

  /** @param {string} t @param {number} at @returns {Piece} */
  push(t, at) {
    const piece = newPiece(t, at);
    this.pieces.push(piece);
    return piece;
  }

  /** @param {number} at */
  open(at) {
    if (at < this.openAt) this.openAt = at;
  }

  /** @param {number} at @returns {number} */
  escaped(at) {
    const next = this.text[at + 1] || '';
    if (next === '\n') return at + 1;
    if (!next) this.open(at);
    if (!isPunctuation(next)) return this.plain(at);
    this.push(next, at);
    return at + 2;
  }

  /** @param {number} at @returns {number} */
  entity(at) {
    const found = reference(this.text, at);
    if (!found) return this.plain(at);
    this.push(found.value, at);
    return found.end;
  }

  /** `<https://…>`, or an address without brackets that begins here. @param {number} at @returns {number} */
  address(at) {
    const { text } = this;
    const angle = text[at] === '<';
    const found = angle ? angleLink(text, at) : this.bare(at);
    if (found) {
      this.push(found.text, at).url = found.url;
      this.spans.push([at, found.end]);
      return found.end;
    }
    if (angle && text.indexOf('>', at) < 0 && text.length - at < 200) this.open(at);
    return this.plain(at);
  }

  /** @param {number} at @returns {{ url: string, text: string, end: number } | null} */
  bare(at) {
    const before = at > 0 ? this.text[at - 1] : ' ';
    return /[A-Za-z0-9]/.test(before) || this.brackets.some((one) => one.active && !one.image) ? null : bareLink(this.text, at);
  }

  /** A break, hard or soft, is a line break on a phone; blanks around it go. @param {number} at @returns {number} */
  newline(at) {
    const last = this.pieces[this.pieces.length - 1];
    if (last && !last.code && !last.url) last.t = last.t.replace(/[ \t]+$/, '');
    this.push('\n', at);
    let next = at + 1;
    while (this.text[next] === ' ' || this.text[next] === '\t') next += 1;
    return next;
  }

  /** @param {number} at @returns {number} */
  codeSpan(at) {
    const { text } = this;
    const size = this.runEnd(at) - at;
    const close = this.code.close(at, size);
    if (close >= 0) {
      this.push(codeWords(text.slice(at + size, close)), at).code = true;
      this.spans.push([at, close + size]);
      return close + size;
    }
    this.open(at);
    const tail = text.slice(at + size);
    if (this.growing && size < 3 && tail && !SPACE.test(tail[0]) && tail.length < 200) {
      this.push(tail, at).code = true;
      return text.length;
    }
    this.push(text.slice(at, at + size), at);
    return at + size;
  }

  /** Where a run of one character ends. @param {number} at @returns {number} */
  runEnd(at) {
    let end = at + 1;
    while (this.text[end] === this.text[at]) end += 1;
    return end;
  }

  /** @param {number} at @returns {number} */
  marks(at) {
    const end = this.runEnd(at);
    this.emphasis.add(this.text, at, end);
    if (end === this.text.length) this.open(at);
    this.push(this.text.slice(at, end), at);
    return end;
  }

  /** @param {number} at @param {'[' | '!['} t @returns {number} */
  bracket(at, t) {
    this.brackets.push({ piece: this.pieces.length, at, image: t === '![', active: true, delimiters: this.emphasis.delimiters.length });
    this.push(t, at);
    return at + t.length;
  }

  /** @param {number} at @returns {number} */
  closeBracket(at) {
    const opener = this.brackets.pop();
    if (at + 1 >= this.text.length && opener) this.open(opener.at);
    if (opener && opener.active && this.text[at + 1] === '(') {
      const target = destination(this.text, at + 1);
      if (target) {
        this.link(opener, target.url, at);
        this.spans.push([opener.at, target.end]);
        return target.end;
      }
      if (this.text.length - at < 600) this.open(opener.at);
    }
    return this.plain(at);
  }

  /** @param {Bracket} opener @param {string} url @param {number} at */
  link(opener, url, at) {
    this.emphasis.match(opener.delimiters);
    this.emphasis.delimiters.length = opener.delimiters;
    const inside = this.pieces.slice(opener.piece + 1);
    this.pieces[opener.piece].t = '';
    if (opener.image) {
      const alt = inside.map((one) => one.t).join('');
      this.pieces.length = opener.piece + 1;
      const piece = this.push(alt || url, at);
      piece.url = url;
      piece.image = imageAllowed(url, this.hosts);
    } else {
      inside.forEach((one) => {
        if (!one.image) one.url = url;
      });
      this.brackets.forEach((one) => {
        if (!one.image) one.active = false;
      });
    }
  }
}

/**
 * @param {string} text @param {ReadonlyArray<string>} hosts hosts whose images may be shown @param {boolean} [growing]
 * @returns {Parsed} `openAt` and `spans` say where the text may be cut without changing its meaning
 */
function parseInline(text, hosts, growing) {
  return new InlineParser(text, hosts, Boolean(growing)).parse();
}

module.exports = { parseInline };
