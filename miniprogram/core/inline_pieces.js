/**
 * The pieces of running text while it is parsed, and the runs they become: what is styled and linked, in the order of the text.
 */

/**
 * @typedef {{ t: string, s?: string, u?: string }} Run
 * @typedef {{ t: string, at: number, bold: number, italic: number, strike: number, code: boolean, url: string, image: boolean }} Piece
 */

/** @param {string} t @param {number} at where it stands in the text @returns {Piece} */
function newPiece(t, at) {
  return { t, at, bold: 0, italic: 0, strike: 0, code: false, url: '', image: false };
}

/** Neighbours that look the same are one run. @param {Piece[]} pieces @returns {Run[]} */
function toRuns(pieces) {
  /** @type {Run[]} */ const out = [];
  pieces.forEach((piece) => {
    if (!piece.t) return;
    const run = toRun(piece);
    const last = out[out.length - 1];
    if (last && last.s === run.s && last.u === run.u && !piece.image) last.t += run.t;
    else out.push(run);
  });
  return out;
}

/** @param {Piece} piece @returns {Run} */
function toRun(piece) {
  const s = [piece.bold && 'b', piece.italic && 'i', piece.strike && 'x', piece.code && 'c', piece.url && (piece.image ? 'g' : 'a')]
    .filter(Boolean).join(' ');
  /** @type {Run} */ const run = { t: piece.t };
  if (s) run.s = s;
  if (piece.url) run.u = piece.url;
  return run;
}

module.exports = { newPiece, toRuns };
