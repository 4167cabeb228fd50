/** Times and numbers as people read them. Local time of the phone; `now` is always an argument. */

/** @typedef {'zh'|'en'} Lang */

const DAY = 86400000;
const WEEK = { zh: ['星期日', '星期一', '星期二', '星期三', '星期四', '星期五', '星期六'], en: ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] };
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** @param {number} n @returns {string} */
const two = (n) => (n < 10 ? '0' : '') + n;

/** Calendar days from `ms` to `now`. @param {number} ms @param {number} now @returns {number} */
function daysAgo(ms, now) {
  const a = new Date(ms);
  const b = new Date(now);
  return Math.round((Date.UTC(b.getFullYear(), b.getMonth(), b.getDate()) - Date.UTC(a.getFullYear(), a.getMonth(), a.getDate())) / DAY);
}

/** @param {Date} date @param {number} now @param {Lang} lang @returns {string} */
function dateText(date, now, lang) {
  const sameYear = date.getFullYear() === new Date(now).getFullYear();
  if (lang === 'en') return `${MONTHS[date.getMonth()]} ${date.getDate()}` + (sameYear ? '' : `, ${date.getFullYear()}`);
  return (sameYear ? '' : date.getFullYear() + '年') + `${date.getMonth() + 1}月${date.getDate()}日`;
}

/** The line between messages, as WeChat writes it. @param {number} ms @param {number} now @param {Lang} lang @returns {string} */
function separator(ms, now, lang) {
  if (!ms) return '';
  const date = new Date(ms);
  const clock = date.getHours() + ':' + two(date.getMinutes());
  const days = daysAgo(ms, now);
  if (days <= 0) return clock;
  if (days === 1) return (lang === 'en' ? 'Yesterday ' : '昨天 ') + clock;
  if (days < 7) return WEEK[lang][date.getDay()] + ' ' + clock;
  return dateText(date, now, lang) + ' ' + clock;
}

/** A separator stands above a message when five minutes passed since the one before. @param {number} before @param {number} ms @returns {boolean} */
function needsSeparator(before, ms) {
  return ms > 0 && (before === 0 || ms - before >= 300000);
}

/** Time in the list of conversations. @param {number} ms @param {number} now @param {Lang} lang @returns {string} */
function listTime(ms, now, lang) {
  if (!ms) return '';
  const date = new Date(ms);
  const days = daysAgo(ms, now);
  if (days <= 0) {
    const minutes = Math.floor((now - ms) / 60000);
    if (minutes < 1) return lang === 'en' ? 'now' : '刚刚';
    if (minutes < 60) return lang === 'en' ? `${minutes} min ago` : `${minutes} 分钟前`;
    return date.getHours() + ':' + two(date.getMinutes());
  }
  if (days === 1) return lang === 'en' ? 'Yesterday' : '昨天';
  if (days < 7) return WEEK[lang][date.getDay()];
  return dateText(date, now, lang);
}

/** A moment of its own, past or to come. @param {number} ms @param {Lang} lang @returns {string} '' for none */
function moment(ms, lang) {
  if (!ms) return '';
  const date = new Date(ms);
  return dateText(date, 0, lang) + ' ' + two(date.getHours()) + ':' + two(date.getMinutes());
}

/** @param {number} seconds @param {Lang} lang @returns {string} */
function duration(seconds, lang) {
  const all = Math.max(0, Math.round(seconds));
  const minutes = Math.floor(all / 60);
  const rest = all % 60;
  if (lang === 'en') return minutes ? `${minutes} min ${rest} s` : `${rest} s`;
  return minutes ? `${minutes} 分 ${rest} 秒` : `${rest} 秒`;
}

/** @param {number} seconds @param {Lang} [lang] @returns {string} `0:07` */
function countdown(seconds, lang) {
  const all = Math.max(0, Math.ceil(seconds));
  if (all < 60) return lang === 'en' ? `${all} s` : `${all} 秒`;
  return Math.floor(all / 60) + ':' + two(all % 60);
}

/** @param {number} n @returns {string} */
function count(n) {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

module.exports = { separator, needsSeparator, listTime, duration, countdown, count, moment };
