/** How long to wait before attempt number `attempt` (0 = first repeat): doubling, capped, with full jitter in the upper half. */

/** @param {number} attempt @param {number} first ms @param {number} most ms @param {() => number} random @returns {number} */
function backoff(attempt, first, most, random) {
  const wide = Math.min(most, first * Math.pow(2, Math.min(attempt, 16)));
  return Math.round(wide / 2 + (wide / 2) * random());
}

module.exports = { backoff };
