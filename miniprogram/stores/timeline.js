/**
 * The two lists of a conversation: `older` (history, newest first, grows at its end) and `recent` (this session, oldest first).
 * Keeps the entries and brings the store's views in line with the fewest patches.
 */

const { view } = require('./message');
const { separator, needsSeparator } = require('../core/format');

/** @typedef {import('./message').Entry} Entry */

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

  /** @returns {Entry | undefined} newest first */
  newest() {
    return this.recent.length ? this.recent[this.recent.length - 1] : this.older[0];
  }

  /** @param {Entry} one */
  add(one) {
    this.recent.push(one);
    const at = this.recent.length - 1;
    this.relast({ [`recent[${at}]`]: this.view(one), empty: false });
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

  /** Takes out one entry, or it and all after it. @param {Entry} one @param {boolean} following */
  remove(one, following) {
    const at = this.recent.indexOf(one);
    if (at >= 0) this.recent.splice(at, following ? this.recent.length : 1);
    else {
      this.recent = following ? [] : this.recent;
      const index = this.older.indexOf(one);
      if (index >= 0) this.older.splice(following ? 0 : index, following ? index + 1 : 1);
    }
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

  /** @returns {string} */
  lastAssistant() {
    for (let at = this.recent.length - 1; at >= 0; at -= 1) if (this.recent[at].role === 'assistant') return this.recent[at].key;
    const found = this.older.find((one) => one.role === 'assistant');
    return found ? found.key : '';
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
