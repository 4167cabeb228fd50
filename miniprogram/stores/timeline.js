/**
 * The two lists of a conversation: `older` (history, newest first, grows at its end) and `recent` (this session, oldest first).
 * Keeps the entries and brings the store's views in line with the fewest patches.
 */

const { view } = require('./message');
const { separator, needsSeparator } = require('../core/format');

/**
 * @typedef {import('./message').Entry} Entry
 * @typedef {{ older: Entry[], recent: Entry[] }} Removed
 */

class Timeline {
  /**
   * @param {import('./store').Store<any>} store with `older`, `recent`, `empty`
   * @param {() => { lang: 'zh'|'en', now: number, label: string }} around
   */
  constructor(store, around) {
    this.store = store;
    this.around = around;
    /** @type {Entry[]} */ this.older = [];
    /** @type {Entry[]} */ this.recent = [];
    this.lastKey = '';
  }

  /** @param {string} key @returns {Entry | undefined} */
  find(key) {
    return this.recent.concat(this.older).find((one) => one.key === key);
  }

  /** @param {string} turnId @returns {Entry | undefined} the message that the turn answers */
  question(turnId) {
    return this.recent.concat(this.older).find((one) => one.role === 'user' && one.turnId === turnId);
  }

  /** @returns {Entry | undefined} the newest message that the service has */
  newestStored() {
    return this.recent.slice().reverse().find((one) => one.turnId !== '') || this.older[0];
  }

  /** @param {Entry} one @returns {Entry[]} what is below it */
  after(one) {
    const at = this.recent.indexOf(one);
    return at >= 0 ? this.recent.slice(at + 1) : this.older.slice(0, this.older.indexOf(one)).reverse().concat(this.recent);
  }

  /** @param {Entry} one @param {Entry} [before] what it comes after; without it the end */
  add(one, before) {
    const at = before ? this.recent.indexOf(before) + 1 : this.recent.length;
    this.recent.splice(at, 0, one);
    if (at === this.recent.length - 1) this.relast({ [`recent[${at}]`]: this.view(one), empty: false });
    else this.redraw();
  }

  /** History above what is there. @param {Entry[]} page newest first */
  addOlder(page) {
    const from = this.older.length;
    this.older = this.older.concat(page);
    /** @type {Record<string, unknown>} */ const patch = {};
    if (from > 0) patch[`older[${from - 1}].time`] = this.time(this.older[from - 1]);
    page.forEach((one, at) => {
      patch[`older[${from + at}]`] = this.view(one);
    });
    patch.empty = this.older.length + this.recent.length === 0;
    this.relast(patch);
  }

  /** @param {Entry} one changed by `change` @param {Partial<Entry>} change */
  edit(one, change) {
    Object.assign(one, change);
    this.store.put(this.diff(one));
  }

  /** @param {Entry} before @param {Entry} after */
  replace(before, after) {
    const at = this.recent.indexOf(before);
    if (at >= 0) this.recent[at] = after;
    else this.older[this.older.indexOf(before)] = after;
    this.store.put({ [this.path(after)]: this.view(after) });
    this.relast({});
  }

  /** What is sent anew comes last, as it will be stored. @param {Entry} one */
  toEnd(one) {
    this.recent = this.recent.filter((each) => each !== one).concat(one);
    this.redraw();
  }

  /** @param {Entry} one */
  remove(one) {
    this.recent = this.recent.filter((each) => each !== one);
    this.older = this.older.filter((each) => each !== one);
    this.redraw();
  }

  /** Takes out an entry and all after it. @param {Entry} one @returns {Removed} to be put back */
  cut(one) {
    const at = this.recent.indexOf(one);
    const removed = { older: at >= 0 ? [] : this.older.splice(0, this.older.indexOf(one) + 1), recent: this.recent.splice(Math.max(0, at)) };
    this.redraw();
    return removed;
  }

  /** Puts back what was cut, in the place of the entry that was to replace it. @param {Entry} one @param {Removed} removed */
  restore(one, removed) {
    this.recent.splice(this.recent.indexOf(one), 1, ...removed.recent);
    this.older = removed.older.concat(this.older);
    this.redraw();
  }

  /** Everything anew: another language, or after a removal. */
  redraw() {
    this.lastKey = this.lastAssistant();
    this.store.put({
      older: this.older.map((one) => this.view(one)), recent: this.recent.map((one) => this.view(one)),
      empty: this.older.length + this.recent.length === 0
    });
  }

  /** @param {Record<string, unknown>} patch sent together with what a new last answer changes */
  relast(patch) {
    const before = this.lastKey;
    this.lastKey = this.lastAssistant();
    this.store.put(patch);
    [before, this.lastKey].forEach((key) => {
      const one = key && before !== this.lastKey ? this.find(key) : undefined;
      if (one) this.store.put(this.diff(one));
    });
  }

  /** @returns {string} the answer that nothing follows: only that one can be given anew */
  lastAssistant() {
    const newest = this.recent.length ? this.recent[this.recent.length - 1] : this.older[0];
    return newest && newest.role === 'assistant' ? newest.key : '';
  }

  /** @param {Entry} one @returns {string} */
  path(one) {
    const at = this.recent.indexOf(one);
    return at >= 0 ? `recent[${at}]` : `older[${this.older.indexOf(one)}]`;
  }

  /** @param {Entry} one @returns {Record<string, unknown>} only the fields that differ */
  diff(one) {
    const at = this.recent.indexOf(one);
    const index = at >= 0 ? at : this.older.indexOf(one);
    if (index < 0) return {};
    const shown = (at >= 0 ? this.store.state.recent : this.store.state.older)[index];
    const next = this.view(one);
    /** @type {Record<string, unknown>} */ const patch = {};
    Object.keys(next).forEach((name) => {
      if (JSON.stringify(shown[name]) !== JSON.stringify(next[name])) patch[`${this.path(one)}.${name}`] = next[name];
    });
    return patch;
  }

  /** @param {Entry} one @returns {import('./message').MessageView} */
  view(one) {
    const { lang, label } = this.around();
    return view(one, { lang, label, time: this.time(one), last: one.key === this.lastKey });
  }

  /** @param {Entry} one @returns {string} the separator above it */
  time(one) {
    const { lang, now } = this.around();
    const at = this.recent.indexOf(one);
    const before = at > 0 ? this.recent[at - 1] : at === 0 ? this.older[0] : this.older[this.older.indexOf(one) + 1];
    return needsSeparator(before ? before.at : 0, one.at) ? separator(one.at, now, lang) : '';
  }
}

module.exports = { Timeline };
