/**
 * Incremental Markdown: `append(delta)` keeps `blocks` right while the answer streams.
 *
 * The machine of blocks.js reads whole lines. The unfinished line at the end is tried on and taken back before the next delta; a
 * line longer than LONG is fed in slices whose borders depend on the text alone. So any way of cutting the answer into deltas
 * gives the same blocks as parsing it whole, and a delta costs its own length plus a bounded tail.
 */

const { BlockMachine } = require('./blocks');
const { undecided } = require('./block_starts');
const { wholeCharacter } = require('./paragraph');

/** @typedef {import('./block_list').Block} Block */

const LONG = 256;

class Markdown {
  /** @param {{ imageHosts?: ReadonlyArray<string> }} [options] */
  constructor(options) {
    this.machine = new BlockMachine((options && options.imageHosts) || []);
    /** the unfinished line, as far as the machine has not taken it */
    this.rest = '';
    /** the machine has taken the beginning of the unfinished line */
    this.midLine = false;
    this.endedWithReturn = false;
    /** @type {(() => void) | null} */ this.undo = null;
    /** @type {[number, number]} first [block, item] changed since `take()` */ this.dirty = [0, 0];
  }

  /** @returns {Block[]} */
  get blocks() {
    return this.machine.blocks;
  }

  /** Characters looked at so far. @returns {import('./leaves').Work} */
  get work() {
    return this.machine.work;
  }

  /** @param {string} delta */
  append(delta) {
    if (!delta) return;
    this.rollback();
    let text = this.endedWithReturn && delta[0] === '\n' ? delta.slice(1) : delta;
    this.endedWithReturn = delta[delta.length - 1] === '\r';
    if (text.indexOf('\r') >= 0) text = text.replace(/\r\n?/g, '\n');
    if (text.indexOf('\0') >= 0) text = text.replace(/\0/g, '\ufffd');
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      this.rest += text.slice(from, end);
      this.takeLong();
      this.takeLine();
      from = end + 1;
    }
    this.rest += text.slice(from);
    this.takeLong();
    this.tryTail();
  }

  /** No more text follows: what was held back is shown, what was open is closed. */
  finish() {
    this.rollback();
    if (this.rest || this.midLine) this.takeLine();
    this.machine.close(0);
  }

  /** Where the view must look again since the last call: everything before is unchanged. @returns {[number, number]} */
  take() {
    const from = this.dirty;
    this.dirty = [this.machine.blocks.length, 0];
    this.touch(this.machine.stable());
    return from;
  }

  /** @param {[number, number]} at */
  touch(at) {
    if (at[0] < this.dirty[0] || (at[0] === this.dirty[0] && at[1] < this.dirty[1])) this.dirty = at;
  }

  rollback() {
    if (this.undo) this.undo();
    this.undo = null;
    this.touch(this.machine.stable());
  }

  takeLong() {
    let slice = LONG;
    while (this.rest.length > LONG) {
      slice = wholeCharacter(this.rest, LONG);
      const part = this.rest.slice(0, slice);
      this.rest = this.rest.slice(slice);
      if (this.midLine) this.machine.moreLine(part);
      else this.machine.startLine(part, false);
      this.midLine = true;
    }
  }

  takeLine() {
    if (this.midLine) this.machine.moreLine(this.rest);
    else this.machine.startLine(this.rest, true);
    this.machine.endLine();
    this.rest = '';
    this.midLine = false;
  }

  tryTail() {
    const { machine } = this;
    this.undo = machine.checkpoint();
    const hold = machine.inFence ? /^[ >]*[`~]{1,}[ \t]*$/.test(this.rest) : !this.midLine && undecided(this.rest);
    if (this.rest && (this.midLine || !hold)) {
      if (this.midLine) machine.moreLine(this.rest);
      else machine.startLine(this.rest, true);
      if (!this.midLine) machine.showRow();
    }
    machine.preview(true);
  }
}

/** A text that is complete. @param {string} text @param {{ imageHosts?: ReadonlyArray<string> }} [options] @returns {Block[]} */
function parse(text, options) {
  const markdown = new Markdown(options);
  markdown.append(text);
  markdown.finish();
  return markdown.blocks;
}

/** The words of a code block, as they were written. @param {Block | undefined} block @returns {string} */
function codeOf(block) {
  return ((block && block.l) || []).map((line) => line.map((run) => run.t).join('')).join('\n');
}

module.exports = { Markdown, parse, codeOf };
