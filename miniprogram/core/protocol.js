/**
 * What the service sends, read with care: an answer of the wrong shape becomes a harmless value or is left out, never an exception.
 * What the phone sends: the frames of the socket.
 */

const { object, list, string, whole, oneOf } = require('./shape');

/**
 * @typedef {'complete'|'length'|'stopped'|'blocked'|'failed'} Reason
 * @typedef {{ code: string, zh: string, en: string, retryable: boolean, retryAfter: number, requestId: string, status: number, turnId: string,
 *   needed: number, available: number, renewsAt: number }} ApiError micro-credits, ms
 * @typedef {{ seq: number, type: 'accepted', turnId: string, conversationId: string, userMessageId: string, createdAt: number }
 *   | { seq: number, type: 'queued', position: number } | { seq: number, type: 'text', delta: string }
 *   | { seq: number, type: 'reasoning', delta: string } | { seq: number, type: 'retract', keep: number }
 *   | { seq: number, type: 'notice', code: string } | { seq: number, type: 'unknown' }
 *   | { seq: number, type: 'end', reason: Reason, messageId: string, error: ApiError | null }} TurnEvent
 * @typedef {{ id: string, conversationId: string, clientId: string, createdAt: number }} Turn
 * @typedef {{ turn: Turn, events: TurnEvent[], cursor: number, live: boolean }} TurnAnswer
 * @typedef {{ id: string, title: string, snippet: string, createdAt: number, at: number, liveTurn: string }} Conversation
 * @typedef {{ id: string, turnId: string, role: 'user'|'assistant', text: string, reasoning: string, at: number, state: 'normal'|'blocked'|'pending',
 *   end: Reason | '', error: ApiError | null, feedback: 'none'|'up'|'down', label: string }} StoredMessage
 */

/** @type {ReadonlyArray<Reason>} */
const REASONS = ['complete', 'length', 'stopped', 'blocked', 'failed'];

/** @param {unknown} value @returns {ApiError | null} */
function readError(value) {
  const from = object(value);
  const code = string(from.code);
  if (!code) return null;
  return {
    code,
    zh: string(from.message),
    en: string(from.message_en),
    retryable: from.retryable === true,
    retryAfter: typeof from.retry_after === 'number' && from.retry_after > 0 ? Math.min(86400, from.retry_after) : 0,
    requestId: string(from.request_id),
    status: whole(from.status),
    turnId: string(from.turn_id),
    needed: whole(from.needed),
    available: whole(from.available),
    renewsAt: whole(from.renews_at)
  };
}

/** @param {unknown} value @returns {TurnEvent | null} null when it has no usable sequence number */
function readEvent(value) {
  const from = object(value);
  const seq = whole(from.seq);
  if (!seq) return null;
  switch (from.type) {
    case 'accepted':
      return {
        seq, type: 'accepted', turnId: string(from.turn_id), conversationId: string(from.conversation_id),
        userMessageId: string(from.user_message_id), createdAt: whole(from.created_at)
      };
    case 'queued': return { seq, type: 'queued', position: whole(from.position) };
    case 'text': return { seq, type: 'text', delta: string(from.delta) };
    case 'reasoning': return { seq, type: 'reasoning', delta: string(from.delta) };
    case 'retract': return { seq, type: 'retract', keep: whole(from.keep) };
    case 'notice': return { seq, type: 'notice', code: string(from.code) };
    case 'end': {
      const error = readError(from.error);
      return { seq, type: 'end', reason: oneOf(from.reason, REASONS, 'failed'), messageId: string(from.message_id), error };
    }
    default: return { seq, type: 'unknown' };
  }
}

/** @param {unknown} value @returns {TurnEvent[]} */
function readEvents(value) {
  /** @type {TurnEvent[]} */ const out = [];
  list(value).forEach((one) => {
    const event = readEvent(one);
    if (event) out.push(event);
  });
  return out;
}

/** @param {unknown} value @returns {Turn} */
function readTurn(value) {
  const from = object(value);
  return {
    id: string(from.id), conversationId: string(from.conversation_id), clientId: string(from.client_id), createdAt: whole(from.created_at)
  };
}

