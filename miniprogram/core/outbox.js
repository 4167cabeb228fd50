/**
 * Messages that were typed but not yet accepted. Pure: every function gives a new list.
 *
 * waiting -> sending -> (accepted: leaves the list) | waiting again (no network, service waking) | failed (the person must act).
 * The client id stays the same through every attempt, so a message whose answer was lost is not sent twice. In memory only:
 * people's words are not kept in local storage.
 */

/**
 * @typedef {{ clientId: string, text: string, conversationId: string, model: string, replaces: string, state: 'waiting'|'sending'|'failed',
 *   attempts: number, notBefore: number }} Unsent
 */

/** @param {ReadonlyArray<Unsent>} list @param {{ clientId: string, text: string, conversationId: string, model: string, replaces: string }} message @returns {Unsent[]} */
function put(list, message) {
  if (list.some((one) => one.clientId === message.clientId)) return list.slice();
  return list.concat(Object.assign({ state: /** @type {'waiting'} */ ('waiting'), attempts: 0, notBefore: 0 }, message));
}

/** The one to send now: the oldest, one at a time, in order. @param {ReadonlyArray<Unsent>} list @param {number} now @returns {Unsent | null} */
function next(list, now) {
  if (list.some((one) => one.state === 'sending')) return null;
  const first = list.find((one) => one.state === 'waiting');
  return first && first.notBefore <= now ? first : null;
}

/** @param {ReadonlyArray<Unsent>} list @param {string} id @param {(one: Unsent) => Partial<Unsent>} change @returns {Unsent[]} */
function edit(list, id, change) {
  return list.map((one) => (one.clientId === id ? Object.assign({}, one, change(one)) : one));
}

/** @param {ReadonlyArray<Unsent>} list @param {string} id @returns {Unsent[]} */
const sending = (list, id) => edit(list, id, (one) => ({ state: 'sending', attempts: one.attempts + 1 }));

/** @param {ReadonlyArray<Unsent>} list @param {string} id @param {number} notBefore ms @returns {Unsent[]} */
const again = (list, id, notBefore) => edit(list, id, () => ({ state: 'waiting', notBefore }));

/** To be sent anew, after the others. @param {ReadonlyArray<Unsent>} list @param {string} id @returns {Unsent[]} */
const last = (list, id) => again(drop(list, id).concat(list.filter((one) => one.clientId === id)), id, 0);

/** @param {ReadonlyArray<Unsent>} list @param {string} id @returns {Unsent[]} */
const failed = (list, id) => edit(list, id, () => ({ state: 'failed' }));

/** Accepted by the service, or given up by the person. @param {ReadonlyArray<Unsent>} list @param {string} id @returns {Unsent[]} */
const drop = (list, id) => list.filter((one) => one.clientId !== id);

module.exports = { put, next, sending, again, last, failed, drop };
