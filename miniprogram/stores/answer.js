/**
 * The text of one answer on its way to the component that draws it: pacing, parsing, patches.
 *
 * A frame parses only what is new and hands over only what changed. Where small steps would cost too many bytes (English text in tiny
 * deltas), frames get fewer: handed-over bytes stay below three times the answer's own.
 */

const { Markdown, codeOf } = require('../core/markdown');
const { BlockPatcher, byteLength, sizeOf } = require('../core/patch');
const { Pacer, FRAME } = require('../core/pacer');
const { Throttle } = require('../core/throttle');

/** @typedef {(patch: Record<string, unknown>) => void} Watcher */

const BUDGET = 2.3;
const LIMIT = 2.75;
const ALLOWANCE = 1200;
const LONGEST_HOLD = 400;
/** The pacer's own lag: with the longest hold it stays near half a second. */
const LAG = 200;
const REASONING_PIECE = 160;

class Answer {
  /**
   * @param {{ clock: import('../core/throttle').Clock, imageHosts: ReadonlyArray<string>, instant: boolean, onGrow?: () => void }} options
   */
  constructor(options) {
    this.options = options;
    this.text = '';
    this.reasoning = '';
    this.revision = 0;
    this.done = false;
    this.fed = 0;
    this.fedBytes = 0;
    this.sentBytes = 0;
    this.lastSent = -Infinity;
    this.markdown = new Markdown(options);
    this.patcher = new BlockPatcher('b');
    this.pacer = new Pacer({ instant: options.instant, lag: LAG });
    this.throttle = new Throttle(options.clock, FRAME, () => this.frame());
    /** @type {Watcher[]} */ this.watchers = [];
    /** @type {string[]} */ this.pieces = [];
    this.reasoned = 0;
    this.reasoningOpen = false;
  }

  /** @param {{ text: string, reasoning: string, revision: number, done: boolean }} now what the turn says */
  update(now) {
    if (now.revision !== this.revision) this.takeBack(now.text);
    this.revision = now.revision;
    this.text = now.text;
    this.reasoning = now.reasoning;
    this.done = now.done;
    this.pacer.push(this.text.length, this.options.clock.now());
    if (this.done) this.flush();
    else this.throttle.ask();
  }

  /** A history message: complete from the beginning, parsed when somebody looks. @param {string} text @param {string} reasoning */
  load(text, reasoning) {
    this.text = text;
    this.reasoning = reasoning;
    this.done = true;
    this.pacer.push(text.length, 0);
    this.pacer.flush();
  }

  /** @param {Watcher} watcher @returns {() => void} */
  watch(watcher) {
    this.watchers.push(watcher);
    if (this.done) this.feed(this.text.length);
    this.full();
    return () => {
      this.watchers = this.watchers.filter((one) => one !== watcher);
    };
  }

  /** The whole of it, to everybody. */
  full() {
    const { blocks } = this.markdown;
    this.markdown.take();
    this.patcher.reset();
    this.patcher.update(blocks, [0, 0]);
    this.tell({ b: JSON.parse(JSON.stringify(blocks)), rb: this.reasoningOpen ? this.pieces.slice() : [] });
  }

  /** @param {boolean} open */
  openReasoning(open) {
    this.reasoningOpen = open;
    if (!open) return;
    this.reason();
    this.tell({ rb: this.pieces.slice() });
  }

  frame() {
    const now = this.options.clock.now();
    this.feed(this.pacer.take(this.text, now));
    const spent = (this.sentBytes - ALLOWANCE) / this.fedBytes;
    const due = !(spent > BUDGET) || now - this.lastSent >= (spent > LIMIT ? LONGEST_HOLD * 1.5 : LONGEST_HOLD);
    if (due) this.hand(now);
    if (this.pacer.behind || !due) this.throttle.ask();
  }

  /** Shows everything that is here. */
  flush() {
    this.throttle.stop();
    this.feed(this.pacer.flush());
    this.hand(this.options.clock.now());
  }

  /** @param {number} end how much of the text the parser gets */
  feed(end) {
    const more = this.text.slice(this.fed, end);
    if (more) {
      this.markdown.append(more);
      this.fed = end;
      this.fedBytes += byteLength(more);
    }
    if (this.done && this.fed === this.text.length) this.markdown.finish();
  }

  /** @param {number} now */
  hand(now) {
    if (!this.watchers.length) return;
    const patch = this.patcher.update(this.markdown.blocks, this.markdown.take());
    if (this.reasoningOpen) Object.assign(patch, this.reason());
    if (!Object.keys(patch).length) return;
    this.lastSent = now;
    this.sentBytes += sizeOf(patch);
    this.tell(patch);
    if (this.options.onGrow) this.options.onGrow();
  }

  /** Reasoning as plain pieces; only the last one grows. @returns {Record<string, unknown>} */
  reason() {
    /** @type {Record<string, unknown>} */ const patch = {};
    while (this.reasoned < this.reasoning.length) {
      const last = this.pieces.length - 1;
      const grows = last >= 0 && this.pieces[last].length < REASONING_PIECE;
      const at = grows ? last : last + 1;
      const room = REASONING_PIECE - (grows ? this.pieces[last].length : 0);
      let end = Math.min(this.reasoning.length, this.reasoned + room);
      const unit = this.reasoning.charCodeAt(end - 1);
      if (unit >= 0xd800 && unit <= 0xdbff) end += 1;
      this.pieces[at] = (grows ? this.pieces[last] : '') + this.reasoning.slice(this.reasoned, end);
      this.reasoned = end;
      patch[`rb[${at}]`] = this.pieces[at];
    }
    return patch;
  }

  /** Text was taken back: what was parsed is forgotten. @param {string} text */
  takeBack(text) {
    this.markdown = new Markdown(this.options);
    this.pacer.reset(text.length);
    this.fed = 0;
    this.fedBytes = 0;
    this.sentBytes = 0;
    this.pieces = [];
    this.reasoned = 0;
    this.text = text;
    this.tell(Object.assign(this.patcher.reset(), { rb: [] }));
    this.feed(this.pacer.shown);
  }

  /** @param {Record<string, unknown>} patch */
  tell(patch) {
    this.watchers.slice().forEach((watcher) => watcher(patch));
  }

  /** @param {number} block @returns {string} */
  codeAt(block) {
    return codeOf(this.markdown.blocks[block]);
  }

  /** @param {number} block @returns {string} the name behind the fence */
  languageAt(block) {
    const found = this.markdown.blocks[block];
    return (found && found.lang) || '';
  }

  stop() {
    this.throttle.stop();
  }
}

module.exports = { Answer };
