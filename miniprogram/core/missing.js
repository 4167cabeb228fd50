/** What a refusal lacks, in words, and where a person finds it. */

const { amount } = require('./credits');
const { moment } = require('./format');

/** @type {Record<string, 'credits'|'privacy'>} pages that help, by error code */
const HELP = { insufficient_credits: 'credits', daily_limit: 'credits', overseas_consent_required: 'privacy' };

/**
 * @param {{ code: string, needed: number, available: number, renewsAt: number }} from @param {'zh'|'en'} lang
 * @returns {string} '' when nothing can be counted
 */
function missing(from, lang) {
  if (!from.needed) return '';
  const zh = lang !== 'en';
  const parts = [zh ? `需要约 ${amount(from.needed)}` : `Needs about ${amount(from.needed)}`];
  if (from.code !== 'turn_limit') parts.push(zh ? `可用 ${amount(from.available)}` : `you have ${amount(from.available)}`);
  if (from.renewsAt) parts.push(zh ? `${moment(from.renewsAt, 'zh')} 更新` : `renewed ${moment(from.renewsAt, 'en')}`);
  return parts.join(zh ? '，' : ', ');
}

/** @param {string} code @returns {''|'credits'|'privacy'} */
const helpFor = (code) => (Object.prototype.hasOwnProperty.call(HELP, code) ? HELP[code] : '');

module.exports = { missing, helpFor };
