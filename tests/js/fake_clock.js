'use strict';
/** A clock that moves only when told; promises settle between timers. */

class FakeClock {
  constructor() {
    this.time = Date.UTC(2026, 0, 5, 8, 0, 0);
    this.timers = [];
    this.serial = 0;
  }

  now() {
    return this.time;
  }

  after(ms, run) {
    this.serial += 1;
    const timer = { at: this.time + Math.max(0, ms), run, serial: this.serial };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((one) => one !== timer);
    };
  }

  /** Lets promises settle, runs what is due in order, and stops `ms` later. */
  async advance(ms) {
    const end = this.time + ms;
    await settle();
    for (;;) {
      const due = this.timers.filter((one) => one.at <= end).sort((a, b) => a.at - b.at || a.serial - b.serial)[0];
      if (!due) break;
      this.timers = this.timers.filter((one) => one !== due);
      this.time = Math.max(this.time, due.at);
      due.run();
      await settle();
    }
    this.time = end;
    await settle();
  }

  /** Goes on in steps until `done()` or `most` ms have passed. */
  async until(done, most = 120000, step = 100) {
    for (let passed = 0; passed <= most; passed += step) {
      await settle();
      if (done()) return;
      await this.advance(step);
    }
    throw new Error('condition not met in time');
  }
}

async function settle() {
  for (let round = 0; round < 3; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

module.exports = { FakeClock, settle };
