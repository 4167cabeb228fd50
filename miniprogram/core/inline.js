/**
 * Running text of one paragraph -> flat runs `{ t, s?, u? }`.
 *
 * CommonMark 0.31 chapter 6 with GFM strike-through and bare links. Left out on purpose: reference links (a definition may come
 * after the text that is already frozen) and raw HTML, which stays visible as text so that no answer can forge an interface.
 * One pass over the text with a bracket stack, then the delimiter algorithm; callers keep the text short (see paragraph.js).
 */

const { reference, isPunctuation } = require('./entities');
const { angleLink, bareLink, destination, imageAllowed } = require('./links');

/**
 * @typedef {{ t: string, s?: string, u?: string }} Run
 * @typedef {{ t: string, at: number, bold: number, italic: number, strike: number, code: boolean, url: string, image: boolean }} Piece
 * @typedef {{ piece: number, ch: string, count: number, size: number, opens: boolean, closes: boolean, at: number, live: boolean }} Delimiter
 * @typedef {{ piece: number, at: number, image: boolean, active: boolean, delimiters: number }} Bracket
 * @typedef {{ runs: Run[], openAt: number, spans: Array<[number, number]> }} Parsed
 */

const SPACE = /\s/;
const PUNCTUATION = /[\p{P}\p{S}]/u;
const SPECIAL = /[\\`*_~[\]!<&\nhw]/g;

class InlineParser {
  /** @param {string} text @param {ReadonlyArray<string>} hosts @param {boolean} growing more text of the same paragraph may follow */
  constructor(text, hosts, growing) {
    this.text = text;
    this.hosts = hosts;
    this.growing = growing;
    /** @type {Piece[]} */ this.pieces = [];
    /** @type {Delimiter[]} */ this.delimiters = [];
    /** @type {Bracket[]} */ this.brackets = [];
    /** @type {Array<[number, number]>} matched constructs, which may not be cut */ this.spans = [];
    /** first position whose meaning later text may still change */
    this.openAt = text.length;
    /** @type {Record<number, number>} last position of a backtick run of each length */ this.ticks = {};
    this.ticksKnown = false;
  }

  /** @returns {Parsed} */
  parse() {
    const text = this.text;
    let at = 0;
    while (at < text.length) {
      SPECIAL.lastIndex = at;
      const found = SPECIAL.exec(text);
      const next = found ? found.index : text.length;
      if (next > at) this.push(text.slice(at, next), at);
      if (next >= text.length) break;
      at = this.special(next);
    }
    this.emphasis(0);
    this.brackets.forEach((one) => this.open(one.at));
    this.delimiters.forEach((one) => {
      if (one.live && one.opens && one.count > 0) this.open(one.at);
    });
    if (this.growing) this.closeAtEnd();
    return { runs: this.runs(), openAt: this.openAt, spans: this.spans };
  }

  /** @param {number} at @returns {number} where to go on */
  special(at) {
    const text = this.text;
    const ch = text[at];
    if (ch === '\\') {
      const next = text[at + 1] || '';
      if (next === '\n') return at + 1;
      if (!next) this.open(at);
      if (isPunctuation(next)) {
        this.push(next, at);
        return at + 2;
      }
    } else if (ch === '`') return this.codeSpan(at);
    else if (ch === '*' || ch === '_' || ch === '~') return this.delimiter(at, ch);
    else if (ch === '[') {
      this.brackets.push({ piece: this.pieces.length, at, image: false, active: true, delimiters: this.delimiters.length });
      this.push('[', at);
      return at + 1;
    } else if (ch === '!' && text[at + 1] === '[') {
      this.brackets.push({ piece: this.pieces.length, at, image: true, active: true, delimiters: this.delimiters.length });
      this.push('![', at);
      return at + 2;
    } else if (ch === ']') return this.closeBracket(at);
    else if (ch === '\n') return this.newline(at);
    else if (ch === '&') {
      const found = reference(text, at);
      if (found) {
        this.push(found.value, at);
        return found.end;
      }
    } else if (ch === '<' || ch === 'h' || ch === 'w') {
      const found = ch === '<' ? angleLink(text, at) : this.bare(at);
      if (found) {
        this.push(found.text, at).url = found.url;
        this.spans.push([at, found.end]);
        return found.end;
      }
      if (ch === '<' && text.indexOf('>', at) < 0 && text.length - at < 200) this.open(at);
    }
    this.push(ch, at);
    return at + 1;
  }

  /** @param {number} at @returns {{ url: string, text: string, end: number } | null} */
  bare(at) {
    const before = at > 0 ? this.text[at - 1] : ' ';
    return /[A-Za-z0-9]/.test(before) || this.brackets.some((one) => one.active && !one.image) ? null : bareLink(this.text, at);
  }

  /** @param {string} t @param {number} at @returns {Piece} */
  push(t, at) {
    const piece = { t, at, bold: 0, italic: 0, strike: 0, code: false, url: '', image: false };
    this.pieces.push(piece);
    return piece;
  }

  /** @param {number} at */
  open(at) {
    if (at < this.openAt) this.openAt = at;
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
    const text = this.text;
    let size = 1;
    while (text[at + size] === '`') size += 1;
    if (!this.ticksKnown) this.findTicks();
    let close = -1;
    if ((this.ticks[size] || -1) > at) {
      const run = /`+/g;
      run.lastIndex = at + size;
      for (let found = run.exec(text); found; found = run.exec(text)) {
        if (found[0].length === size) {
          close = found.index;
          break;
        }
      }
    }
    if (close < 0) {
      this.open(at);
      const tail = text.slice(at + size);
      if (this.growing && size < 3 && tail && !SPACE.test(tail[0]) && tail.length < 200) {
        this.push(tail, at).code = true;
        return text.length;
      }
      this.push(text.slice(at, at + size), at);
      return at + size;
    }
    let body = text.slice(at + size, close).replace(/\n/g, ' ');
    if (/^ .* $/.test(body) && /[^ ]/.test(body)) body = body.slice(1, -1);
    this.push(body, at).code = true;
    this.spans.push([at, close + size]);
    return close + size;
  }

  findTicks() {
    const run = /`+/g;
    for (let found = run.exec(this.text); found; found = run.exec(this.text)) this.ticks[found[0].length] = found.index;
    this.ticksKnown = true;
  }

  /** @param {number} at @param {string} ch @returns {number} */
  delimiter(at, ch) {
    const text = this.text;
    let size = 1;
    while (text[at + size] === ch) size += 1;
    const end = at + size;
    const before = at > 0 ? previous(text, at) : ' ';
    const after = end < text.length ? String.fromCodePoint(/** @type {number} */ (text.codePointAt(end))) : ' ';
    const left = !SPACE.test(after) && (!PUNCTUATION.test(after) || SPACE.test(before) || PUNCTUATION.test(before));
    const right = !SPACE.test(before) && (!PUNCTUATION.test(before) || SPACE.test(after) || PUNCTUATION.test(after));
    const under = ch === '_';
    const opens = left && (!under || !right || PUNCTUATION.test(before));
    const closes = right && (!under || !left || PUNCTUATION.test(after));
    if (ch !== '~' || size === 2) {
      this.delimiters.push({ piece: this.pieces.length, ch, count: size, size, opens, closes, at, live: true });
    }
    if (end === text.length) this.open(at);
    this.push(text.slice(at, end), at);
    return end;
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
    this.push(']', at);
    return at + 1;
  }

  /** @param {Bracket} opener @param {string} url @param {number} at */
  link(opener, url, at) {
    this.emphasis(opener.delimiters);
    this.delimiters.length = opener.delimiters;
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

  /** The delimiter algorithm of the CommonMark appendix. @param {number} bottom first delimiter it may touch */
  emphasis(bottom) {
    const list = this.delimiters;
    /** @type {Record<string, number>} */ const floor = {};
    for (let at = bottom; at < list.length; at += 1) {
      const closer = list[at];
      while (closer.live && closer.closes && closer.count > 0) {
        const key = closer.ch + (closer.opens ? 1 : 0) + (closer.size % 3);
        const opener = this.opener(closer, at, Math.max(bottom, floor[key] || 0));
        if (opener < 0) {
          floor[key] = at;
          break;
        }
        this.wrap(list[opener], closer);
        for (let between = opener + 1; between < at; between += 1) list[between].live = false;
      }
    }
  }

  /** @param {Delimiter} closer @param {number} at @param {number} floor @returns {number} */
  opener(closer, at, floor) {
    for (let index = at - 1; index >= floor; index -= 1) {
      const one = this.delimiters[index];
      if (one.live && one.ch === closer.ch && one.opens && one.count > 0) {
        const odd = (one.closes || closer.opens) && (one.size + closer.size) % 3 === 0 && (one.size % 3 !== 0 || closer.size % 3 !== 0);
        if (!odd || one.ch === '~') return index;
      }
    }
    return -1;
  }

  /** @param {Delimiter} opener @param {Delimiter} closer */
  wrap(opener, closer) {
    const strike = closer.ch === '~';
    const used = strike || (opener.count > 1 && closer.count > 1) ? 2 : 1;
    for (let index = opener.piece + 1; index < closer.piece; index += 1) {
      const piece = this.pieces[index];
      if (strike) piece.strike += 1;
      else if (used === 2) piece.bold += 1;
      else piece.italic += 1;
    }
    opener.count -= used;
    closer.count -= used;
    this.pieces[opener.piece].t = opener.ch.repeat(opener.count);
    this.pieces[closer.piece].t = closer.ch.repeat(closer.count);
    this.spans.push([opener.at, closer.at + closer.size]);
  }

  /** While text is still coming an unclosed `**` shows as bold already, so that nothing flickers when its end arrives. */
  closeAtEnd() {
    for (let index = this.delimiters.length - 1; index >= 0; index -= 1) {
      const one = this.delimiters[index];
      if (one.live && one.opens && one.count === 2 && one.ch !== '_' && this.text.length - one.at < 200) {
        const strike = one.ch === '~';
        for (let at = one.piece + 1; at < this.pieces.length; at += 1) {
          if (strike) this.pieces[at].strike += 1;
          else this.pieces[at].bold += 1;
        }
        this.pieces[one.piece].t = '';
        return;
      }
    }
  }

  /** @returns {Run[]} */
  runs() {
    /** @type {Run[]} */ const out = [];
    this.pieces.forEach((piece) => {
      if (!piece.t) return;
      const run = toRun(piece);
      const last = out[out.length - 1];
      if (last && last.s === run.s && last.u === run.u && !piece.image) last.t += run.t;
      else out.push(run);
    });
    return out;
  }
}

/** @param {Piece} piece @returns {Run} */
function toRun(piece) {
  const s = [piece.bold && 'b', piece.italic && 'i', piece.strike && 'x', piece.code && 'c', piece.url && (piece.image ? 'g' : 'a')]
    .filter(Boolean).join(' ');
  /** @type {Run} */ const run = { t: piece.t };
  if (s) run.s = s;
  if (piece.url) run.u = piece.url;
  return run;
}

/** The whole character before `at`. @param {string} text @param {number} at @returns {string} */
function previous(text, at) {
  const unit = text.charCodeAt(at - 1);
  return unit >= 0xdc00 && unit <= 0xdfff && at > 1 ? text.slice(at - 2, at) : text[at - 1];
}

/**
 * @param {string} text @param {ReadonlyArray<string>} hosts hosts whose images may be shown @param {boolean} [growing]
 * @returns {Parsed} `openAt` and `spans` say where the text may be cut without changing its meaning
 */
function parseInline(text, hosts, growing) {
  return new InlineParser(text, hosts, Boolean(growing)).parse();
}

module.exports = { parseInline };
