/** What the operators' desk sends, as values of known shapes. Amounts in micro-credits, times in Unix milliseconds. */

const { object, list, string, whole, oneOf } = require('./shape');

/**
 * @typedef {'viewer'|'operator'|'owner'} Role
 * @typedef {{ token: string, name: string, role: Role, expiresAt: number }} Bound
 * @typedef {{ live: number, queued: number, instances: number, turns: number, failed: number, blocked: number, success: number, cost: number,
 *   firstText: number, whole: number, errors: Array<{ code: string, count: number }> }} Today `success` of 1, -1 without turns; times -1 without any
 * @typedef {{ id: string, kind: string, state: 'open'|'looked'|'decided', openedAt: number, userId: string, messageId: string, reason: string, note: string,
 *   hasWords: boolean, decision: string, decidedBy: string }} Case
 * @typedef {{ id: string, createdAt: number, suspendedUntil: number, coolingUntil: number, reason: string, by: string }} User
 * @typedef {{ name: string, host: string, state: string, live: number, models: string[], off: boolean, offBy: string, offReason: string, recent: string }} Relay
 * @typedef {{ ok: boolean, firstText: number, code: string, detail: string, zh: string, en: string }} Tried
 */

const ROLES = /** @type {const} */ (['viewer', 'operator', 'owner']);
const STATES = /** @type {const} */ (['open', 'looked', 'decided']);

/** @param {unknown} value @returns {Bound | null} */
function readBound(value) {
  const from = object(value);
  const token = string(from.token);
  return token ? { token, name: string(from.name), role: oneOf(from.role, ROLES, 'viewer'), expiresAt: whole(from.expires_at) } : null;
}

/** @param {unknown} value @returns {Today} */
function readToday(value) {
  const from = object(value);
  const now = object(from.now);
  const days = list(from.days);
  const today = object(days[days.length - 1]);
  const errors = object(today.errors);
  const at = (/** @type {unknown} */ times) => {
    const p90 = object(times).p90;
    return typeof p90 === 'number' ? whole(p90) : -1;
  };
  return {
    live: whole(now.live), queued: whole(now.queued), instances: whole(now.instances), turns: whole(today.turns), failed: whole(today.failed), blocked: whole(today.blocked),
    success: typeof today.success === 'number' && today.success >= 0 && today.success <= 1 ? today.success : -1, cost: whole(today.cost_micro), firstText: at(today.first_text_ms), whole: at(today.whole_ms),
    errors: Object.keys(errors).map((code) => ({ code, count: whole(errors[code]) })).sort((one, other) => other.count - one.count)
  };
}

/** @param {unknown} value @returns {Case | null} */
function readCase(value) {
  const from = object(value);
  const id = string(from.id);
  if (!id) return null;
  return {
    id, kind: string(from.kind), state: oneOf(from.state, STATES, 'open'), openedAt: whole(from.opened_at), userId: string(from.user_id), messageId: string(from.message_id),
    reason: string(from.reason), note: string(from.note), hasWords: from.has_words === true, decision: string(from.decision), decidedBy: string(from.decided_by)
  };
}

/** @param {unknown} value @returns {{ items: Case[], next: string }} */
function readCases(value) {
  const from = object(value);
  return { items: list(from.cases).map(readCase).filter(Boolean).map((one) => /** @type {Case} */ (one)), next: string(from.next) };
}

/** @param {unknown} value @returns {User | null} */
function readUser(value) {
  const from = object(value);
  const id = string(from.id);
  const held = object(from.suspension);
  return id ? { id, createdAt: whole(from.created_at), suspendedUntil: whole(from.suspended_until), coolingUntil: whole(from.cooling_until), reason: string(held.reason), by: string(held.by) } : null;
}

/** @param {unknown} value @returns {{ relays: Relay[], stranded: string[] }} */
function readRelays(value) {
  const from = object(value);
  const relays = list(from.relays).map(object).map((one) => {
    const upstream = object(one.upstream);
    const off = object(one.off);
    return {
      name: string(upstream.name), host: string(upstream.host), state: string(upstream.state), live: whole(upstream.live), models: list(upstream.models).map((model) => string(model)),
      off: one.off !== undefined && one.off !== null, offBy: string(off.by), offReason: string(off.reason), recent: string(object(list(upstream.recent)[0]).code)
    };
  });
  return { relays: relays.filter((one) => one.name), stranded: list(from.stranded).map((model) => string(model)) };
}

/** @param {unknown} value @returns {Tried} */
function readTried(value) {
  const from = object(value);
  return { ok: from.ok === true, firstText: whole(from.first_text_ms), code: string(from.code), detail: string(from.detail), zh: string(from.message), en: string(from.message_en) };
}

/** A piece of what a user or the model wrote. @param {unknown} value @returns {{ text: string, label: string }} */
function readWords(value) {
  const from = object(value);
  const message = object(list(from.messages)[0]);
  if (!string(message.role)) return { text: string(from.text), label: '' };
  return { text: string(message.text), label: message.role === 'assistant' ? string(message.label, string(from.label)) : '' };
}

/** Milliseconds as people read them. @param {number} ms -1 = none @returns {string} */
function spanText(ms) {
  if (ms < 0) return '—';
  return ms < 1000 ? `${ms} ms` : `${Math.round(ms / 10) / 100} s`;
}

module.exports = { readBound, readToday, readCase, readCases, readUser, readRelays, readTried, readWords, spanText };
