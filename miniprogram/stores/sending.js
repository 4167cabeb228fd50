/** The outbox of one conversation at work: one message at a time, in order, the same client id through every attempt. */

const outbox = require('../core/outbox');
const { problemOf } = require('../core/errors');
const { backoff } = require('../core/backoff');

/**
 * @typedef {import('../core/outbox').Unsent} Unsent
 * @typedef {import('../core/errors').Problem} Problem
 * @typedef {{ mayRun(): boolean, online(): boolean, conversationId(): string, onSending(id: string): void, onWaiting(id: string, problem: Problem): void,
 *   onAccepted(message: Unsent, answer: import('../core/protocol').TurnAnswer): void, onFailed(id: string, problem: Problem): void,
 *   onLimit(seconds: number): void }} SendingHandlers
 */

const MOST_ATTEMPTS = 8;
/** Another answer of this person is still coming, perhaps on another device: how long between two looks, and how many. */
const NEXT_LOOK = 3000;
const MOST_LOOKS = 120;

class Sending {
  /**
   * @param {{ api: import('../services/api').Api, clock: import('../core/throttle').Clock, random: () => number }} parts
   * @param {SendingHandlers} handlers
   */
  constructor(parts, handlers) {
    this.parts = parts;
    this.handlers = handlers;
    /** @type {Unsent[]} */ this.list = [];
    /** @type {(() => void) | null} */ this.timer = null;
    this.disposed = false;
  }

  /** @param {{ clientId: string, text: string, conversationId: string, model: string, replaces: string }} message */
  put(message) {
    this.list = outbox.put(this.list, message);
    this.pump();
  }

  /** @param {string} id @returns {boolean} false when it is on its way already */
  remove(id) {
    const found = this.list.find((one) => one.clientId === id);
    if (found && found.state === 'sending') return false;
    this.list = outbox.drop(this.list, id);
    return true;
  }

  /** Again, after everything that waits already. @param {string} id */
  retry(id) {
    this.list = outbox.last(this.list, id);
    this.pump();
  }

  /** The network is back: no more waiting. */
  hurry() {
    this.list = this.list.map((one) => (one.state === 'waiting' ? Object.assign({}, one, { notBefore: 0, attempts: 0 }) : one));
    this.pump();
  }

  /** Sends what may be sent now. */
  async pump() {
    if (this.timer) this.timer();
    this.timer = null;
    if (this.disposed || !this.handlers.online() || !this.handlers.mayRun()) return;
    const now = this.parts.clock.now();
    const one = outbox.next(this.list, now);
    if (!one) {
      this.sleep(now);
      return;
    }
    const id = one.clientId;
    this.list = outbox.sending(this.list, id);
    this.handlers.onSending(id);
    try {
      const answer = await this.parts.api.send(Object.assign({}, one, { conversationId: one.conversationId || this.handlers.conversationId() }));
      if (this.disposed) return;
      this.list = outbox.drop(this.list, id);
      this.handlers.onAccepted(one, answer);
    } catch (error) {
      if (this.disposed) return;
      this.refused(one, problemOf(error));
    }
    this.pump();
  }

  /** @param {Unsent} one @param {Problem} problem */
  refused(one, problem) {
    const id = one.clientId;
    const now = this.parts.clock.now();
    if (problem.code === 'rate_limited') {
      const seconds = Math.max(1, problem.retryAfter);
      this.list = outbox.again(this.list, id, now + seconds * 1000);
      this.handlers.onLimit(seconds);
      this.handlers.onWaiting(id, problem);
    } else if (problem.code === 'turn_in_progress' && one.attempts + 1 < MOST_LOOKS) {
      this.list = outbox.again(this.list, id, now + NEXT_LOOK);
      this.handlers.onWaiting(id, problem);
    } else if (problem.kind === 'retry' && (one.attempts + 1 < MOST_ATTEMPTS || !this.handlers.online())) {
      const wait = Math.max(problem.delay, backoff(one.attempts, 800, 15000, this.parts.random));
      this.list = outbox.again(this.list, id, now + wait);
      this.handlers.onWaiting(id, problem);
    } else {
      this.list = outbox.failed(this.list, id);
      this.handlers.onFailed(id, problem);
    }
  }

  /** Nothing is sent after this: the words may be another person's by now. */
  dispose() {
    this.disposed = true;
    this.list = [];
    if (this.timer) this.timer();
    this.timer = null;
  }

  /** @param {number} now */
  sleep(now) {
    if (this.list.some((one) => one.state === 'sending')) return;
    const first = this.list.find((one) => one.state === 'waiting');
    if (first) this.timer = this.parts.clock.after(Math.max(0, first.notBefore - now), () => this.pump());
  }
}

module.exports = { Sending };
