/**
 * The answer as far as it is read: the list of blocks, and the leaf at its end that is open.
 *
 * What is asked here does not depend on the line that is being read: opening a leaf, going on with it, closing it, trying and taking back.
 */

const { BlockList } = require('./block_list');
const { Running, Fence, Indented, Rows, Rest } = require('./leaves');
const { runsOf } = require('./paragraph');

/**
 * @typedef {import('./inline').Run} Run
 * @typedef {import('./block_list').Block} Block
 * @typedef {import('./leaves').Work} Work
 * @typedef {Running | Fence | Indented | Rows | Rest | null} Leaf
 */

class BlockBuilder {
  /** @param {ReadonlyArray<string>} hosts */
  constructor(hosts) {
    this.hosts = hosts;
    /** @type {Work} characters looked at so far, the measure of the tests */
    this.work = { inlineChars: 0, lineChars: 0 };
    this.list = new BlockList();
    /** @type {Leaf} */ this.leaf = null;
  }

  /** @returns {Block[]} */
  get blocks() {
    return this.list.blocks;
  }

  /** The unfinished line is part of a fenced code block. @returns {boolean} */
  get inFence() {
    return this.leaf instanceof Fence;
  }

  /** First position that may still change: [block, item in it]. @returns {[number, number]} */
  stable() {
    const last = this.blocks.length - 1;
    return this.leaf && !(this.leaf instanceof Rest) ? [last, this.leaf.stable()] : [last + 1, 0];
  }

  /** Remembers everything a trial can change. @returns {() => void} takes it back */
  checkpoint() {
    const { leaf } = this;
    const undo = this.list.checkpoint(leaf && !(leaf instanceof Rest) ? leaf.stable() : -1);
    this.leaf = leaf && leaf.copy();
    return () => {
      this.leaf = leaf;
      undo();
    };
  }

  /** The paragraph that is open, which a line may go on with. @returns {Running | null} */
  get paragraph() {
    return this.leaf instanceof Running && !this.leaf.heading ? this.leaf : null;
  }

  /** @param {{ level: number, text: string }} head @param {boolean} whole */
  openHeading(head, whole) {
    const block = this.list.emit({ k: 'h', n: head.level, r: [] });
    const leaf = new Running(this.list, this.hosts, this.work, true);
    leaf.text.add(head.text, false);
    this.leaf = leaf;
    if (whole) this.closeLeaf();
    else leaf.text.freeze(/** @type {Run[]} */ (block.r), false);
  }

  /** @param {string} text */
  openParagraph(text) {
    this.closeLeaf();
    const { inner } = this.list;
    let s = text;
    if (inner && inner.type === 'li' && !inner.used && inner.block === this.blocks.length - 1) {
      const task = /^\[([ xX])\][ \t]+/.exec(s);
      if (task) {
        this.list.replaceLast(Object.assign({}, this.list.last, { c: task[1] !== ' ' }));
        s = s.slice(task[0].length);
      }
    } else this.list.emit({ k: 'p', r: [] });
    this.list.use();
    const leaf = new Running(this.list, this.hosts, this.work, false);
    this.leaf = leaf;
    leaf.add(s, false);
  }

  /** @param {string} text */
  indentedLine(text) {
    const leaf = this.leaf instanceof Indented ? this.leaf : this.openIndented();
    leaf.line(text);
  }

  /** @returns {Indented} */
  openIndented() {
    this.closeLeaf();
    this.list.emit({ k: 'code', lang: '', l: [] });
    const leaf = new Indented(this.list);
    this.leaf = leaf;
    return leaf;
  }

  /** @param {NonNullable<ReturnType<typeof import('./block_starts').fence>>} opening */
  openFence(opening) {
    this.list.emit({ k: 'code', lang: opening.lang, l: [], open: true });
    this.leaf = new Fence(this.list, opening);
  }

  /** @param {boolean} whole the line is over: nothing more of it has to be passed over */
  openRule(whole) {
    this.list.emit({ k: 'hr' });
    this.leaf = whole ? null : new Rest(this.list);
  }

  /** @param {string[]} head @param {string[]} align */
  openTable(head, align) {
    this.list.emit({ k: 'table', a: align, hd: head.map((cell) => runsOf(cell, this.hosts, this.work)), rows: [] });
    this.leaf = new Rows(this.list, this.hosts, this.work, align.length);
  }

  /** The rest of a line that is too long to wait for its end. @param {string} text */
  moreLine(text) {
    this.work.lineChars += text.length;
    if (this.leaf) this.leaf.more(text);
    else if (text.trim()) this.openParagraph(text.replace(/^[ \t]+/, ''));
  }

  /** The line is over. */
  endLine() {
    if (this.leaf && this.leaf.endLine()) this.closeLeaf();
  }

  /** A row of a table is shown whole, also before its line is over. */
  showRow() {
    if (this.leaf instanceof Rows) this.leaf.endLine();
  }

  /** Shows what an open paragraph holds, for now. @param {boolean} hideTableHead */
  preview(hideTableHead) {
    if (this.leaf instanceof Running) this.leaf.preview(hideTableHead);
  }

  /** @param {number} keep */
  close(keep) {
    this.closeLeaf();
    this.list.containers.length = keep;
  }

  closeLeaf() {
    if (this.leaf) this.leaf.close();
    this.leaf = null;
  }
}

module.exports = { BlockBuilder };
