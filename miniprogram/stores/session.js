/** Who is here and what the service offers: waking, consent, configuration, models. */

const { Store } = require('./store');
const { problemOf, toView } = require('../core/errors');
const { labelOr } = require('../core/label');
const { object, list, string } = require('../core/shape');
const { backoff } = require('../core/backoff');

/** A service that has not answered after this long is waking up, and people are told so. */
const WAKING_AFTER = 1200;
const MOST_ATTEMPTS = 8;

const NOTICE = '内容由 AI 生成，请注意甄别，重要信息请自行核实。';

/**
 * @typedef {{ version: string, title: string, markdown: string }} Page
 * @typedef {{ phase: 'starting'|'waking'|'ready'|'offline'|'failed', online: boolean, waking: boolean, consent: 'unknown'|'needed'|'given',
 *   consentVersion: string, overseas: boolean,
 *   error: import('../core/errors').ErrorView | null, userId: string, name: string, aiNotice: string, aiLabel: string,
 *   starters: Array<{ title: string, prompt: string }>, provider: { name: string, filing: string, contact: string },
 *   agreement: Page, privacy: Page, agreementEn: Page, privacyEn: Page,
 *   imageHosts: string[], models: Array<{ id: string, name: string, default: boolean, overseas: boolean }>, rate: string }} SessionState
 */

/** @extends {Store<SessionState>} */
class Session extends Store {
  /**
   * @param {{ api: import('../services/api').Api, account: import('../services/account_api').AccountApi, clock: import('../core/throttle').Clock, random: () => number, lang(): 'zh'|'en',
   *   memory: import('./memory').Memory }} parts
   */
  constructor(parts) {
    const page = { version: '', title: '', markdown: '' };
    super({
      phase: 'starting', online: true, waking: false, consent: 'unknown', consentVersion: '', overseas: false, error: null, userId: '', name: '云聊', aiNotice: NOTICE,
      aiLabel: labelOr(''), starters: [], provider: { name: '', filing: '', contact: '' }, agreement: page, privacy: Object.assign({}, page),
      agreementEn: Object.assign({}, page), privacyEn: Object.assign({}, page),
      imageHosts: [], models: [], rate: ''
    });
    this.parts = parts;
    /** @type {import('../core/personal_data').Erasure | null} */ this.erasure = null;
    this.running = false;
    this.attempt = 0;
    /** @type {(() => void) | null} */ this.timer = null;
  }

  /** Wakes the service and reads what it offers; never throws. Repeats by itself while that can help. */
  async start() {
    if (this.running || this.state.phase === 'ready') return;
    this.running = true;
    if (this.timer) this.timer();
    this.timer = this.parts.clock.after(WAKING_AFTER, () => {
      if (this.state.phase !== 'ready' && this.state.online) this.put({ phase: 'waking', waking: true });
    });
    try {
      await this.parts.api.warm();
      const [config, me, models] = await Promise.all([this.parts.api.config(), this.parts.api.me(), this.parts.api.models()]);
      this.attempt = 0;
      this.stopTimer();
      this.put(Object.assign(readConfig(config), readMe(me, config), { models, phase: 'ready', waking: false, error: null }));
    } catch (error) {
      this.failed(problemOf(error));
    } finally {
      this.running = false;
    }
  }

  /** @param {import('../core/errors').Problem} problem */
  failed(problem) {
    this.stopTimer();
    this.attempt += 1;
    if (!this.state.online) this.put({ phase: 'offline', waking: false });
    else if (problem.kind === 'retry' && this.attempt < MOST_ATTEMPTS) {
      this.put({ phase: 'waking', waking: true });
      const wait = Math.max(problem.delay, backoff(this.attempt - 1, 1000, 6000, this.parts.random));
      this.timer = this.parts.clock.after(wait, () => {
        this.start();
      });
    } else this.put({ phase: 'failed', waking: false, error: toView(problem, this.parts.lang()) });
  }

  stopTimer() {
    if (this.timer) this.timer();
    this.timer = null;
  }

  retry() {
    this.attempt = 0;
    this.put({ phase: 'starting', error: null });
    return this.start();
  }

  /** @param {boolean} online */
  network(online) {
    this.put({ online });
    if (this.state.phase === 'ready') return;
    if (online) this.retry();
    else this.put({ phase: 'offline', waking: false });
  }

  /** @param {{ overseas: boolean }} choice @returns {Promise<boolean>} */
  async accept(choice) {
    try {
      await this.parts.api.consent(this.state.consentVersion || this.state.agreement.version, choice.overseas);
      this.put({ consent: 'given', overseas: choice.overseas, error: null });
      return true;
    } catch (error) {
      this.put({ error: toView(problemOf(error), this.parts.lang()) });
      return false;
    }
  }

  /** The service asks for consent although we thought it given: a new agreement. */
  needConsent() {
    this.put({ consent: 'needed' });
  }

  /** @returns {Promise<boolean>} with `erasure` the service's receipt, where it gave one */
  async eraseAll() {
    try {
      this.erasure = await this.parts.account.erase();
      this.parts.memory.clear();
      this.put({ consent: 'needed', overseas: false, userId: '' });
      return true;
    } catch (error) {
      this.put({ error: toView(problemOf(error), this.parts.lang()) });
      return false;
    }
  }
}

/** @param {unknown} data @returns {Partial<SessionState>} */
function readConfig(data) {
  const from = object(data);
  const provider = object(from.provider);
  return {
    name: string(from.name, '云聊'), aiNotice: string(from.ai_notice, NOTICE), aiLabel: labelOr(string(from.ai_label)),
    starters: list(from.starters).map(object).filter((one) => string(one.prompt)).slice(0, 8)
      .map((one) => ({ title: string(one.title, string(one.prompt)), prompt: string(one.prompt) })),
    provider: { name: string(provider.name), filing: string(provider.filing), contact: string(provider.contact) },
    agreement: readPage(from.agreement), privacy: readPage(from.privacy),
    agreementEn: readPage(from.agreement_en), privacyEn: readPage(from.privacy_en),
    imageHosts: list(from.image_hosts).filter((one) => typeof one === 'string').map(String)
  };
}

/** @param {unknown} value @returns {{ version: string, title: string, markdown: string }} */
function readPage(value) {
  const from = object(value);
  return { version: string(from.version), title: string(from.title), markdown: string(from.markdown) };
}

/**
 * @param {{ user: Record<string, unknown>, consent: Record<string, unknown>, limits: Record<string, unknown> }} me @param {unknown} config
 * @returns {Partial<SessionState>}
 */
function readMe(me, config) {
  const accepted = string(me.consent.version);
  const current = string(me.consent.current, readPage(object(config).agreement).version);
  const { consent } = me;
  return {
    userId: string(me.user.id), consent: accepted !== '' && accepted === current ? 'given' : 'needed', consentVersion: current,
    overseas: consent.overseas === true, rate: string(me.limits.rate)
  };
}

module.exports = { Session };
