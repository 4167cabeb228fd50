/** An operator at work inside the mini-program. Nothing here is there for anybody else: without a bound token every list is empty. */

const { Store } = require('./store');
const { problemOf, toView } = require('../core/errors');
const { readBound, spanText } = require('../core/operator');
const { amount } = require('../core/credits');
const { count, moment } = require('../core/format');
const { OperatorApi } = require('../services/operator_api');

/**
 * @typedef {import('../core/errors').ErrorView} ErrorView
 * @typedef {{ name: string, value: string, bad?: boolean }} Fact `name` the key of its text
 * @typedef {{ bound: boolean, name: string, role: string, works: boolean, tab: string, busy: boolean, error: ErrorView | null, today: Fact[], errors: Fact[],
 *   caseState: string, cases: Array<Record<string, unknown>>, moreCases: boolean, open: Record<string, unknown> | null, words: { text: string, label: string } | null,
 *   user: Record<string, unknown> | null, relays: Array<Record<string, unknown>>, stranded: string, tried: Record<string, string> }} OperatorState
 */

const FOR_EVER_MS = 3e11;

/** @returns {OperatorState} */
const empty = () => ({
  bound: false, name: '', role: '', works: false, tab: 'overview', busy: false, error: null, today: [], errors: [], caseState: 'open', cases: [], moreCases: false, open: null, words: null,
  user: null, relays: [], stranded: '', tried: {}
});

/** @extends {Store<OperatorState>} */
class Operator extends Store {
  /** @param {{ api: import('../services/api').Api, memory: import('./memory').Memory, clock: import('../core/throttle').Clock, lang(): 'zh'|'en' }} parts */
  constructor(parts) {
    super(empty());
    this.parts = parts;
    /** @type {import('../core/operator').Bound | null} */ this.kept = null;
    this.api = new OperatorApi({ api: parts.api, token: () => (this.kept ? this.kept.token : '') });
    /** @type {import('../core/operator').Case[]} */ this.known = [];
    this.next = '';
    this.generation = 0;
    /** @type {string[]} */ this.running = [];
    this.take(readBound(parts.memory.operator()));
  }

  /** @param {import('../core/operator').Bound | null} bound */
  take(bound) {
    this.kept = bound && bound.expiresAt > this.parts.clock.now() ? bound : null;
    this.put(this.kept ? { bound: true, name: this.kept.name, role: this.kept.role, works: this.kept.role !== 'viewer' } : { bound: false, name: '', role: '', works: false });
  }

  /**
   * Runs `work` unless the same runs already: a second tap does nothing twice. Its failure is shown, and a token that is over is forgotten.
   * @param {string} what @param {() => Promise<unknown>} work @returns {Promise<boolean>}
   */
  async run(what, work) {
    if (this.running.indexOf(what) >= 0) return false;
    this.running.push(what);
    const mine = this.generation;
    this.put({ busy: true, error: null });
    try {
      await work();
      return mine === this.generation;
    } catch (error) {
      const why = problemOf(error);
      if (mine !== this.generation) return false;
      if (why.code === 'operator_login' && this.kept) this.forget();
      this.put({ error: toView(why, this.parts.lang()) });
      return false;
    } finally {
      this.running = this.running.filter((one) => one !== what);
      this.put({ busy: this.running.length > 0 });
    }
  }

  /** @param {string} code @returns {Promise<boolean>} */
  bind(code) {
    return this.run('bind', async () => {
      const bound = await this.api.bind(code.trim());
      this.parts.memory.keepOperator({ token: bound.token, name: bound.name, role: bound.role, expires_at: bound.expiresAt });
      this.take(bound);
    });
  }

  /** Ends the session here and in the service, as far as that can be reached. */
  async leave() {
    if (this.kept) await this.api.leave().catch(() => {});
    this.forget();
  }

  /** Another person, a token that is over, or the end. */
  forget() {
    this.generation += 1;
    this.kept = null;
    this.known = [];
    this.parts.memory.keepOperator({});
    this.put(Object.assign(empty(), { tab: this.state.tab, busy: this.state.busy }));
  }

  /** Shows a part, as it is now. @param {string} tab */
  show(tab) {
    this.put({ tab, error: null });
    return this.load();
  }

  /** What stands on the part that is shown, anew. */
  load() {
    if (!this.state.bound) return Promise.resolve(false);
    const { tab } = this.state;
    if (tab === 'overview') return this.run('load overview', () => this.loadToday());
    if (tab === 'cases') return this.run('load cases', () => this.loadCases(''));
    if (tab === 'relays') return this.run('load relays', async () => this.showRelays(await this.api.relays()));
    return Promise.resolve(true);
  }

