/** What a person agreed to, a copy of what is held about them, and its erasure. */

const { Store } = require('./store');
const { problem, problemOf, toView } = require('../core/errors');
const { bytesOf, size } = require('../core/personal_data');
const { moment } = require('../core/format');
const { object, string, whole } = require('../core/shape');

/**
 * @typedef {import('../core/errors').ErrorView} ErrorView
 * @typedef {{ loading: boolean, loaded: boolean, error: ErrorView | null, version: string, acceptedAt: string, given: boolean, overseas: boolean,
 *   step: 'idle'|'working'|'ready'|'failed', format: ''|'json'|'markdown', records: number, bytes: string, file: string, exportError: ErrorView | null,
 *   onDesk: boolean, receipt: null | { id: string, when: string, records: number, remains: string[], words: string } }} PrivacyState
 */

/** @extends {Store<PrivacyState>} */
class Privacy extends Store {
  /**
   * @param {{ account: import('../services/account_api').AccountApi, api: import('../services/api').Api, files: import('../services/files').Files,
   *   session: import('./session').Session, lang(): 'zh'|'en' }} parts
   */
  constructor(parts) {
    super({
      loading: false, loaded: false, error: null, version: '', acceptedAt: '', given: false, overseas: false, step: 'idle', format: '', records: 0, bytes: '',
      file: '', exportError: null, onDesk: false, receipt: null
    });
    this.parts = parts;
    /** a new number ends the export that runs */
    this.run = 0;
  }

  /** @param {unknown} error @returns {ErrorView} */
  view(error) {
    return toView(problemOf(error), this.parts.lang());
  }

  /** What was agreed to, and when. @returns {Promise<void>} */
  async load() {
    this.put({ loading: true, error: null });
    try {
      const { consent } = await this.parts.api.me();
      const from = object(consent);
      this.put({
        loading: false, loaded: true, version: string(from.version), acceptedAt: moment(whole(from.accepted_at), this.parts.lang()),
        given: string(from.version) !== '' && string(from.version) === string(from.current, string(from.version)), overseas: from.overseas === true
      });
    } catch (error) {
      this.put({ loading: false, error: this.view(error) });
    }
  }

  /** @param {boolean} overseas @returns {Promise<boolean>} */
  async setOverseas(overseas) {
    const done = await this.parts.session.accept({ overseas });
    if (done) await this.load();
    return done;
  }

  /** Both consents are taken back; the data stay until they are erased. @returns {Promise<boolean>} */
  async withdraw() {
    try {
      await this.parts.account.withdraw();
      this.parts.session.needConsent();
      this.put({ given: false, overseas: false });
      return true;
    } catch (error) {
      this.put({ error: this.view(error) });
      return false;
    }
  }

  /** Reads everything, part by part, into a file. @param {'json'|'markdown'} format @returns {Promise<void>} */
  async take(format) {
    const mine = this.begin();
    const { files, account } = this.parts;
    this.put({ step: 'working', format, records: 0, bytes: '', file: '', exportError: null });
    if (!files.able) {
      this.put({ step: 'failed', exportError: toView(problem({ code: 'no_files' }), this.parts.lang()) });
      return;
    }
    try {
      let records = 0;
      let bytes = 0;
      for (let cursor = '', first = true; first || cursor; first = false) {
        const part = await account.exportPart(format, cursor);
        if (mine !== this.run) return;
        await (first ? files.write(part.name, part.content) : files.append(part.content));
        if (mine !== this.run) return;
        records += part.records;
        bytes += bytesOf(part.content);
        cursor = part.next;
        this.put({ records, bytes: size(bytes), file: part.name });
      }
      this.put({ step: 'ready', onDesk: files.onDesk });
    } catch (error) {
      if (mine === this.run) this.put({ step: 'failed', exportError: this.view(error) });
    }
  }

  /** @returns {number} the number of a run that ends the one before */
  begin() {
    this.run += 1;
    return this.run;
  }

  /** Ends an export, and takes its file from the phone. @returns {Promise<void>} */
  async leave() {
    this.begin();
    await this.parts.files.drop();
    this.put({ step: 'idle', format: '', file: '', records: 0, bytes: '', exportError: null });
  }

  /** @returns {Promise<boolean>} */
  share() {
    return this.parts.files.share();
  }

  /** @returns {Promise<boolean>} */
  save() {
    return this.parts.files.save();
  }

  /** Everything, for good. @returns {Promise<boolean>} with `receipt` in the state where the service gave one */
  async eraseAll() {
    await this.leave();
    const { session } = this.parts;
    if (!await session.eraseAll()) return false;
    const { erasure } = session;
    const lang = this.parts.lang();
    this.put({
      given: false, overseas: false,
      receipt: erasure && {
        id: erasure.id, when: moment(erasure.erasedAt, lang), records: erasure.records, words: erasure.words,
        remains: erasure.remains.map((one) => (lang === 'en' ? one.en : one.zh) || one.zh)
      }
    });
    return true;
  }

  /** The receipt was read. */
  dismissReceipt() {
    this.put({ receipt: null });
  }
}

module.exports = { Privacy };
