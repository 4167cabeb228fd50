/** A person's credits: what they have, what came and went, and what one answer cost. */

const { Store } = require('./store');
const { problemOf, toView } = require('../core/errors');
const { amount, change } = require('../core/credits');
const { count, moment } = require('../core/format');

/**
 * @typedef {import('../core/errors').ErrorView} ErrorView
 * @typedef {{ number: number, kind: string, change: string, plus: boolean, when: string, turnId: string }} EntryView
 * @typedef {{ loading: boolean, loaded: boolean, error: ErrorView | null, active: boolean, balance: string, reserved: string,
 *   allowance: null | { left: string, amount: string, percent: number, renews: string }, day: null | { spent: string, limit: string },
 *   lots: Array<{ source: string, left: string, ends: string }>, prices: Array<{ model: string, name: string, rows: Array<{ what: string, price: string }> }>,
 *   entries: EntryView[], more: boolean, loadingMore: boolean, redeeming: boolean, redeemed: string, codeError: ErrorView | null }} CreditsState
 * @typedef {{ state: string, model: string, reason: string, rule: string, settled: string, estimated: boolean, reserved: string, charged: string,
 *   released: string, saved: string, refunded: string, lines: Array<{ what: string, count: string, price: string, amount: string }> }} ReceiptView
 */

/** @extends {Store<CreditsState>} */
class Credits extends Store {
  /** @param {{ account: import('../services/account_api').AccountApi, session: import('./session').Session, lang(): 'zh'|'en' }} parts */
  constructor(parts) {
    super({
      loading: false, loaded: false, error: null, active: false, balance: '', reserved: '', allowance: null, day: null, lots: [], prices: [], entries: [],
      more: false, loadingMore: false, redeeming: false, redeemed: '', codeError: null
    });
    this.parts = parts;
    this.next = '';
    this.generation = 0;
  }

  /** @param {unknown} error @returns {ErrorView} */
  view(error) {
    return toView(problemOf(error), this.parts.lang());
  }

  /** The balance and the newest entries. @returns {Promise<void>} */
  async load() {
    this.generation += 1;
    const mine = this.generation;
    this.put({ loading: true, error: null });
    try {
      const { account } = this.parts;
      const [now, page] = await Promise.all([account.credits(), account.entries('')]);
      if (mine !== this.generation) return;
      this.next = page.next;
      this.put(Object.assign(this.shown(now), {
        loading: false, loaded: true, loadingMore: false, entries: page.items.map((one) => this.entry(one)), more: page.next !== ''
      }));
    } catch (error) {
      if (mine === this.generation) this.put({ loading: false, error: this.view(error) });
    }
  }

  /** @returns {Promise<void>} */
  async loadMore() {
    if (!this.state.more || this.state.loadingMore || this.state.loading) return;
    const mine = this.generation;
    this.put({ loadingMore: true });
    try {
      const page = await this.parts.account.entries(this.next);
      if (mine !== this.generation) return;
      this.next = page.next;
      const known = this.state.entries;
      const fresh = page.items.filter((one) => !known.some((old) => old.number === one.number)).map((one) => this.entry(one));
      this.put({ loadingMore: false, entries: known.concat(fresh), more: page.next !== '' });
    } catch (error) {
      if (mine === this.generation) this.put({ loadingMore: false, error: this.view(error) });
    }
  }

  /** @param {string} code as it was typed @returns {Promise<boolean>} */
  async redeem(code) {
    const typed = code.trim();
    if (!typed || this.state.redeeming) return false;
    this.put({ redeeming: true, codeError: null, redeemed: '' });
    try {
      const got = await this.parts.account.redeem(typed);
      this.put({ redeeming: false, redeemed: amount(got.amount) });
      this.load();
      return true;
    } catch (error) {
      this.put({ redeeming: false, codeError: this.view(error) });
      return false;
    }
  }

  /** @param {string} turn @returns {Promise<{ receipt: ReceiptView | null, error: ErrorView | null }>} */
  async receipt(turn) {
    const lang = this.parts.lang();
    try {
      const from = await this.parts.account.receipt(turn);
      const model = this.parts.session.state.models.find((one) => one.id === from.model);
      return { error: null, receipt: {
        state: from.state, model: model ? model.name : from.model, reason: from.reason, rule: (lang === 'en' && from.rule.en) || from.rule.zh,
        settled: moment(from.settledAt, lang), estimated: Boolean(from.usage && from.usage.estimated),
        lines: from.lines.map((one) => ({ what: one.what, count: count(one.count), price: amount(one.price), amount: amount(one.amount) })),
        reserved: amount(from.reserved), charged: amount(from.charged), released: from.released ? amount(from.released) : '',
        saved: from.saved > 0 ? amount(from.saved) : '', refunded: from.refunded ? amount(from.refunded) : ''
      } };
    } catch (error) {
      return { receipt: null, error: this.view(error) };
    }
  }

  /** @param {import('../core/credits').Credits} now @returns {Partial<CreditsState>} */
  shown(now) {
    const lang = this.parts.lang();
    const { allowance } = now;
    return {
      active: now.active, balance: amount(now.balance), reserved: now.reserved ? amount(now.reserved) : '',
      allowance: allowance && {
        left: amount(allowance.left), amount: amount(allowance.amount), percent: Math.round((100 * Math.min(allowance.left, allowance.amount)) / allowance.amount),
        renews: moment(allowance.renewsAt, lang)
      },
      day: now.limit ? { spent: amount(now.spent), limit: amount(now.limit) } : null,
      lots: now.lots.filter((one) => one.left > 0).map((one) => ({ source: one.source, left: amount(one.left), ends: moment(one.expiresAt, lang) })),
      prices: now.prices.map((one) => ({ model: one.model, name: one.name, rows: priceRows(one) }))
    };
  }

  /** @param {import('../core/credits').Entry} one @returns {EntryView} */
  entry(one) {
    return { number: one.number, kind: one.kind, change: change(one.change), plus: one.change > 0, when: moment(one.at, this.parts.lang()), turnId: one.turnId };
  }

  /** Another person, or everything erased. */
  forget() {
    this.generation += 1;
    this.put({ loading: false, loaded: false, active: false, balance: '', reserved: '', allowance: null, day: null, lots: [], prices: [], entries: [], more: false, redeemed: '', codeError: null });
  }
}

/** What costs something. @param {import('../core/credits').Price} one @returns {Array<{ what: string, price: string }>} */
function priceRows(one) {
  /** @type {Array<[string, number]>} */ const all = [['input', one.input], ['cached_input', one.cached], ['output', one.output], ['reasoning', one.reasoning], ['image', one.image]];
  return all.filter(([, price]) => price > 0).map(([what, price]) => ({ what, price: amount(price) }));
}

module.exports = { Credits };
