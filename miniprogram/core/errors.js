/**
 * Every failure a call can have, as one value: may it be repeated, when, and which words to show.
 *
 * `retry`: the same call may work soon. `message`: the person must do something. `fatal`: the operator must. Platform codes are those
 * of platform.md §1.4 (callContainer), API codes those of the service; both may come as a success with an error body or as `fail`.
 */

const { readError } = require('./protocol');
const { object } = require('./shape');
const { missing, helpFor } = require('./missing');

/**
 * @typedef {'retry'|'message'|'fatal'} Kind
 * @typedef {{ kind: Kind, code: string, key: string, delay: number, zh: string, en: string, retryAfter: number, requestId: string,
 *   sent: boolean, status: number, turnId: string, needed: number, available: number, renewsAt: number }} Problem `delay` ms before a repeat;
 *   `sent` the service may have got the call; what is needed and there in micro-credits
 * @typedef {{ kind: Kind, code: string, key: string, message: string, retryAfter: number, requestId: string, canRetry: boolean,
 *   detail: string, help: ''|'credits'|'privacy' }} ErrorView `detail` what is missing, `help` the page where it is found
 */

/** @type {ReadonlyArray<[RegExp, Kind, string, number]>} texts, looked for before the numbers: they say more */
const TEXTS = [
  [/Cloud API isn't enabled/i, 'retry', 'starting', 300],
  [/SERVICE_NOT_READY|ECONNREFUSED/i, 'retry', 'waking', 3000],
  [/upstream connect error|reset before headers/i, 'retry', 'version', 5000],
  [/INTERNAL_REQUEST_FAIL|SYS_ERR|SERVICE_FORBIDDEN/i, 'retry', 'platform', 3000],
  [/INVALID_HOST|Invalid AppId in host|Authorization mismatch|Path access permission/i, 'fatal', 'config', 0],
  [/exceed max poll retry/i, 'retry', 'timeout', 1000],
  [/fail interrupted/i, 'retry', 'interrupted', 500]
];

/** @type {Record<string, [Kind, string, number]>} */
const CODES = {
  '102002': ['retry', 'timeout', 1000],
  '102005': ['fatal', 'config', 0],
  '40097': ['fatal', 'config', 0],
  '-501000': ['fatal', 'config', 0],
  '-601027': ['fatal', 'config', 0],
  '-601031': ['fatal', 'config', 0],
  '-601034': ['fatal', 'config', 0],
  '-606001': ['message', 'too_large', 0],
  '-606002': ['fatal', 'too_large', 0],
  '-606003': ['fatal', 'arrears', 0],
  '-606006': ['fatal', 'no_permission', 0],
  '-501001': ['retry', 'network', 1000],
  '-501002': ['retry', 'network', 1000],
  '-601001': ['retry', 'network', 1000],
  '-601003': ['retry', 'network', 1000],
  '-601008': ['retry', 'network', 1000],
  '-501003': ['retry', 'quota', 5000],
  '-501004': ['retry', 'quota', 5000],
  '-501023': ['fatal', 'no_permission', 0],
  '-405005': ['retry', 'timeout', 1000],
  '600003': ['retry', 'interrupted', 500]
};

/** API codes where waiting does not help and the person has nothing to change. */
const OPERATOR = ['identity_untrusted', 'relay_refused', 'misconfigured', 'unsupported_media_type', 'method_not_allowed'];

/** Sending the very same again cannot work, whatever the person does meanwhile. */
const NOT_AGAIN = ['cooling_down', 'blocked_input', 'too_large', 'suspended', 'turn_limit', 'code_invalid'];

/** @param {Partial<Problem>} over @returns {Problem} */
function problem(over) {
  return Object.assign(
    { kind: /** @type {Kind} */ ('message'), code: 'unknown', key: '', delay: 0, zh: '', en: '', retryAfter: 0, requestId: '', sent: true, status: 0, turnId: '',
      needed: 0, available: 0, renewsAt: 0 },
    over, { key: 'error.' + (over.code || 'unknown') }
  );
}

/** What `wx.cloud` rejects with. @param {unknown} reason @returns {Problem} */
function fromPlatform(reason) {
  const from = object(reason);
  const body = fromBody(from.data);
  if (body) return body;
  const code = String(from.errCode !== undefined ? from.errCode : from.errno !== undefined ? from.errno : '');
  const text = String(from.errMsg || (reason instanceof Error ? reason.message : ''));
  const call = /call[-_ ]?id[:= ]*([\w-]{6,64})/i.exec(text);
  const requestId = typeof from.callID === 'string' && from.callID ? from.callID : call ? call[1] : '';
  const byText = TEXTS.find((one) => one[0].test(text));
  if (byText) return problem({ kind: byText[1], code: byText[2], delay: byText[3], requestId, sent: byText[2] !== 'starting' });
  if (Object.prototype.hasOwnProperty.call(CODES, code)) {
    const [kind, name, delay] = CODES[code];
    return problem({ kind, code: name, delay, requestId });
  }
  if (/time.?out/i.test(text)) return problem({ kind: 'retry', code: 'timeout', delay: 1000, requestId });
  if (/network|ERR_|socket|connect|fail/i.test(text)) return problem({ kind: 'retry', code: 'network', delay: 1000, requestId });
  return problem({ kind: 'message', code: 'unknown', requestId });
}

/** An error body of the service, whatever link brought it; null when there is none. @param {unknown} data @returns {Problem | null} */
function fromBody(data) {
  const error = readError(object(data).error);
  return error ? fromApi(error) : null;
}

/** @param {import('./protocol').ApiError} error @returns {Problem} */
function fromApi(error) {
  const waits = error.retryable && ['turn_in_progress', 'rate_limited', 'moderation_revisit', 'service_budget_exhausted'].indexOf(error.code) < 0;
  const kind = OPERATOR.indexOf(error.code) >= 0 ? 'fatal' : waits ? 'retry' : 'message';
  const delay = error.retryAfter ? error.retryAfter * 1000 : waits ? 1500 : 0;
  return problem({
    kind, code: error.code, delay, zh: error.zh, en: error.en, retryAfter: Math.ceil(error.retryAfter), requestId: error.requestId,
    status: error.status, turnId: error.turnId, needed: error.needed, available: error.available, renewsAt: error.renewsAt
  });
}

/** A status without a body that the service wrote. @param {number} status @param {string} requestId @returns {Problem} */
function fromStatus(status, requestId) {
  const busy = status === 502 || status === 503 || status === 504;
  const code = busy ? 'version' : status === 429 ? 'quota' : status === 413 ? 'too_large' : 'bad_answer';
  return problem({ kind: busy || status === 429 ? 'retry' : 'message', code, delay: busy ? 2000 : 5000, requestId, status });
}

/** @param {Problem} from @param {'zh'|'en'} lang @returns {ErrorView} */
function toView(from, lang) {
  return {
    kind: from.kind, code: from.code, key: from.key, message: lang === 'en' ? from.en : from.zh, retryAfter: from.retryAfter,
    requestId: from.requestId, canRetry: from.kind !== 'fatal' && NOT_AGAIN.indexOf(from.code) < 0,
    detail: missing(from, lang), help: helpFor(from.code)
  };
}

/** Thrown by services/api: an Error that carries its problem. */
class CallFailed extends Error {
  /** @param {Problem} what */
  constructor(what) {
    super(what.code);
    this.problem = what;
  }
}

/** @param {unknown} error @returns {Problem} */
function problemOf(error) {
  return error instanceof CallFailed ? error.problem : fromPlatform(error);
}

module.exports = { fromPlatform, fromBody, fromApi, fromStatus, toView, problem, problemOf, CallFailed, CODES, TEXTS };
