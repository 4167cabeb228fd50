/** At most one call per `every` ms, the last one never lost. Timers are handed in. */

/** @typedef {{ now(): number, after(ms: number, run: () => void): () => void }} Clock `after` gives the way to cancel */

class Throttle {
  /** @param {Clock} clock @param {number} every ms @param {() => void} run */
  constructor(clock, every, run) {
    this.clock = clock;
    this.every = every;
    this.run = run;
    this.last = -Infinity;
    /** @type {(() => void) | null} */ this.cancel = null;
  }

  /** Asks for a call: now if enough time passed, else when it has. */
  ask() {
    if (this.cancel) return;
    const wait = Math.max(0, this.last + this.every - this.clock.now());
    this.cancel = this.clock.after(wait, () => this.fire());
  }

  /** Calls at once. */
  fire() {
    this.stop();
    this.last = this.clock.now();
    this.run();
  }

  stop() {
    if (this.cancel) this.cancel();
    this.cancel = null;
  }
}

module.exports = { Throttle };
