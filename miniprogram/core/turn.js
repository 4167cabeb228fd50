/**
 * One turn as a value: `reduce(state, event)` is the only way it changes.
 *
 * Events carry contiguous numbers. An event that was seen is ignored, one that came early waits, so any mixture of sockets, polls
 * and reconnects, with duplicates and in any order, rebuilds the same text.
 */

/**
 * @typedef {import('./protocol').TurnEvent} TurnEvent
 * @typedef {{ cursor: number, text: string, reasoning: string, revision: number, position: number, notice: string,
 *   phase: 'sent'|'queued'|'thinking'|'streaming'|'done', turnId: string, conversationId: string, userMessageId: string,
 *   end: null | { reason: import('./protocol').Reason, messageId: string, error: import('./protocol').ApiError | null },
 *   early: ReadonlyArray<TurnEvent> }} TurnState `revision` grows when text was taken back: append no longer suffices
 */

/** Events that wait for a gap to close; more than a very long answer has is not worth keeping. */
const EARLY_LIMIT = 4096;

/** @returns {TurnState} */
function initial() {
  return {
    cursor: 0, text: '', reasoning: '', revision: 0, position: 0, notice: '', phase: 'sent', turnId: '', conversationId: '',
    userMessageId: '', end: null, early: []
  };
}

/** @param {TurnState} state @param {TurnEvent} event @returns {TurnState} */
function reduce(state, event) {
  if (event.seq <= state.cursor) return state;
  if (event.seq > state.cursor + 1) {
    if (state.early.length >= EARLY_LIMIT || state.early.some((one) => one.seq === event.seq)) return state;
    return Object.assign({}, state, { early: state.early.concat(event) });
  }
  let next = apply(state, event);
  while (next.early.length) {
    const seq = next.cursor + 1;
    const found = next.early.find((one) => one.seq === seq);
    const early = next.early.filter((one) => one.seq > seq);
    if (!found) return early.length === next.early.length ? next : Object.assign({}, next, { early });
    next = apply(Object.assign({}, next, { early }), found);
  }
  return next;
}

/** @param {TurnState} state @param {TurnEvent} event the one after the cursor @returns {TurnState} */
function apply(state, event) {
  /** @type {Partial<TurnState>} */ const change = { cursor: event.seq };
  if (state.phase !== 'done') {
    switch (event.type) {
      case 'accepted':
        Object.assign(change, { turnId: event.turnId, conversationId: event.conversationId, userMessageId: event.userMessageId });
        break;
      case 'queued':
        Object.assign(change, { phase: 'queued', position: event.position });
        break;
      case 'text':
        Object.assign(change, { phase: 'streaming', position: 0, text: state.text + event.delta });
        break;
      case 'reasoning':
        Object.assign(change, { phase: state.phase === 'streaming' ? 'streaming' : 'thinking', position: 0, reasoning: state.reasoning + event.delta });
        break;
      case 'retract':
        change.text = keepCharacters(state.text, event.keep);
        change.revision = state.revision + 1;
        if (event.keep === 0) change.reasoning = '';
        break;
      case 'notice':
        change.notice = event.code;
        break;
      case 'end':
        Object.assign(change, {
          phase: 'done', position: 0, end: { reason: event.reason, messageId: event.messageId, error: event.error }
        });
        break;
      default:
    }
  }
  return Object.assign({}, state, change);
}

/** The first `keep` Unicode characters (code points, as the service counts). @param {string} text @param {number} keep @returns {string} */
function keepCharacters(text, keep) {
  if (keep >= text.length) return text;
  let at = 0;
  for (let left = keep; left > 0 && at < text.length; left -= 1) {
    const unit = text.charCodeAt(at);
    const low = text.charCodeAt(at + 1);
    at += unit >= 0xd800 && unit <= 0xdbff && low >= 0xdc00 && low <= 0xdfff ? 2 : 1;
  }
  return text.slice(0, at);
}

/** True when something came early: whoever reads should ask again after `cursor`. @param {TurnState} state @returns {boolean} */
function hasGap(state) {
  return state.early.length > 0;
}

module.exports = { initial, reduce, hasGap, keepCharacters };
