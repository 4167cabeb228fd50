/** Every route of the service as a function. Reads repeat themselves; writes repeat only where the route is safe to repeat. */

const protocol = require('../core/protocol');
const { CallFailed, problem, problemOf } = require('../core/errors');
const { object, list, string } = require('../core/shape');
const { backoff } = require('../core/backoff');
const { pause } = require('./clock');

/** @typedef {import('./cloud').Method} Method */

class Api {
  /** @param {{ cloud: import('./cloud').Cloud, clock: import('./clock').Clock, random: () => number }} parts */
  constructor(parts) {
    this.cloud = parts.cloud;
    this.clock = parts.clock;
    this.random = parts.random;
  }

  /**
   * @param {Method} method @param {string} path @param {object} [data] @param {number} [repeats] further attempts when a repeat can help
   * @param {Record<string, string>} [headers]
   */
  async request(method, path, data, repeats, headers) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.cloud.call(method, path, data, headers);
      } catch (error) {
        const what = problemOf(error);
        if (what.kind !== 'retry' || attempt >= (repeats || 0)) throw error;
        await pause(this.clock, Math.max(what.delay, backoff(attempt, 500, 4000, this.random)));
      }
    }
  }

  /** Wakes the service; cheap. */
  warm() {
    return this.request('GET', '/healthz');
  }

  /** @param {{ clientId: string, text: string, conversationId: string, model: string, replaces: string }} message */
  async send(message) {
    /** @type {Record<string, string>} */ const body = { client_id: message.clientId, text: message.text };
    if (message.conversationId) body.conversation_id = message.conversationId;
    if (message.model) body.model = message.model;
    if (message.replaces) body.replaces = message.replaces;
    return turnAnswer(await this.request('POST', '/v1/turns?wait=0', body));
  }

  /** @param {string} turn @param {string} clientId @param {string} model */
  async regenerate(turn, clientId, model) {
    const body = model ? { client_id: clientId, model } : { client_id: clientId };
    return turnAnswer(await this.request('POST', `/v1/turns/${enc(turn)}/regenerate`, body, 2));
  }

  /** @param {string} turn @param {string} clientId */
  async continueTurn(turn, clientId) {
    return turnAnswer(await this.request('POST', `/v1/turns/${enc(turn)}/continue`, { client_id: clientId }, 2));
  }

  /** @param {string} turn */
  stop(turn) {
    return this.request('POST', `/v1/turns/${enc(turn)}/stop`, {}, 3);
  }

  /** @param {string} turn @param {number} after @param {number} wait seconds, 0..12 */
  async events(turn, after, wait) {
    const slice = protocol.readSlice(await this.request('GET', `/v1/turns/${enc(turn)}/events?after=${after}&wait=${wait}`));
    if (!slice) throw badAnswer();
    return slice;
  }

  /** @returns {Promise<string>} a one-time socket ticket */
  async ticket() {
    const ticket = string((await this.request('POST', '/v1/tickets', {})).ticket);
    if (!ticket) throw badAnswer();
    return ticket;
  }

  /** @param {string} before @param {number} limit */
  async conversations(before, limit) {
    const data = await this.request('GET', `/v1/conversations?limit=${limit}` + (before ? `&before=${enc(before)}` : ''), undefined, 2);
    return { items: protocol.readAll(data.conversations, protocol.readConversation), next: string(data.next) };
  }

  /**
   * One step through the history for some words; they travel in the body, since addresses end up in logs.
   * @param {string} words @param {string} after @param {number} limit
   */
  async search(words, after, limit) {
    const data = await this.request('POST', '/v1/search', compact({ q: words, after: after || undefined, limit }), 2);
    return { hits: protocol.readAll(data.results, protocol.readHit), next: string(data.next) };
  }

  /** @param {string} id */
  async conversation(id) {
    return protocol.readConversation((await this.request('GET', `/v1/conversations/${enc(id)}`, undefined, 2)).conversation);
  }

  /** @param {string} id @param {string} title */
  rename(id, title) {
    return this.request('PUT', `/v1/conversations/${enc(id)}`, { title }, 2);
  }

  /** @param {string} id @returns {Promise<number>} seconds in which it can be undone */
  async remove(id) {
    const seconds = (await this.request('DELETE', `/v1/conversations/${enc(id)}`, undefined, 2)).undo_seconds;
    return typeof seconds === 'number' ? seconds : 0;
  }

  /** @param {string} id */
  restore(id) {
    return this.request('POST', `/v1/conversations/${enc(id)}/restore`, {}, 2);
  }

  /** @param {string} id @param {string} before @param {number} limit */
  async messages(id, before, limit) {
    const path = `/v1/conversations/${enc(id)}/messages?limit=${limit}` + (before ? `&before=${enc(before)}` : '');
    const data = await this.request('GET', path, undefined, 2);
    return { items: protocol.readAll(data.messages, protocol.readMessage), next: string(data.next) };
  }

  /** @param {string} id @param {'up'|'down'|'none'} value @param {string[]} reasons @param {string} comment */
  feedback(id, value, reasons, comment) {
    return this.request('POST', `/v1/messages/${enc(id)}/feedback`, compact({ value, reasons, comment }), 2);
  }

  /** @param {string} id @param {string} reason @param {string} comment */
  report(id, reason, comment) {
    return this.request('POST', `/v1/messages/${enc(id)}/report`, compact({ reason, comment }));
  }

  async me() {
    const data = await this.request('GET', '/v1/me', undefined, 2);
    return { user: object(data.user), consent: object(data.consent), limits: object(data.limits) };
  }

  async models() {
    const data = await this.request('GET', '/v1/models', undefined, 2);
    return list(data.models).map(object).filter((one) => string(one.id)).map((one) => (
      { id: string(one.id), name: string(one.name, string(one.id)), default: one.default === true, overseas: one.overseas === true }
    ));
  }

  config() {
    return this.request('GET', '/v1/config', undefined, 2);
  }

  /** @param {string} version @param {boolean} overseas */
  consent(version, overseas) {
    return this.request('PUT', '/v1/me/consent', { version, overseas }, 2);
  }
}

/** @param {string} part @returns {string} */
const enc = (part) => encodeURIComponent(part);

/** @param {Record<string, unknown>} body @returns {Record<string, unknown>} without what is empty */
function compact(body) {
  /** @type {Record<string, unknown>} */ const out = {};
  Object.keys(body).forEach((name) => {
    const value = body[name];
    if (value !== '' && !(Array.isArray(value) && value.length === 0)) out[name] = value;
  });
  return out;
}

/** @returns {CallFailed} */
const badAnswer = () => new CallFailed(problem({ kind: 'retry', code: 'bad_answer', delay: 2000 }));

/** @param {unknown} data @returns {import('../core/protocol').TurnAnswer} */
function turnAnswer(data) {
  const answer = protocol.readTurnAnswer(data);
  if (!answer) throw badAnswer();
  return answer;
}

module.exports = { Api };
