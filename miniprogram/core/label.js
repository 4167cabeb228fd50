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

/** How a line of comment begins and ends, by the first characters of a language's name; code that is pasted still runs. */
const COMMENTS = [
  [/^(py|sh|bash|zsh|shell|console|ruby|rb|perl|r$|yaml|yml|toml|make|docker|nginx|conf|ini|properties|elixir|julia|powershell|ps1)/, '# ', ''],
  [/^(sql|mysql|plsql|lua|haskell|hs|ada|vhdl)/, '-- ', ''],
  [/^(html|xml|svg|vue|wxml|md|markdown)/, '<!-- ', ' -->'],
  [/^(css|wxss)/, '/* ', ' */'],
  [/^(tex|latex|matlab|erlang|prolog)/, '% ', ''],
  [/^(lisp|clojure|scheme|asm)/, '; ', ''],
  [/^(js|jsx|ts|tsx|javascript|typescript|java|kotlin|kt|c$|cc|cpp|c\+\+|cs|c#|go|rust|rs|swift|php|scala|dart|objc|wxs|proto|groovy|less|sass|scss)/, '// ', '']
];

/** Copied code carries its label as a comment in its language, else as a line of words. @param {string} code @param {string} language @param {string} label @returns {string} */
function withCodeLabel(code, language, label) {
  const found = COMMENTS.find(([names]) => /** @type {RegExp} */ (names).test(language.toLowerCase()));
  if (!found) return withLabel(code, label);
  return code.replace(/\s+$/, '') + '\n' + found[1] + labelOr(label) + found[2] + '\n';
}

module.exports = { withLabel, withCodeLabel, labelOr, validLabel, DEFAULT_LABEL };
