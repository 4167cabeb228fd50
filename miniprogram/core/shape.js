/** Reading values whose shape nobody promised: each function gives the wanted type or a harmless substitute. */

/** @param {unknown} value @returns {Record<string, unknown>} */
function object(value) {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? /** @type {Record<string, unknown>} */ (value) : {};
}

/** @param {unknown} value @returns {unknown[]} */
function list(value) {
  return Array.isArray(value) ? value : [];
}

/** @param {unknown} value @param {string} [otherwise] @returns {string} */
function string(value, otherwise) {
  return typeof value === 'string' ? value : otherwise || '';
}

/** A whole number that is not negative. @param {unknown} value @param {number} [otherwise] @returns {number} */
function whole(value, otherwise) {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : otherwise || 0;
}

/** @template {string} T @param {unknown} value @param {ReadonlyArray<T>} allowed @param {T} otherwise @returns {T} */
function oneOf(value, allowed, otherwise) {
  return allowed.indexOf(/** @type {T} */ (value)) >= 0 ? /** @type {T} */ (value) : otherwise;
}

module.exports = { object, list, string, whole, oneOf };
