/** The answer that is coming: its turn is followed, its entry kept in line, and what the end says is shown. */

const { LiveTurn } = require('./live_turn');
const { entry, fromStored } = require('./message');
const { fromApi } = require('../core/errors');

/**
 * @typedef {import('./message').Entry} Entry
 * @typedef {import('../core/errors').Problem} Problem
 * @typedef {import('../core/turn').TurnState} TurnState
 */

class Answering {
  /** @param {import('./chat').Chat} chat */
  constructor(chat) {
    this.chat = chat;
    /** @type {LiveTurn | null} */ this.live = null;
    /** @type {Entry | null} */ this.entry = null;
    /** @type {(() => void) | null} */ this.ticker = null;
    this.thinkingSince = 0;
  }

  /**
   * @param {string} turnId @param {import('../core/protocol').TurnEvent[]} events @param {number} at ms
   * @param {{ instead?: Entry, after?: Entry }} [place] the answer it replaces, or the entry it comes after; else the end
   */
  follow(turnId, events, at, place) {
    const { chat } = this;
    const key = 'a:' + turnId;
    const one = entry({ key, role: 'assistant', turnId, at, state: 'thinking' });
    const { instead, after } = place || {};
    if (instead) chat.timeline.replace(instead, one);
    else chat.timeline.add(one, after);
    this.thinkingSince = 0;
    this.entry = one;
    this.live = new LiveTurn({ id: turnId, transport: chat.parts.transport, answer: chat.answers.of(key) }, {
      onChange: (state) => this.changed(one, state),
      onLink: (link) => chat.put({ link }),
      onEnd: (state) => this.ended(one, state),
      onLost: (why) => this.lost(one, why)
    });
    chat.put({ busy: true });
    this.live.start(events);
  }

  /** @param {Entry} one @param {TurnState} state */
  changed(one, state) {
    const { timeline, parts } = this.chat;
    const user = state.userMessageId ? timeline.question(one.turnId) : undefined;
    if (user && !user.id) timeline.edit(user, { id: state.userMessageId });
    const now = parts.clock.now();
    const thinking = state.phase === 'thinking';
    if (thinking && !this.thinkingSince) {
      this.thinkingSince = now;
      this.tick();
    }
    const phase = state.phase === 'done' ? 'done' : state.phase === 'queued' || state.phase === 'streaming' ? state.phase : 'thinking';
    timeline.edit(one, {
      state: phase, position: state.position, notice: state.notice, hasReasoning: state.reasoning !== '', thinking,
      thinkSeconds: thinking || (one.thinking && this.thinkingSince) ? Math.round((now - this.thinkingSince) / 1000) : one.thinkSeconds
    });
  }

  /** The reasoning timer: once a second while thinking. */
  tick() {
    const { clock } = this.chat.parts;
    this.stopTimer();
    this.ticker = clock.after(1000, () => {
      this.ticker = null;
      const one = this.entry;
      if (!one || !one.thinking) return;
      this.chat.timeline.edit(one, { thinkSeconds: Math.round((clock.now() - this.thinkingSince) / 1000) });
      this.tick();
    });
  }

  /** @param {Entry} one @param {TurnState} state */
  ended(one, state) {
    const end = /** @type {NonNullable<typeof state.end>} */ (state.end);
    const why = end.error ? fromApi(end.error) : null;
    if (why && why.code === 'blocked_input') {
      const user = this.chat.timeline.question(one.turnId);
      if (user) this.chat.timeline.edit(user, { state: 'blocked' });
    }
    this.settle(one, { id: end.messageId, end: end.reason, problem: why });
  }

  /** The turn can no longer be followed: what is stored of it is shown. @param {Entry} one @param {Problem} why */
  async lost(one, why) {
    const answer = this.chat.answers.of(one.key);
    try {
      const stored = await this.chat.history.answerOf(one.turnId);
      if (stored) {
        answer.update({ text: stored.text, reasoning: stored.reasoning, revision: answer.revision + 1, done: true });
        const from = fromStored(stored, fromApi);
        this.settle(one, { id: from.id, end: from.end, problem: from.problem, hasReasoning: from.hasReasoning });
        return;
      }
    } catch (error) {
      // The words of the first problem say more than those of this second try.
    }
    answer.flush();
    this.settle(one, { end: 'failed', problem: why });
  }

  /** @param {Entry} one @param {Partial<Entry>} change */
  settle(one, change) {
    const { chat } = this;
    if (this.entry !== one) return;
    this.live = null;
    this.entry = null;
    this.stopTimer();
    chat.timeline.edit(one, Object.assign({ state: 'done', thinking: false, position: 0 }, change));
    chat.put({ busy: false, stopping: false, link: '' });
    chat.parts.onActivity(chat.state.conversationId, { at: chat.parts.clock.now(), liveTurn: '' });
    chat.sending.pump();
  }

  stopTimer() {
    if (this.ticker) this.ticker();
    this.ticker = null;
  }

  /** Nothing is followed after this. */
  dispose() {
    if (this.live) this.live.finish();
    this.entry = null;
    this.stopTimer();
  }
}

module.exports = { Answering };
