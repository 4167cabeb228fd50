/** What a person asks of an answer: end it, give another, go on; and what they think of it. */

const { clientId } = require('../core/ids');
const { problemOf } = require('../core/errors');

/** @typedef {import('./message').Entry} Entry */

class Asking {
  /** @param {import('./chat').Chat} chat */
  constructor(chat) {
    this.chat = chat;
    /** a request for another answer is on its way */
    this.starting = false;
  }

  /** Ends the answer; what is there stays. */
  async stop() {
    const { chat } = this;
    const { live } = chat;
    if (!live || chat.state.stopping) return;
    chat.put({ stopping: true });
    try {
      await chat.parts.api.stop(live.id);
    } catch (error) {
      chat.put({ stopping: false, error: chat.shown(problemOf(error)) });
    }
  }

  /** @param {string} key @param {string} model '' = the one of the settings @returns {Promise<boolean>} */
  regenerate(key, model) {
    const { api, settings } = this.chat.parts;
    const one = this.chat.timeline.find(key);
    return one ? this.again(one, (id) => api.regenerate(one.turnId, id, model || settings.state.model), one) : Promise.resolve(false);
  }

  /** @param {string} key @returns {Promise<boolean>} */
  continueAnswer(key) {
    const one = this.chat.timeline.find(key);
    return one ? this.again(one, (id) => this.chat.parts.api.continueTurn(one.turnId, id), undefined) : Promise.resolve(false);
  }

  /**
   * @param {Entry} one @param {(id: string) => Promise<import('../core/protocol').TurnAnswer>} ask @param {Entry | undefined} instead
   * @returns {Promise<boolean>}
   */
  async again(one, ask, instead) {
    const { chat } = this;
    const { clock, random } = chat.parts;
    if (chat.live || this.starting || !one.turnId) return false;
    this.starting = true;
    chat.put({ busy: true, error: null });
    try {
      const { turn, events } = await ask(clientId(clock.now(), random));
      this.starting = false;
      chat.answering.follow(turn.id, events, turn.createdAt || clock.now(), instead);
      return true;
    } catch (error) {
      const why = problemOf(error);
      this.starting = false;
      chat.put({ busy: false, error: chat.shown(why) });
      if (why.code === 'rate_limited') chat.countdown.start(Math.max(1, why.retryAfter));
      return false;
    }
  }

  /** @param {string} key @param {'up'|'down'|'none'} value @param {string[]} reasons @param {string} comment @returns {Promise<boolean>} */
  async feedback(key, value, reasons, comment) {
    const { chat } = this;
    const one = chat.timeline.find(key);
    if (!one || !one.id) return false;
    const before = one.feedback;
    chat.timeline.edit(one, { feedback: value });
    const done = await this.tried(() => chat.parts.api.feedback(one.id, value, reasons, comment));
    if (!done) chat.timeline.edit(one, { feedback: before });
    return done;
  }

  /** @param {string} key @param {string} reason @param {string} comment @returns {Promise<boolean>} */
  report(key, reason, comment) {
    const one = this.chat.timeline.find(key);
    return one && one.id ? this.tried(() => this.chat.parts.api.report(one.id, reason, comment)) : Promise.resolve(false);
  }

  /** @param {() => Promise<unknown>} run @returns {Promise<boolean>} */
  async tried(run) {
    try {
      await run();
      return true;
    } catch (error) {
      this.chat.put({ error: this.chat.shown(problemOf(error)) });
      return false;
    }
  }
}

module.exports = { Asking };
