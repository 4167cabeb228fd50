/** The phone's clock and timers behind one small value, so that tests need no waiting. */

/** @typedef {import('../core/throttle').Clock} Clock */

/** @type {Clock} */
const phoneClock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  }
};

/** @param {Clock} clock @param {number} ms @returns {Promise<void>} */
function pause(clock, ms) {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}

module.exports = { phoneClock, pause };
