/** The texts of a conversation's answers by message key, and who is told when one grows. */

const { Answer } = require('./answer');

class Answers {
  /** @param {{ clock: import('../core/throttle').Clock, settings: import('./settings').Settings, session: import('./session').Session }} parts */
  constructor(parts) {
    this.parts = parts;
    /** @type {Map<string, Answer>} */ this.known = new Map();
    /** @type {Array<(key: string) => void>} */ this.growers = [];
  }

  /** @param {string} key @returns {Answer} made when it is asked for first */
  of(key) {
    const known = this.known.get(key);
    if (known) return known;
    const { clock, settings, session } = this.parts;
    const made = new Answer({
      clock, imageHosts: session.state.imageHosts, instant: settings.state.reducedMotion,
      onGrow: () => this.growers.forEach((grown) => grown(key))
    });
    this.known.set(key, made);
    return made;
  }

  /** @param {(key: string) => void} run @returns {() => void} ends it */
  onGrow(run) {
    this.growers.push(run);
    return () => {
      this.growers = this.growers.filter((one) => one !== run);
    };
  }

  stop() {
    this.known.forEach((one) => one.stop());
  }
}

module.exports = { Answers };
