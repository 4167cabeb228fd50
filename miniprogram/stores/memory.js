/** The phone's storage: preferences, unsent drafts and an operator's session, nothing else. A full or broken storage never stops the program. */

const { object, string } = require('../core/shape');

/**
 * @typedef {{ getStorageSync(key: string): unknown, setStorageSync(key: string, value: unknown): void, removeStorageSync(key: string): void }} WxStorage
 */

const SETTINGS = 'yunliao.settings';
const DRAFTS = 'yunliao.drafts';
const OPERATOR = 'yunliao.operator';
const MOST_DRAFTS = 20;

class Memory {
  /** @param {WxStorage} storage */
  constructor(storage) {
    this.storage = storage;
  }

  /** @param {string} key @returns {Record<string, unknown>} */
  read(key) {
    try {
      return object(this.storage.getStorageSync(key));
    } catch (error) {
      return {};
    }
  }

  /** @param {string} key @param {Record<string, unknown>} value */
  write(key, value) {
    try {
      if (Object.keys(value).length) this.storage.setStorageSync(key, value);
      else this.storage.removeStorageSync(key);
    } catch (error) {
      // Storage is full or forbidden: the program works without it, only a preference or draft is forgotten.
    }
  }

  settings() {
    return this.read(SETTINGS);
  }

  /** @param {Record<string, unknown>} value */
  keepSettings(value) {
    this.write(SETTINGS, value);
  }

  /** The session of an operator; empty for everybody else. */
  operator() {
    return this.read(OPERATOR);
  }

  /** @param {Record<string, unknown>} value */
  keepOperator(value) {
    this.write(OPERATOR, value);
  }

  /** @param {string} conversation '' = the new one @returns {string} */
  draft(conversation) {
    return string(this.read(DRAFTS)['c' + conversation]);
  }

  /** @param {string} conversation @param {string} text '' forgets it */
  keepDraft(conversation, text) {
    const drafts = this.read(DRAFTS);
    if (!text && drafts['c' + conversation] === undefined) return;
    delete drafts['c' + conversation];
    if (text) drafts['c' + conversation] = text;
    const names = Object.keys(drafts);
    names.slice(0, Math.max(0, names.length - MOST_DRAFTS)).forEach((name) => delete drafts[name]);
    this.write(DRAFTS, drafts);
  }

  clear() {
    this.write(DRAFTS, {});
  }
}

module.exports = { Memory };
