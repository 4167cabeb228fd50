/** Texts of the current language, for pages and components. */

const zh = require('./zh');
const en = require('./en');

/**
 * @param {string} lang
 * @returns {Record<string, any>}
 */
function texts(lang) {
  return lang === 'en' ? en : zh;
}

/**
 * `{name}` in a text replaced.
 * @param {string} text
 * @param {Record<string, string | number>} values
 */
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

module.exports = { texts, fill };
