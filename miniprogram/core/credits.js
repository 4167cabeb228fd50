/** Credits as the service sends them, and as people read them. Amounts are whole micro-credits: 1,000,000 = one credit. */

const { object, list, string, whole, oneOf } = require('./shape');

/**
 * @typedef {{ source: string, left: number, expiresAt: number }} Lot `expiresAt` 0 = never
 * @typedef {{ model: string, name: string, input: number, cached: number, output: number, reasoning: number, image: number }} Price a million tokens, an image
 * @typedef {{ active: boolean, balance: number, reserved: number, allowance: null | { amount: number, left: number, renewsAt: number }, lots: Lot[],
 *   spent: number, limit: number, prices: Price[] }} Credits `limit` of a day, 0 = none
 * @typedef {{ number: number, kind: string, change: number, turnId: string, at: number, note: string }} Entry
 * @typedef {{ what: string, count: number, price: number, amount: number }} Line
 * @typedef {{ turnId: string, state: 'free'|'reserved'|'settled', model: string, reason: string, rule: { zh: string, en: string },
 *   usage: null | { input: number, output: number, reasoning: number, cached: number, estimated: boolean }, lines: Line[], reserved: number,
 *   charged: number, released: number, saved: number, refunded: number, settledAt: number }} Receipt `saved` -1 = was not stopped
 */

const MICRO = 1000000;
const STATES = /** @type {const} */ (['free', 'reserved', 'settled']);

/** @param {unknown} value @returns {number} a whole number, also below zero */
const signed = (value) => (typeof value === 'number' && Number.isSafeInteger(value) ? value : 0);

/** @param {unknown} value @returns {Credits} */
function readCredits(value) {
  const from = object(value);
  const allowance = object(from.allowance);
  const day = object(from.day);
  return {
    active: from.active === true, balance: signed(from.balance), reserved: whole(from.reserved),
    allowance: whole(allowance.amount) ? { amount: whole(allowance.amount), left: whole(allowance.left), renewsAt: whole(allowance.renews_at) } : null,
    lots: list(from.lots).map(object).map((one) => ({ source: string(one.source), left: whole(one.left), expiresAt: whole(one.expires_at) })),
    spent: whole(day.spent), limit: whole(day.limit),
    prices: list(from.prices).map(object).map((one) => ({
      model: string(one.model), name: string(one.name, string(one.model)), input: whole(one.input), cached: whole(one.cached_input),
      output: whole(one.output), reasoning: whole(one.reasoning), image: whole(one.image)
    }))
  };
}

/** @param {unknown} value @returns {{ items: Entry[], next: string }} */
function readEntries(value) {
  const from = object(value);
  return {
    items: list(from.entries).map(object).filter((one) => whole(one.number)).map((one) => ({
      number: whole(one.number), kind: string(one.kind), change: signed(one.change), turnId: string(one.turn_id), at: whole(one.at), note: string(one.note)
    })),
    next: string(from.next)
  };
}

/** @param {unknown} value @returns {Receipt | null} null without a turn */
function readReceipt(value) {
  const from = object(value);
  const turnId = string(from.turn_id);
  if (!turnId) return null;
  const usage = from.usage ? object(from.usage) : null;
  return {
    turnId, state: oneOf(from.state, STATES, 'free'), model: string(from.model), reason: string(from.reason),
    rule: { zh: string(from.rule_text), en: string(from.rule_text_en) },
    usage: usage && {
      input: whole(usage.input_tokens), output: whole(usage.output_tokens), reasoning: whole(usage.reasoning_tokens), cached: whole(usage.cached_tokens),
      estimated: usage.estimated === true
    },
    lines: list(from.lines).map(object).map((one) => ({ what: string(one.what), count: whole(one.count), price: whole(one.price), amount: whole(one.amount) })),
    reserved: whole(from.reserved), charged: whole(from.charged), released: whole(from.released),
    saved: typeof from.saved_by_stop === 'number' ? whole(from.saved_by_stop) : -1, refunded: whole(from.refunded), settledAt: whole(from.settled_at)
  };
}

/** `1,234.5`: whole credits with as many decimals as there are. @param {number} micro @returns {string} */
function amount(micro) {
  const size = Math.abs(micro);
  const rest = size % MICRO;
  const decimals = rest ? '.' + String(rest + MICRO).slice(1).replace(/0+$/, '') : '';
  return (micro < 0 ? '-' : '') + String((size - rest) / MICRO).replace(/\B(?=(\d{3})+(?!\d))/g, ',') + decimals;
}

/** With its sign, for a list of changes. @param {number} micro @returns {string} */
function change(micro) {
  return (micro > 0 ? '+' : '') + amount(micro);
}

module.exports = { readCredits, readEntries, readReceipt, amount, change };
