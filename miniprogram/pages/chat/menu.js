/** What a person may do with one message: the entries of its menu, and the doing. */

const { copy } = require('../../components/markdown/runs');

/** What the service stores of a choice: the same in every language, in the order of the texts `whyList` and `reportList`. */
const WHY = ['inaccurate', 'unhelpful', 'length', 'tone', 'other'];
const REPORT = ['unlawful', 'sexual', 'privacy', 'false', 'other'];

/** @param {any} message @returns {string[]} at most six: WeChat's sheet takes no more */
function entries(message) {
  const names = ['copy', 'select'];
  if (message.canEdit) names.push('edit');
  if (message.canRegenerate) names.push('regenerate');
  if (message.role === 'assistant' && message.turnId) names.push('receipt');
  if (message.role === 'assistant' && message.id) names.push('report');
  return names;
}

/** @param {any} page the chat page @param {any} message */
function open(page, message) {
  if (message.role === 'assistant' && message.state !== 'done') return;
  const names = entries(message);
  choose(names.map((name) => page.data.t[name]), (index) => perform(page, names[index], message.key));
}

/** @param {any} page @param {string} what @param {string} key */
function perform(page, what, key) {
  const { chat } = page;
  const { t, lang } = page.data;
  if (what === 'copy') copy(chat.copyText(key), lang);
  else if (what === 'select') wx.navigateTo({ url: `/pages/document/document?key=${encodeURIComponent(key)}` });
  else if (what === 'receipt') wx.navigateTo({ url: `/pages/receipt/receipt?turn=${encodeURIComponent(messageOf(page, key).turnId)}` });
  else if (what === 'regenerate') chat.regenerate(key);
  else if (what === 'continue') chat.continueAnswer(key);
  else if (what === 'retry') chat.retry(key);
  else if (what === 'remove') chat.remove(key);
  else if (what === 'edit') chat.startEdit(key);
  else if (what === 'up' || what === 'down') feedback(page, key, what);
  else if (what === 'report') {
    choose(t.reportList, (index) => explain(t, index === REPORT.length - 1, t.reportWhy, (comment) => said(chat.report(key, REPORT[index], comment), t.reported, t.notSaved)));
  }
}

/** @param {any} page @param {string} key @returns {any} */
function messageOf(page, key) {
  return page.data.recent.concat(page.data.older).find((/** @type {any} */ one) => one.key === key) || {};
}

/** A second touch takes it back. @param {any} page @param {string} key @param {'up'|'down'} value */
function feedback(page, key, value) {
  const { chat } = page;
  const { t } = page.data;
  if (messageOf(page, key).feedback === value) said(chat.feedback(key, 'none'), t.takenBack, t.notSaved);
  else if (value === 'up') said(chat.feedback(key, 'up'), t.thanks, t.notSaved);
  else choose(t.whyList, (index) => explain(t, index === WHY.length - 1, t.why, (comment) => said(chat.feedback(key, 'down', [WHY[index]], comment), t.thanks, t.notSaved)));
}

/** @param {any} t @param {boolean} asked "other" was chosen: in whose own words? @param {string} title @param {(comment: string) => void} then */
function explain(t, asked, title, then) {
  if (!asked) then('');
  else {
    wx.showModal({
      title, editable: true, placeholderText: t.tellMore, confirmText: t.submit, cancelText: t.cancel,
      success: (answer) => { if (answer.confirm) then((answer.content || '').trim().slice(0, 500)); }
    });
  }
}

/** @param {Promise<boolean>} done @param {string} good @param {string} bad */
function said(done, good, bad) {
  done.then((ok) => wx.showToast({ title: ok ? good : bad, icon: 'none' }));
}

/** @param {string[]} itemList @param {(index: number) => void} then */
function choose(itemList, then) {
  wx.showActionSheet({ itemList, success: (answer) => then(answer.tapIndex), fail: () => {} });
}

module.exports = { open, perform, entries, WHY, REPORT };
