/**
 * The text of one open paragraph, heading or list item: raw characters in, runs out, with the front frozen as it grows.
 *
 * Text is cut only where the two sides parse to the same runs as the whole: after a blank or between two CJK characters, outside
 * every construct, before anything that later text could still close. Where no such place exists within HARD characters
 * (10,000 brackets in a row), it is cut anyway: emphasis longer than that is not recognised, and the work stays linear.
 */

const { parseInline } = require('./inline');

/** @typedef {import('./inline').Run} Run */

const SOFT = 240;
const HARD = 1024;
/** A run is handed over in pieces of about this weight (ASCII 1, others 3), so that growth re-sends only the last piece. */
const PIECE = 48;

class Paragraph {
  /** @param {ReadonlyArray<string>} hosts @param {{ inlineChars: number }} work */
  constructor(hosts, work) {
    this.hosts = hosts;
    this.work = work;
    this.raw = '';
    /** where the newest line begins in `raw` */
    this.lineStart = 0;
    /** runs already frozen into the block */
    this.frozen = 0;
    /** raw length at which freezing is tried again */
    this.next = SOFT;
  }

  /** A copy that can be written to and thrown away. @returns {Paragraph} */
  copy() {
    return Object.assign(Object.create(Paragraph.prototype), this);
  }

  /** @param {string} line without leading blanks @param {boolean} newLine */
  add(line, newLine) {
    if (newLine && (this.raw || this.frozen)) {
      this.raw += '\n';
      this.lineStart = this.raw.length;
    }
    this.raw += line;
  }

  /**
   * Moves what cannot change any more into `runs`. @param {Run[]} runs @param {boolean} keepLine the newest line may become a table head
   */
  freeze(runs, keepLine) {
    while (this.raw.length > this.next) {
      const limit = keepLine ? this.lineStart : this.raw.length;
      const cut = this.cut(limit);
      if (cut <= 0) {
        this.next = this.raw.length + SOFT;
        return;
      }
      this.emit(runs, this.raw.slice(0, cut));
      this.raw = this.raw.slice(cut);
      this.lineStart = Math.max(0, this.lineStart - cut);
      this.next = SOFT;
    }
  }

  /** @param {number} limit @returns {number} */
  cut(limit) {
    const text = this.raw.length > HARD * 2 ? this.raw.slice(0, HARD * 2) : this.raw;
    const bound = Math.min(limit, text.length);
    this.work.inlineChars += text.length;
    const { openAt, spans } = parseInline(text, this.hosts);
    spans.sort((a, b) => a[0] - b[0]);
    const last = Math.min(bound, openAt, text.length - 2);
    let best = 0;
    let inside = 0;
    let span = 0;
    for (let at = 1; at <= last; at += 1) {
      while (span < spans.length && spans[span][0] < at) {
        inside = Math.max(inside, spans[span][1]);
        span += 1;
      }
      if (at >= inside && breakable(text, at)) best = at;
    }
    if (best >= PIECE) return best;
    if (text.length <= HARD || bound < HARD) return 0;
    const blank = text.lastIndexOf(' ', HARD);
    return blank > HARD / 2 ? blank + 1 : wholeCharacter(text, HARD);
  }

  /** Everything that is left becomes final. @param {Run[]} runs */
  finish(runs) {
    this.next = 0;
    while (this.raw.length > HARD) {
      const cut = this.cut(this.raw.length);
      if (cut <= 0) break;
      this.emit(runs, this.raw.slice(0, cut));
      this.raw = this.raw.slice(cut);
    }
    this.emit(runs, this.raw.replace(/[ \t\n]+$/, ''));
    this.raw = '';
    this.lineStart = 0;
  }

  /** @param {Run[]} runs @param {string} text */
  emit(runs, text) {
    runs.length = this.frozen;
    if (text) {
      this.work.inlineChars += text.length;
      pieces(parseInline(text, this.hosts).runs, runs);
    }
    this.frozen = runs.length;
  }

  /** Shows what is not frozen, for now. @param {Run[]} runs @param {boolean} hideLine leave the newest line out */
  preview(runs, hideLine) {
    runs.length = this.frozen;
    const text = (hideLine ? this.raw.slice(0, this.lineStart) : this.raw).replace(/[ \t\n]+$/, '');
    if (!text) return;
    this.work.inlineChars += text.length;
    pieces(parseInline(text, this.hosts, true).runs, runs);
  }
}

/** True when nothing can reach over the border before `at`. @param {string} text @param {number} at @returns {boolean} */
function breakable(text, at) {
  const before = text.charCodeAt(at - 1);
  const after = text.charCodeAt(at);
  if (before === 32) return after !== 32 && after !== 10 && wordLike(after);
  return wide(before) && wide(after);
}

/** @param {number} unit @returns {boolean} */
function wide(unit) {
  return unit >= 0x3040 && unit <= 0x9fff;
}

/** @param {number} unit @returns {boolean} */
function wordLike(unit) {
  return wide(unit) || (unit >= 48 && unit <= 57) || (unit >= 65 && unit <= 90) || (unit >= 97 && unit <= 122);
}

/** @param {string} text @param {number} at @returns {number} `at`, moved out of a surrogate pair */
function wholeCharacter(text, at) {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff ? at + 1 : at;
}

/** Cuts long runs into pieces; the cuts depend on the run's beginning only. @param {Run[]} runs @param {Run[]} out */
function pieces(runs, out) {
  runs.forEach((run) => {
    if (run.t.length * 3 <= PIECE || (run.s && /[ag]/.test(run.s))) {
      out.push(run);
      return;
    }
    let start = 0;
    let weight = 0;
    for (let at = 0; at < run.t.length; at += 1) {
      const unit = run.t.charCodeAt(at);
      const blankAfter = unit === 32 && weight >= PIECE - 12;
      weight += unit < 128 ? 1 : 3;
      const pair = unit >= 0xd800 && unit <= 0xdbff;
      if ((weight >= PIECE || blankAfter) && !pair) {
        out.push(Object.assign({}, run, { t: run.t.slice(start, at + 1) }));
        start = at + 1;
        weight = 0;
      }
    }
    if (start < run.t.length) out.push(Object.assign({}, run, { t: run.t.slice(start) }));
  });
}

/** Runs of a text that is complete. @param {string} text @param {ReadonlyArray<string>} hosts @param {{ inlineChars: number }} work @returns {Run[]} */
function runsOf(text, hosts, work) {
  const paragraph = new Paragraph(hosts, work);
  /** @type {Run[]} */ const runs = [];
  paragraph.add(text, false);
  paragraph.finish(runs);
  return runs;
}

module.exports = { Paragraph, runsOf, wholeCharacter };
