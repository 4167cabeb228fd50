/** A turn that is being answered: events in, an Answer and a few facts out. */

const turn = require('../core/turn');
const { problem } = require('../core/errors');

/**
 * @typedef {import('../core/turn').TurnState} TurnState
 * @typedef {{ onChange(state: TurnState): void, onLink(link: import('../services/transport').LinkName): void, onEnd(state: TurnState): void,
 *   onLost(problem: import('../core/errors').Problem): void }} TurnHandlers
 */

class LiveTurn {
  /**
   * @param {{ id: string, transport: import('../services/transport').Transport, answer: import('./answer').Answer }} parts
   * @param {TurnHandlers} handlers
   */
  constructor(parts, handlers) {
    this.id = parts.id;
    this.transport = parts.transport;
    this.answer = parts.answer;
    this.handlers = handlers;
    this.state = turn.initial();
    /** @type {(() => void) | null} */ this.unfollow = null;
    this.over = false;
  }

  /** @param {import('../core/protocol').TurnEvent[]} events the first ones, if any came with the answer */
  start(events) {
    this.take(events);
    if (this.over) return;
    this.unfollow = this.transport.follow({
      turn: this.id,
      cursor: () => this.state.cursor,
      gap: () => turn.hasGap(this.state),
      live: () => !this.over,
      onEvents: (more) => this.take(more),
      onLink: (link) => this.handlers.onLink(link),
      onGone: (why) => this.lose(why)
    });
  }

  /** @param {import('../core/protocol').TurnEvent[]} events */
  take(events) {
    if (this.over) return;
    const before = this.state;
    this.state = events.reduce(turn.reduce, before);
    if (this.state === before) return;
    const { text, reasoning, revision, end } = this.state;
    if (text !== before.text || reasoning !== before.reasoning || revision !== before.revision || end) {
      this.answer.update({ text, reasoning, revision, done: end !== null });
    }
    this.handlers.onChange(this.state);
    if (end) {
      this.finish();
      this.handlers.onEnd(this.state);
    }
  }

  /** @param {import('../core/errors').Problem} why */
  lose(why) {
    if (this.over) return;
    this.finish();
    this.handlers.onLost(why || problem({}));
  }

  finish() {
    this.over = true;
    if (this.unfollow) this.unfollow();
    this.unfollow = null;
  }
}

module.exports = { LiveTurn };
