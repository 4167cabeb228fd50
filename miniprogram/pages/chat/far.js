/**
 * Answers far from the screen rest: their words leave the view and their height stays, so that a conversation of
 * hundreds of messages costs the phone what fits on a few screens.
 */

const { shown } = require('../../components/answer/shown');

/** Kept ready above and below what is seen, in px: more than a fast fling covers between two reports. */
const MARGIN = 2400;
/** Below this many messages nothing is gained. */
const FEW = 12;

class Far {
  /** @param {any} page with `#list` and an answer in each `.theirs__body` */
  constructor(page) {
    this.page = page;
    /** @type {any} */ this.observer = null;
    this.count = 0;
  }

  /** The list has so many messages now. @param {number} count */
  update(count) {
    if (count === this.count) return;
    this.count = count;
    this.stop();
    if (count < FEW) return;
    wx.nextTick(() => this.watch());
  }

  watch() {
    this.stop();
    this.observer = this.page.createIntersectionObserver({ observeAll: true }).relativeTo('#list', { top: MARGIN, bottom: MARGIN });
    this.observer.observe('.theirs__body', (/** @type {any} */ seen) => {
      const answer = shown.get(seen.dataset.key);
      if (!answer) return;
      if (seen.intersectionRatio > 0 || seen.intersectionRect.height > 0) answer.rouse();
      else answer.sleep(seen.boundingClientRect.height);
    });
  }

  stop() {
    if (this.observer) this.observer.disconnect();
    this.observer = null;
  }
}

module.exports = { Far };
