/**
 * The leaf that is open: the newest block, as long as lines may still be added to it.
 *
 * Every kind takes the lines that belong to it, knows from which of its items on it may still change, and what its end changes.
 */

const { cells } = require('./block_starts');
const { Paragraph, runsOf } = require('./paragraph');
const { highlightLine, START } = require('./highlight');

/**
 * @typedef {import('./inline').Run} Run
 * @typedef {import('./block_list').BlockList} BlockList
 * @typedef {{ inlineChars: number, lineChars: number }} Work
 */

class Leaf {
  /** @param {BlockList} list */
  constructor(list) {
    this.list = list;
    /** items (runs, lines, rows) that are final */
    this.done = 0;
  }

  /** A copy that can be written to and thrown away. @returns {this} */
  copy() {
    return Object.assign(Object.create(Object.getPrototypeOf(this)), this);
  }

  /** First item that may still change. @returns {number} */
  stable() {
    return this.done;
  }

  /** The rest of a line that was too long to wait for its end. @param {string} text */
  more(text) {} // eslint-disable-line no-unused-vars -- the kinds that care have their own

  /** The line is over. @returns {boolean} and so is the leaf */
  endLine() {
    return false;
  }

  close() {}
}

/** Running text: a paragraph, or the text of a list item or of a heading. */
class Running extends Leaf {
  /** @param {BlockList} list @param {ReadonlyArray<string>} hosts @param {Work} work @param {boolean} heading one line and no more */
  constructor(list, hosts, work, heading) {
    super(list);
    this.text = new Paragraph(hosts, work);
    this.heading = heading;
  }

  copy() {
    const copy = super.copy();
    copy.text = this.text.copy();
    return copy;
  }

  stable() {
    return this.text.frozen;
  }

  /** @returns {Run[]} */
  get runs() {
    return /** @type {Run[]} */ (this.list.last.r);
  }

  /** @param {string} line @param {boolean} newLine */
  add(line, newLine) {
    this.text.add(line, newLine);
    if (!this.list.trial) this.text.freeze(this.runs, this.text.raw.indexOf('|', this.text.lineStart) >= 0);
  }

  /** @param {string} text */
  more(text) {
    this.add(text, false);
  }

  endLine() {
    return this.heading;
  }

  /** Shows what is not frozen, for now. @param {boolean} hideTableHead */
  preview(hideTableHead) {
    this.text.preview(this.runs, hideTableHead && this.text.raw[this.text.lineStart] === '|');
  }

  close() {
    this.text.finish(this.runs);
  }
}

/** A code block, fenced or indented. */
class Code extends Leaf {
  /** @returns {Run[][]} */
  get lines() {
    return /** @type {Run[][]} */ (this.list.last.l);
  }

  /** @param {Run[]} runs the rest of the newest line */
  extend(runs) {
    const { lines } = this;
    if (lines.length) lines[lines.length - 1] = lines[lines.length - 1].concat(runs);
    else lines.push(runs);
    this.done = lines.length - 1;
  }

  /** @param {Run[]} runs a new line */
  addLine(runs) {
    this.lines.push(runs);
    this.done = this.lines.length - 1;
  }
}

class Fence extends Code {
  /** @param {BlockList} list @param {{ ch: string, size: number, indent: number, lang: string }} opening */
  constructor(list, opening) {
    super(list);
    this.opening = opening;
    this.colour = START;
  }

  /** @param {string} text @returns {Run[]} */
  coloured(text) {
    const found = highlightLine(text, this.colour, this.opening.lang);
    this.colour = found.state;
    return found.runs;
  }

  /** @param {string} text */
  line(text) {
    this.addLine(this.coloured(text));
  }

  /** @param {string} text */
  more(text) {
    this.extend(this.coloured(text));
  }

  endLine() {
    this.done = this.lines.length;
    return false;
  }

  close() {
    const closed = Object.assign({}, this.list.last);
    delete closed.open;
    this.list.replaceLast(closed);
  }
}

class Indented extends Code {
  /** @param {BlockList} list */
  constructor(list) {
    super(list);
    /** blank lines that belong to the block if another line of it follows */
    this.blanks = 0;
  }

  /** @param {string} text */
  line(text) {
    for (; this.blanks > 0; this.blanks -= 1) this.lines.push([]);
    this.addLine(text ? [{ t: text }] : []);
  }

  /** @param {string} text */
  more(text) {
    this.extend([{ t: text }]);
  }
}

/** The rows of a table: the newest is kept as it came until its line is over. */
class Rows extends Leaf {
  /** @param {BlockList} list @param {ReadonlyArray<string>} hosts @param {Work} work @param {number} columns */
  constructor(list, hosts, work, columns) {
    super(list);
    this.hosts = hosts;
    this.work = work;
    this.columns = columns;
    this.raw = '';
  }

  /** @param {string} text */
  more(text) {
    this.raw += text;
  }

  endLine() {
    if (!this.raw) return false;
    const rows = /** @type {Run[][][]} */ (this.list.last.rows);
    const row = cells(this.raw).slice(0, this.columns);
    while (row.length < this.columns) row.push('');
    rows.push(row.map((cell) => runsOf(cell, this.hosts, this.work)));
    this.raw = '';
    this.done = rows.length;
    return false;
  }
}

/** The rest of a line that was long enough to be known as a rule. */
class Rest extends Leaf {
  endLine() {
    return true;
  }
}

module.exports = { Running, Fence, Indented, Rows, Rest };
