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
    /** Client ids of requests whose outcome is not known: asked again, they must not make a second answer. @type {Map<string, string>} */
    this.unsure = new Map();
  }

  /** Ends the answer; what is there stays. An answer that was only asked for is ended as soon as the service has it. */
  async stop() {
    const { chat } = this;
    if (!chat.state.busy || chat.state.stopping) return;
    chat.put({ stopping: true });
    await this.stopLive();
  }

  /** What a stop is still waiting for. */
  async stopLive() {
    const { chat } = this;
    const { live } = chat;
    if (!live || !chat.state.stopping) return;
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
    return one ? this.again('regenerate', one, (id) => api.regenerate(one.turnId, id, model || settings.state.model)) : Promise.resolve(false);
  }

  /** @param {string} key @returns {Promise<boolean>} */
  continueAnswer(key) {
    const one = this.chat.timeline.find(key);
    return one ? this.again('continue', one, (id) => this.chat.parts.api.continueTurn(one.turnId, id)) : Promise.resolve(false);
  }

  /**
   * @param {'regenerate'|'continue'} what @param {Entry} one @param {(id: string) => Promise<import('../core/protocol').TurnAnswer>} ask
   * @returns {Promise<boolean>}
   */
  async again(what, one, ask) {
    const { chat } = this;
    const { clock, random } = chat.parts;
    if (chat.state.busy || !one.turnId || chat.timeline.lastKey !== one.key) return false;
    const name = `${what}:${one.turnId}`;
    const id = this.unsure.get(name) || clientId(clock.now(), random);
    this.unsure.set(name, id);
    this.starting = true;
    chat.put({ busy: true, error: null });
    try {
      const { turn, events } = await ask(id);
      this.starting = false;
      this.unsure.delete(name);
      if (chat.disposed) return false;
      chat.answering.follow(turn.id, events, turn.createdAt || clock.now(), what === 'regenerate' ? { instead: one } : { after: one });
      this.stopLive();
      return true;
    } catch (error) {
      const why = problemOf(error);
      this.starting = false;
      if (why.kind !== 'retry') this.unsure.delete(name);
      if (chat.disposed) return false;
      chat.put({ busy: false, stopping: false, error: chat.shown(why) });
      if (why.code === 'rate_limited') chat.countdown.start(Math.max(1, why.retryAfter));
      chat.sending.pump();
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
