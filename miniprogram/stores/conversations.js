/** The list of conversations. Held in memory only: titles and snippets are people's words. */

const { Store } = require('./store');
const { problemOf, toView } = require('../core/errors');
const { listTime } = require('../core/format');

/**
 * @typedef {import('../core/protocol').Conversation} Conversation
 * @typedef {{ id: string, title: string, snippet: string, at: number, when: string, live: boolean }} Item
 * @typedef {{ id: string, key: string, title: string, excerpt: string, when: string, label: string }} Found
 * @typedef {{ loading: boolean, searching: boolean, hits: Found[], loaded: boolean, error: import('../core/errors').ErrorView | null, more: boolean, query: string, items: Item[],
 *   undo: null | { id: string, title: string, until: number } }} ListState
 */

const PAGE = 30;
/** A search loads no more than this: a phone's patience ends before a person's conversations do. */
const MOST_SEARCHED = 600;
/** ms without a key pressed before the service is asked; messages shown of a search, and most steps through the history for them. */
const TYPING = 400;
const MOST_HITS = 30;
const MOST_STEPS = 20;
/** What the service takes for a query. */
const LONGEST_QUERY = 100;

/** @extends {Store<ListState>} */
class Conversations extends Store {
  /**
   * @param {{ api: import('../services/api').Api, account: import('../services/account_api').AccountApi, clock: import('../core/throttle').Clock, lang(): 'zh'|'en', onRemoved?: (id: string) => void,
   *   onRenamed?: (id: string, title: string) => void }} parts
   */
  constructor(parts) {
    super({ loading: false, searching: false, hits: [], loaded: false, error: null, more: false, query: '', items: [], undo: null });
    this.parts = parts;
    /** @type {Conversation[]} */ this.all = [];
    this.next = '';
    /** @type {Conversation | null} */ this.removed = null;
    /** Those whose deletion the service may not have heard of yet. @type {Set<string>} */ this.leaving = new Set();
    /** @type {(() => void) | null} */ this.undoTimer = null;
    /** @type {(() => void) | null} */ this.typing = null;
    this.asked = 0;
    this.generation = 0;
  }

  /** @returns {Promise<void>} the first page, or all anew */
  load() {
    this.generation += 1;
    this.next = '';
    return this.page(true);
  }

  /** @returns {Promise<void>} */
  async loadMore() {
    if (!this.state.loading && this.state.more) await this.page(false);
  }

  /** @param {boolean} first */
  async page(first) {
    const mine = this.generation;
    this.put({ loading: true, error: null });
    try {
      const page = await this.parts.api.conversations(first ? '' : this.next, PAGE);
      if (mine !== this.generation) return;
      const known = first ? [] : this.all;
      this.all = known.concat(page.items.filter((one) => !this.leaving.has(one.id) && !known.some((old) => old.id === one.id)));
      this.next = page.next;
      this.put({ loading: false, loaded: true, more: page.next !== '' });
      this.show();
    } catch (error) {
      if (mine === this.generation) this.put({ loading: false, error: toView(problemOf(error), this.parts.lang()) });
    }
  }

  /** Titles: what is loaded is searched at once, what is not as it arrives. Messages: by the service. @param {string} query */
  async search(query) {
    this.put({ query });
    this.show();
    this.searchMessages(query);
    while (this.state.more && !this.state.error && query.trim() && query === this.state.query && !this.state.loading && this.all.length < MOST_SEARCHED) {
      await this.page(false);
    }
  }

  /** Asks when the person has stopped typing; what an older query finds is not shown. @param {string} query */
  searchMessages(query) {
    const words = query.trim().slice(0, LONGEST_QUERY);
    const mine = (this.asked += 1);
    if (this.typing) this.typing();
    this.typing = null;
    this.put({ searching: words !== '', hits: [] });
    if (words) this.typing = this.parts.clock.after(TYPING, () => this.walk(words, mine));
  }

  /** The service looks at a part of the history for each question: on until there is enough, or no more. @param {string} words @param {number} mine */
  async walk(words, mine) {
    let after = '';
    try {
      for (let step = 0; step < MOST_STEPS; step += 1) {
        const found = await this.parts.api.search(words, after, MOST_HITS);
        if (mine !== this.asked) return;
        const now = this.parts.clock.now();
        const hits = found.hits.filter((one) => !this.leaving.has(one.conversation)).map((one) => ({
          id: one.conversation, key: one.id, title: one.title, excerpt: one.excerpt, when: listTime(one.at, now, this.parts.lang()), label: one.label
        }));
        this.put({ hits: this.state.hits.concat(hits).slice(0, MOST_HITS) });
        after = found.next;
        if (!after || this.state.hits.length >= MOST_HITS) break;
      }
    } catch (error) {
      // Titles are found all the same; a search that failed is tried again with the next key pressed.
    }
    if (mine === this.asked) this.put({ searching: false });
  }

