/** The routes about a person's own account: what is held of them, and their credits. */

const { CallFailed, problem } = require('../core/errors');
const { readPart, readErasure } = require('../core/personal_data');
const { readCredits, readEntries, readReceipt } = require('../core/credits');
const { string, whole } = require('../core/shape');

const PAGE = 30;

class AccountApi {
  /** @param {import('./api').Api} api */
  constructor(api) {
    this.api = api;
  }

  /** A part of the file; the same call gives the same part. @param {import('../core/personal_data').Format} format @param {string} cursor '' = the first */
  async exportPart(format, cursor) {
    const query = `format=${format}` + (cursor ? `&cursor=${encodeURIComponent(cursor)}` : '');
    return wanted(readPart(await this.api.request('GET', `/v1/me/export?${query}`, undefined, 4)));
  }

  /** Everything held about this person, their key first. @returns {Promise<import('../core/personal_data').Erasure | null>} its receipt */
  async erase() {
    return readErasure(await this.api.request('DELETE', '/v1/me', undefined, 2));
  }

  /** One conversation for good, also out of the trash. @param {string} id */
  eraseConversation(id) {
    return this.api.request('DELETE', `/v1/conversations/${encodeURIComponent(id)}?forever=true`, undefined, 2);
  }

  /** Takes both consents back; the data stay. */
  withdraw() {
    return this.api.request('DELETE', '/v1/me/consent', undefined, 2);
  }

  async credits() {
    return readCredits(await this.api.request('GET', '/v1/me/credits', undefined, 2));
  }

  /** @param {string} before '' = the newest page */
  async entries(before) {
    const query = `limit=${PAGE}` + (before ? `&before=${encodeURIComponent(before)}` : '');
    return readEntries(await this.api.request('GET', `/v1/me/credits/entries?${query}`, undefined, 2));
  }

  /** @param {string} turn */
  async receipt(turn) {
    return wanted(readReceipt(await this.api.request('GET', `/v1/turns/${encodeURIComponent(turn)}/receipt`, undefined, 2)));
  }

  /** The same code again gives the same answer. @param {string} code @returns {Promise<{ amount: number, expiresAt: number }>} */
  async redeem(code) {
    const data = await this.api.request('POST', '/v1/me/credits/redeem', { code: string(code) }, 2);
    return { amount: whole(data.amount), expiresAt: whole(data.expires_at) };
  }
}

/** @template T @param {T | null} value @returns {T} */
function wanted(value) {
  if (value === null) throw new CallFailed(problem({ kind: 'retry', code: 'bad_answer', delay: 2000 }));
  return value;
}

module.exports = { AccountApi };
