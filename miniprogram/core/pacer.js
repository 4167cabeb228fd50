/**
 * Turns bursts into a steady flow: says how much of the text that arrived is shown at a moment.
 *
 * Each frame shows a share of the backlog, and in any case all that arrived `lag` ms ago. With reduced motion everything is shown
 * at once. Positions are UTF-16 units; a surrogate pair is never cut (see `take`). The clock comes as an argument.
 */

const LAG = 400;
const FRAME = 80;

class Pacer {
  /** @param {{ lag?: number, instant?: boolean }} [options] */
  constructor(options) {
    this.lag = (options && options.lag) || LAG;
    this.instant = Boolean(options && options.instant);
    this.shown = 0;
    this.length = 0;
    this.last = 0;
    /** @type {Array<{ at: number, length: number }>} what had arrived by when, oldest first */
    this.arrivals = [];
  }

  /** @param {number} length of the text that is here @param {number} now ms */
  push(length, now) {
    if (length <= this.length) return;
    if (this.shown >= this.length) this.last = Math.max(this.last, now - FRAME);
    this.length = length;
    this.arrivals.push({ at: now, length });
  }

  /** @param {string} text @param {number} now ms @returns {number} how much of `text` to show */
  take(text, now) {
    const backlog = this.length - this.shown;
    const share = Math.min(1, Math.max(0, now - this.last) / (this.lag * 0.6));
    let target = this.instant ? this.length : this.shown + Math.ceil(backlog * share);
    while (this.arrivals.length && this.arrivals[0].at <= now - this.lag + FRAME) {
      target = Math.max(target, this.arrivals[0].length);
      this.arrivals.shift();
    }
    const unit = text.charCodeAt(target - 1);
    if (unit >= 0xd800 && unit <= 0xdbff && target < text.length) target += 1;
    this.last = now;
    this.shown = Math.min(target, this.length);
    return this.shown;
  }

  /** Everything may be shown. @returns {number} */
  flush() {
    this.shown = this.length;
    this.arrivals = [];
    return this.shown;
  }

  /** The text was taken back. @param {number} length */
  reset(length) {
    this.length = length;
    this.shown = Math.min(this.shown, length);
    this.arrivals = [];
  }

  /** @returns {boolean} */
  get behind() {
    return this.shown < this.length;
  }
}

module.exports = { Pacer, LAG, FRAME };
