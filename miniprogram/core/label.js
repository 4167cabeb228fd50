/** The AI label in everything that leaves the product: GB 45438-2025 asks that copied text itself carries it. */

const DEFAULT_LABEL = 'AI 生成';

/** True when a label names both the maker (人工智能 or AI) and the making (生成 or 合成). @param {string} label @returns {boolean} */
function validLabel(label) {
  return /人工智能|AI/i.test(label) && /生成|合成/.test(label);
}

/** @param {string} label from the server @returns {string} a label that may be shown */
function labelOr(label) {
  return validLabel(label) ? label : DEFAULT_LABEL;
}

/** @param {string} text @param {string} label @returns {string} */
function withLabel(text, label) {
  return text.replace(/\s+$/, '') + '\n\n（' + labelOr(label) + '）';
}

module.exports = { withLabel, labelOr, validLabel, DEFAULT_LABEL };
