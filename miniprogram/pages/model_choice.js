/** Choosing a model: one that is served abroad asks for the consent to that first. */

const { fill } = require('../i18n/index');

/**
 * @param {any} model one of the session's models @param {any} t texts
 * @returns {Promise<boolean>} whether it was chosen
 */
async function choose(model, t) {
  const { session, settings } = getApp().yunliao;
  if (model.overseas && !session.state.overseas) {
    if (!await allowed(fill(t.overseasAsk, { name: model.name }), t)) return false;
    if (!await session.accept({ overseas: true })) {
      wx.showToast({ title: t.notSaved, icon: 'none' });
      return false;
    }
  }
  settings.set('model', model.default ? '' : model.id);
  return true;
}

/** @param {string} content @param {any} t @returns {Promise<boolean>} */
function allowed(content, t) {
  return new Promise((resolve) => {
    wx.showModal({
      title: t.overseasModel, content, confirmText: t.allow, cancelText: t.cancel, success: (answer) => resolve(answer.confirm), fail: () => resolve(false)
    });
  });
}

module.exports = { choose };