  async loadToday() {
    const now = await this.api.today();
    this.put({
      today: [
        { name: 'live', value: count(now.live) }, { name: 'queue', value: count(now.queued) }, { name: 'turns', value: count(now.turns) },
        { name: 'success', value: now.success < 0 ? '—' : `${Math.round(now.success * 1000) / 10}%`, bad: now.success >= 0 && now.success < 0.95 },
        { name: 'firstText', value: spanText(now.firstText) }, { name: 'wholeAnswer', value: spanText(now.whole) }, { name: 'cost', value: amount(now.cost) },
        { name: 'failedTurns', value: count(now.failed) }, { name: 'blockedTurns', value: count(now.blocked) }
      ],
      errors: now.errors.map((one) => ({ name: one.code, value: count(one.count) }))
    });
  }

  // --- cases ----------------------------------------------------------------------------------------------------------

  /** @param {string} state */
  showCases(state) {
    this.put({ caseState: state, open: null, words: null });
    return this.run(`load ${state} cases`, () => this.loadCases(''));
  }

  moreCases() {
    return this.run('more cases', () => this.loadCases(this.next));
  }

  /** @param {string} before */
  async loadCases(before) {
    const state = this.state.caseState;
    const page = await this.api.cases(state, before);
    if (state !== this.state.caseState) return; // another list was asked for meanwhile
    this.known = before ? this.known.concat(page.items) : page.items;
    this.next = page.next;
    this.put({ cases: this.known.map((one) => this.caseView(one)), moreCases: page.next !== '', open: null, words: null });
  }

  /** @param {import('../core/operator').Case} one */
  caseView(one) {
    return Object.assign({}, one, { opened: moment(one.openedAt, this.parts.lang()), readable: one.hasWords || (one.messageId !== '' && one.userId !== '') });
  }

  /** @param {string} id '' = none */
  openCase(id) {
    const found = this.known.find((one) => one.id === id);
    this.put({ open: found ? this.caseView(found) : null, words: null, error: null });
  }

  /** @param {string} reason @returns {Promise<boolean>} */
  readWords(reason) {
    return this.run('read', async () => {
      const about = this.known.find((one) => this.state.open && one.id === this.state.open.id);
      if (about) this.put({ words: await this.api.words(about, reason) });
    });
  }

  /** @param {string} decision @param {string} note @returns {Promise<boolean>} */
  decide(decision, note) {
    return this.run('decide', async () => {
      if (!this.state.open) return;
      await this.api.decide(String(this.state.open.id), decision, note);
      await this.loadCases('');
    });
  }

  // --- users ----------------------------------------------------------------------------------------------------------

  /** @param {string} number @returns {Promise<boolean>} */
  find(number) {
    return this.run('user', async () => {
      this.put({ user: null });
      this.showUser(await this.api.find(number.trim()));
    });
  }

  /** @param {string} reason @returns {Promise<boolean>} */
  suspend(reason) {
    return this.run('user', async () => this.state.user && this.showUser(await this.api.suspend(String(this.state.user.id), reason)));
  }

  /** @param {string} reason @returns {Promise<boolean>} */
  lift(reason) {
    return this.run('user', async () => this.state.user && this.showUser(await this.api.lift(String(this.state.user.id), reason)));
  }

  /** @param {import('../core/operator').User} one */
  showUser(one) {
    const now = this.parts.clock.now();
    const lang = this.parts.lang();
    this.put({ user: {
      id: one.id, since: moment(one.createdAt, lang), suspended: one.suspendedUntil > now, until: one.suspendedUntil - now > FOR_EVER_MS ? '' : moment(one.suspendedUntil, lang),
      cooling: one.coolingUntil > now ? moment(one.coolingUntil, lang) : '', reason: one.reason, by: one.by
    } });
  }

  // --- relays ---------------------------------------------------------------------------------------------------------

  /** @param {{ relays: import('../core/operator').Relay[], stranded: string[] }} seen */
  showRelays(seen) {
    this.put({ relays: seen.relays.map((one) => Object.assign({}, one, { models: one.models.join(', ') })), stranded: seen.stranded.join(', ') });
  }

  /** @param {string} name @param {string} reason @returns {Promise<boolean>} */
  relayOff(name, reason) {
    return this.run(`switch ${name}`, async () => this.showRelays(await this.api.relayOff(name, reason)));
  }

  /** @param {string} name @returns {Promise<boolean>} */
  relayOn(name) {
    return this.run(`switch ${name}`, async () => this.showRelays(await this.api.relayOn(name)));
  }

  /** @param {string} name @returns {Promise<boolean>} */
  tryRelay(name) {
    return this.run(`try ${name}`, async () => {
      const tried = await this.api.tryRelay(name);
      const words = this.parts.lang() === 'en' ? tried.en : tried.zh;
      const said = tried.ok ? spanText(tried.firstText) : `${tried.code}${tried.detail ? ` (${tried.detail})` : ''} ${words}`;
      this.put({ tried: Object.assign({}, this.state.tried, { [name]: said }) });
    });
  }
}

module.exports = { Operator };
