/** How a screen looks: texts, theme, text size and motion as the settings and the phone say. */

const { texts } = require('../i18n/index');

/** Larger text of the phone is followed, within what the layout bears. */
const LARGEST_SCALE = 1.3;
/** The field of WeChat's standard text size, in px. */
const STANDARD = 17;

/** @returns {number} 1 = WeChat's standard text size */
function phoneScale() {
  try {
    /** @type {any} */ const info = wx.getAppBaseInfo ? wx.getAppBaseInfo() : wx.getSystemInfoSync();
    const scale = (info.fontSizeSetting || STANDARD) / STANDARD;
    return Math.round(Math.max(1, Math.min(LARGEST_SCALE, scale)) * 100) / 100;
  } catch (error) {
    return 1;
  }
}

/**
 * Keeps `t`, `lang`, `dark`, `textSize`, `still` and `scale` of a page as the settings say, and its native bar in the theme's colours.
 * @param {{ setData: (data: Record<string, any>) => void }} screen
 * @param {{ title?: string, ground?: boolean }} bar name of the text that is the title; whether the page stands on the grey ground
 * @returns {() => void} ends it
 */
function follow(screen, bar) {
  const { settings } = getApp().yunliao;
  const scale = phoneScale();
  const apply = () => {
    const { lang, dark, textSize, reducedMotion } = settings.state;
    const t = texts(lang);
    screen.setData({ t, lang, dark, textSize, still: reducedMotion, scale });
    const colour = dark ? (bar.ground ? '#101215' : '#14161a') : bar.ground ? '#f5f6f8' : '#ffffff';
    wx.setNavigationBarColor({ frontColor: dark ? '#ffffff' : '#000000', backgroundColor: colour });
    wx.setBackgroundColor({ backgroundColor: colour });
    if (bar.title) wx.setNavigationBarTitle({ title: t[bar.title] });
  };
  apply();
  return settings.subscribe(apply);
}

/**
 * Rows above a page without a native bar, in px: the status bar, and the row in line with WeChat's capsule.
 * @returns {{ status: number, row: number, right: number }} right = what the capsule takes of the row
 */
function topRows() {
  try {
    const info = wx.getWindowInfo ? wx.getWindowInfo() : wx.getSystemInfoSync();
    const capsule = wx.getMenuButtonBoundingClientRect();
    const status = typeof info.statusBarHeight === 'number' ? info.statusBarHeight : 20;
    if (!capsule.height) return { status, row: 44, right: 96 };
    return { status, row: Math.max(44, capsule.height + 2 * Math.max(0, capsule.top - status)), right: info.windowWidth - capsule.left + 4 };
  } catch (error) {
    return { status: 24, row: 44, right: 96 };
  }
}

module.exports = { follow, topRows, phoneScale };