/** Answer of POST /v1/turns and its like; null without a turn id. @param {unknown} value @returns {TurnAnswer | null} */
function readTurnAnswer(value) {
  const from = object(value);
  const turn = readTurn(from.turn);
  if (!turn.id) return null;
  return { turn, events: readEvents(from.events), cursor: whole(from.cursor), live: from.live !== false };
}

/** Answer of GET /v1/turns/{id}/events. @param {unknown} value @returns {{ events: TurnEvent[], cursor: number, live: boolean } | null} */
function readSlice(value) {
  const from = object(value);
  if (!Array.isArray(from.events)) return null;
  return { events: readEvents(from.events), cursor: whole(from.cursor), live: from.live === true };
}

/** @param {unknown} value @returns {Conversation | null} */
function readConversation(value) {
  const from = object(value);
  const id = string(from.id);
  if (!id) return null;
  const createdAt = whole(from.created_at);
  return {
    id, title: string(from.title), snippet: string(from.snippet), createdAt, at: whole(from.last_activity_at, createdAt),
    liveTurn: string(from.live_turn_id)
  };
}

/**
 * One thing a search found in a message; titles are searched on the phone. `ai`: the AI said it, and `label` says so.
 * @typedef {{ id: string, conversation: string, title: string, excerpt: string, at: number, ai: boolean, label: string }} Hit
 * @param {unknown} value @returns {Hit | null}
 */
function readHit(value) {
  const from = object(value);
  const id = string(from.message_id);
  const conversation = string(from.conversation_id);
  if (!id || !conversation || from.kind === 'title') return null;
  return {
    id, conversation, title: string(from.title), excerpt: string(from.excerpt), at: whole(from.at), ai: from.kind === 'answer', label: string(from.label)
  };
}

/** @param {unknown} value @returns {StoredMessage | null} */
function readMessage(value) {
  const from = object(value);
  const id = string(from.id);
  if (!id || (from.role !== 'user' && from.role !== 'assistant')) return null;
  const feedback = typeof from.feedback === 'string' ? from.feedback : object(from.feedback).value;
  return {
    id, turnId: string(from.turn_id), role: from.role, text: string(from.text), reasoning: string(from.reasoning),
    at: whole(from.created_at), state: oneOf(from.state, ['normal', 'blocked', 'pending'], 'normal'),
    end: oneOf(from.end_reason, REASONS, 'complete'), error: readError(from.error),
    feedback: oneOf(feedback, ['none', 'up', 'down'], 'none'), label: string(from.label)
  };
}

/** @template T @param {unknown} value @param {(one: unknown) => T | null} read @returns {T[]} */
function readAll(value, read) {
  /** @type {T[]} */ const out = [];
  list(value).forEach((one) => {
    const item = read(one);
    if (item) out.push(item);
  });
  return out;
}

/**
 * A frame of the socket.
 * @param {unknown} data
 * @returns {{ op: 'welcome', heartbeat: number } | { op: 'pong' } | { op: 'event', turn: string, event: TurnEvent }
 *   | { op: 'error', turn: string, error: ApiError } | { op: 'other' }}
 */
function readFrame(data) {
  /** @type {unknown} */ let value;
  try {
    value = typeof data === 'string' ? JSON.parse(data) : null;
  } catch (error) {
    return { op: 'other' };
  }
  const from = object(value);
  if (from.op === 'welcome') return { op: 'welcome', heartbeat: Math.max(1, Math.min(60, whole(from.heartbeat, 10))) };
  if (from.op === 'pong') return { op: 'pong' };
  if (from.op === 'event') {
    const event = readEvent(from.event);
    return event && string(from.turn) ? { op: 'event', turn: string(from.turn), event } : { op: 'other' };
  }
  if (from.op === 'error') {
    const error = readError(from.error);
    return error ? { op: 'error', turn: string(from.turn), error } : { op: 'other' };
  }
  return { op: 'other' };
}

const frames = {
  /** @param {string} ticket */
  hello: (ticket) => JSON.stringify({ op: 'hello', ticket }),
  /** @param {string} turn @param {number} after */
  resume: (turn, after) => JSON.stringify({ op: 'resume', turn, after }),
  /** @param {number} t */
  ping: (t) => JSON.stringify({ op: 'ping', t })
};

module.exports = { readError, readEvent, readEvents, readTurn, readTurnAnswer, readSlice, readConversation, readHit, readMessage, readAll, readFrame, frames };
