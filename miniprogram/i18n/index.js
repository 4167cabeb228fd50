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

/**
 * Keeps `t`, `dark`, `textSize` and `still` of a page or component as the settings say; returns the function that ends it.
 * @param {{ setData: (data: Record<string, any>) => void }} screen
 * @param {(lang: string) => void} [changed]
 */
function follow(screen, changed) {
  const { settings } = getApp().yunliao;
  const apply = () => {
    const { lang, dark, textSize, reducedMotion } = settings.state;
    screen.setData({ t: texts(lang), dark, textSize, still: reducedMotion });
    if (changed) changed(lang);
  };
  apply();
  return settings.subscribe(apply);
}

/** Colours of the native bar for the chosen theme. @param {boolean} dark */
function paintBar(dark) {
  wx.setNavigationBarColor({ frontColor: dark ? '#ffffff' : '#000000', backgroundColor: dark ? '#14161a' : '#f6f7f9' });
}

module.exports = { texts, fill, follow, paintBar };