  /** @param {string} id @returns {boolean} */
  has(id) {
    return this.all.some((one) => one.id === id);
  }

  show() {
    const words = this.state.query.trim().toLowerCase();
    const now = this.parts.clock.now();
    const items = this.all
      .filter((one) => !words || (one.title + '\n' + one.snippet).toLowerCase().indexOf(words) >= 0)
      .sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1))
      .map((one) => ({
        id: one.id, title: one.title, snippet: one.snippet, at: one.at, when: listTime(one.at, now, this.parts.lang()), live: one.liveTurn !== ''
      }));
    if (JSON.stringify(items) !== JSON.stringify(this.state.items)) this.put({ items });
  }

  /** A conversation that the chat page made or moved. @param {string} id @param {Partial<Conversation>} change */
  touch(id, change) {
    const known = this.all.find((one) => one.id === id);
    if (known) Object.assign(known, change);
    else this.all.push(Object.assign({ id, title: '', snippet: '', createdAt: this.parts.clock.now(), at: this.parts.clock.now(), liveTurn: '' }, change));
    this.show();
  }

  /** @param {string} id @param {string} title @returns {Promise<boolean>} */
  async rename(id, title) {
    const name = title.trim().slice(0, 60);
    const known = this.all.find((one) => one.id === id);
    if (!name || !known) return false;
    const before = known.title;
    known.title = name;
    this.show();
    try {
      await this.parts.api.rename(id, name);
      if (this.parts.onRenamed) this.parts.onRenamed(id, name);
      return true;
    } catch (error) {
      known.title = before;
      this.put({ error: toView(problemOf(error), this.parts.lang()) });
      this.show();
      return false;
    }
  }

  /** It disappears at once; for some seconds it can come back. @param {string} id @returns {Promise<boolean>} */
  async remove(id) {
    const known = this.all.find((one) => one.id === id);
    if (!known) return false;
    this.removed = known;
    this.leaving.add(id);
    this.all = this.all.filter((one) => one !== known);
    this.show();
    try {
      const seconds = await this.parts.api.remove(id);
      if (this.parts.onRemoved) this.parts.onRemoved(id);
      if (this.removed !== known) return true;
      this.put({ undo: { id, title: known.title, until: this.parts.clock.now() + seconds * 1000 } });
      if (this.undoTimer) this.undoTimer();
      this.undoTimer = this.parts.clock.after(seconds * 1000, () => this.dismissUndo());
      return true;
    } catch (error) {
      this.all.push(known);
      this.leaving.delete(id);
      if (this.removed === known) this.removed = null;
      this.put({ error: toView(problemOf(error), this.parts.lang()) });
      this.show();
      return false;
    }
  }

  /** For good: nothing brings it back. @param {string} id @returns {Promise<boolean>} */
  async erase(id) {
    const known = this.all.find((one) => one.id === id);
    if (!known) return false;
    try {
      await this.parts.account.eraseConversation(id);
      this.leaving.add(id);
      this.all = this.all.filter((one) => one !== known);
      if (this.parts.onRemoved) this.parts.onRemoved(id);
      this.show();
      return true;
    } catch (error) {
      this.put({ error: toView(problemOf(error), this.parts.lang()) });
      return false;
    }
  }

  /** @returns {Promise<boolean>} */
  async undo() {
    const { removed } = this;
    if (!removed) return false;
    this.dismissUndo();
    try {
      await this.parts.api.restore(removed.id);
      this.leaving.delete(removed.id);
      if (!this.has(removed.id)) this.all.push(removed);
      this.show();
      return true;
    } catch (error) {
      this.put({ error: toView(problemOf(error), this.parts.lang()) });
      return false;
    }
  }

  dismissUndo() {
    if (this.undoTimer) this.undoTimer();
    this.undoTimer = null;
    this.removed = null;
    this.put({ undo: null });
  }

  /** Another person, or everything erased. */
  forget() {
    this.generation += 1;
    this.all = [];
    this.dismissUndo();
    this.searchMessages('');
    this.put({ loaded: false, loading: false, more: false, items: [] });
  }
}

module.exports = { Conversations };
