/**
 * Code spans (CommonMark 0.31, 6.1): where a run of backticks is closed by another of the same length, and the words between.
 */

class CodeSpans {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    /** @type {Record<number, number> | null} last position of a run of each length */ this.last = null;
  }

  /** @param {number} at of a run @param {number} size its length @returns {number} position of the run that closes it, -1 when there is none */
  close(at, size) {
    if (!this.last) this.last = this.find();
    if ((this.last[size] || -1) <= at) return -1;
    const run = /`+/g;
    run.lastIndex = at + size;
    for (let found = run.exec(this.text); found; found = run.exec(this.text)) {
      if (found[0].length === size) return found.index;
    }
    return -1;
  }

  /** @returns {Record<number, number>} */
  find() {
    /** @type {Record<number, number>} */ const last = {};
    const run = /`+/g;
    for (let found = run.exec(this.text); found; found = run.exec(this.text)) last[found[0].length] = found.index;
    return last;
  }
}

/** The words of a code span. @param {string} between the two runs @returns {string} */
function codeWords(between) {
  const body = between.replace(/\n/g, ' ');
  return /^ .* $/.test(body) && /[^ ]/.test(body) ? body.slice(1, -1) : body;
}

module.exports = { CodeSpans, codeWords };
