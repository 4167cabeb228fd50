/** Client message ids: `[A-Za-z0-9_-]{24}`, unique without a server. Not secrets: they only make a send safe to repeat. */

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** @param {number} now ms @param {() => number} [random] 0 <= r < 1 @returns {string} */
function clientId(now, random) {
  const draw = random || Math.random;
  let id = Math.floor(now).toString(36).slice(-8) + '-';
  while (id.length < 24) id += LETTERS[Math.floor(draw() * LETTERS.length)];
  return id;
}

module.exports = { clientId };
