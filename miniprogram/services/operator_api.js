/** The operators' desk from inside the mini-program: the platform says who is calling, the token that this person is an operator. */

const { CallFailed, problem } = require('../core/errors');
const read = require('../core/operator');

class OperatorApi {
  /** @param {{ api: import('./api').Api, token(): string }} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /** @param {import('./cloud').Method} method @param {string} path @param {object} [data] */
  ask(method, path, data) {
    const repeats = method === 'GET' ? 1 : 0;
    return this.parts.api.request(method, `/op/v1${path}`, data, repeats, { Authorization: `Bearer ${this.parts.token()}` });
  }

  /** @param {string} code as an operator was shown it */
  async bind(code) {
    return wanted(read.readBound(await this.parts.api.request('POST', '/v1/operator/bind', { code })));
  }

  leave() {
    return this.ask('POST', '/logout', {});
  }

  async today() {
    return read.readToday(await this.ask('GET', '/summary?hours=1&days=1'));
  }

  /** @param {string} state @param {string} before '' = the newest */
  async cases(state, before) {
    return read.readCases(await this.ask('GET', `/cases?limit=20&state=${state}` + (before ? `&before=${enc(before)}` : '')));
  }

  /** @param {string} id @param {string} decision @param {string} note */
  async decide(id, decision, note) {
    return wanted(read.readCase(await this.ask('POST', `/cases/${enc(id)}/decide`, { decision, note })));
  }

  /** What a case is about; the reason stands in the audit log before anything is opened. @param {import('../core/operator').Case} about @param {string} reason */
  async words(about, reason) {
    if (about.hasWords) return read.readWords(await this.ask('POST', `/cases/${enc(about.id)}/words`, { reason }));
    return read.readWords(await this.ask('POST', `/users/${enc(about.userId)}/read`, { reason, message_id: about.messageId }));
  }

  /** @param {string} number of a user, or its beginning */
  async find(number) {
    return wanted(read.readUser(await this.ask('POST', '/users/find', { number })));
  }

  /** @param {string} id @param {string} reason */
  async suspend(id, reason) {
    return wanted(read.readUser(await this.ask('POST', `/users/${enc(id)}/suspend`, { reason })));
  }

  /** @param {string} id @param {string} reason */
  async lift(id, reason) {
    return wanted(read.readUser(await this.ask('POST', `/users/${enc(id)}/lift`, { reason })));
  }

  async relays() {
    return read.readRelays(await this.ask('GET', '/relays'));
  }

  /** @param {string} name @param {string} reason */
  async relayOff(name, reason) {
    return read.readRelays(await this.ask('POST', `/relays/${enc(name)}/off`, { reason }));
  }

  /** @param {string} name */
  async relayOn(name) {
    return read.readRelays(await this.ask('POST', `/relays/${enc(name)}/on`, {}));
  }

  /** @param {string} name */
  async tryRelay(name) {
    return read.readTried(await this.ask('POST', `/relays/${enc(name)}/test`, {}));
  }
}

/** @param {string} part @returns {string} */
const enc = (part) => encodeURIComponent(part);

/** @template T @param {T | null} value @returns {T} */
function wanted(value) {
  if (value === null) throw new CallFailed(problem({ kind: 'retry', code: 'bad_answer', delay: 2000 }));
  return value;
}

module.exports = { OperatorApi };
