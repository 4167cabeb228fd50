/** What happens when a link or a picture of a text is touched. */

const { texts } = require('../../i18n/index');

/** A link is shown and can be copied; it is never opened. @param {any} event @param {string} lang */
function tapRun(event, lang) {
  const { url, image } = event.currentTarget.dataset;
  const t = texts(lang);
  if (image) wx.previewImage({ urls: [image] });
  if (!url) return;
  wx.showModal({
    title: t.linkTitle, content: url, confirmText: t.copy, cancelText: t.cancel,
    success: (answer) => { if (answer.confirm) copy(url, lang); }
  });
}

/** WeChat says 内容已复制 itself; where it refuses (clipboard not declared in the privacy guide) we say so. @param {string} data @param {string} lang */
function copy(data, lang) {
  wx.setClipboardData({ data, fail: () => wx.showToast({ title: texts(lang).copyFailed, icon: 'none' }) });
}

module.exports = { tapRun, copy };
