/** Seconds until the service takes messages again, counted down once a second. */

/** @typedef {{ until: number, seconds: number }} Limit */

class Countdown {
  /** @param {import('../core/throttle').Clock} clock @param {(limit: Limit | null) => void} tell null when it is over */
  constructor(clock, tell) {
    this.clock = clock;
    this.tell = tell;
    /** @type {(() => void) | null} */ this.timer = null;
  }

  /** @param {number} seconds */
  start(seconds) {
    const until = this.clock.now() + seconds * 1000;
    this.stop();
    const step = () => {
      const left = Math.ceil((until - this.clock.now()) / 1000);
      this.timer = left > 0 ? this.clock.after(1000, step) : null;
      this.tell(left > 0 ? { until, seconds: left } : null);
    };
    step();
  }

  stop() {
    if (this.timer) this.timer();
    this.timer = null;
  }
}

module.exports = { Countdown };
