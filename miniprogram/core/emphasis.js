/**
 * `*`, `_` and `~~`: which runs of them open or close emphasis (CommonMark 0.31, 6.2, and GFM strike-through), and the delimiter
 * algorithm of the CommonMark appendix over the pieces of a text.
 */

/**
 * @typedef {import('./inline_pieces').Piece} Piece
 * @typedef {{ piece: number, ch: string, count: number, size: number, opens: boolean, closes: boolean, at: number, live: boolean }} Delimiter
 */

const SPACE = /\s/;
const PUNCTUATION = /[\p{P}\p{S}]/u;
/** An unclosed mark farther back than this is taken for what it is. */
const NEAR = 200;

class Emphasis {
  /** @param {Piece[]} pieces of the text that is being parsed @param {(from: number, to: number) => void} matched told of each matched pair */
  constructor(pieces, matched) {
    this.pieces = pieces;
    this.matched = matched;
    /** @type {Delimiter[]} */ this.delimiters = [];
  }

  /** Notes a run of marks, whose piece is the next one. @param {string} text @param {number} at @param {number} end */
  add(text, at, end) {
    const ch = text[at];
    const size = end - at;
    if (ch === '~' && size !== 2) return;
    const before = at > 0 ? previous(text, at) : ' ';
    const after = end < text.length ? String.fromCodePoint(/** @type {number} */ (text.codePointAt(end))) : ' ';
    const left = !SPACE.test(after) && (!PUNCTUATION.test(after) || SPACE.test(before) || PUNCTUATION.test(before));
    const right = !SPACE.test(before) && (!PUNCTUATION.test(before) || SPACE.test(after) || PUNCTUATION.test(after));
    const under = ch === '_';
    const opens = left && (!under || !right || PUNCTUATION.test(before));
    const closes = right && (!under || !left || PUNCTUATION.test(after));
    this.delimiters.push({ piece: this.pieces.length, ch, count: size, size, opens, closes, at, live: true });
  }

  /** Matches closers with openers. @param {number} bottom first delimiter it may touch */
  match(bottom) {
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
    this.matched(opener.at, closer.at + closer.size);
  }

  /** Where marks stand that may still be closed. @returns {number[]} */
  waiting() {
    return this.delimiters.filter((one) => one.live && one.opens && one.count > 0).map((one) => one.at);
  }

  /** While text is still coming an unclosed `**` shows as bold already, so that nothing flickers when its end arrives. @param {number} length of the text */
  closeAtEnd(length) {
    for (let index = this.delimiters.length - 1; index >= 0; index -= 1) {
      const one = this.delimiters[index];
      if (one.live && one.opens && one.count === 2 && one.ch !== '_' && length - one.at < NEAR) {
        for (let at = one.piece + 1; at < this.pieces.length; at += 1) {
          if (one.ch === '~') this.pieces[at].strike += 1;
          else this.pieces[at].bold += 1;
        }
        this.pieces[one.piece].t = '';
        return;
      }
    }
  }
}

/** The whole character before `at`. @param {string} text @param {number} at @returns {string} */
function previous(text, at) {
  const unit = text.charCodeAt(at - 1);
  return unit >= 0xdc00 && unit <= 0xdfff && at > 1 ? text.slice(at - 2, at) : text[at - 1];
}

module.exports = { Emphasis };
