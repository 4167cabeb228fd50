/**
 * The blocks so far, and the containers (quotes, list items) that are open around the next one.
 *
 * Containers are a stack, as in the CommonMark appendix, but leave no tree behind: a block carries its quote depth `q` and list depth `d`.
 */

/**
 * @typedef {import('./inline').Run} Run
 * @typedef {{ k: 'p'|'h'|'li'|'code'|'table'|'hr', q?: number, d?: number, n?: number, m?: string, c?: boolean, r?: Run[], lang?: string,
 *   l?: Run[][], open?: boolean, a?: string[], hd?: Run[][], rows?: Run[][][] }} Block
 * @typedef {{ type: 'q' | 'li', width: number, block: number, empty: boolean, used: boolean }} Container
 * @typedef {{ type: string, n: number }} List
 */

/** Containers within each other; what would be deeper is text. */
const DEEPEST = 16;

class BlockList {
  constructor() {
    /** @type {Block[]} */ this.blocks = [];
    /** @type {Container[]} */ this.containers = [];
    /** @type {List[]} newest list at each depth of containers */ this.lists = [];
    /** what is written now will be taken back */
    this.trial = false;
  }

  /** The newest block. @returns {Block} */
  get last() {
    return this.blocks[this.blocks.length - 1];
  }

  /** The innermost container. @returns {Container | undefined} */
  get inner() {
    return this.containers[this.containers.length - 1];
  }

  /** @returns {boolean} */
  get full() {
    return this.containers.length >= DEEPEST;
  }

  /** Another newest block in the place of the one that was handed out. @param {Block} block */
  replaceLast(block) {
    this.blocks[this.blocks.length - 1] = block;
  }

  /** A block that is not a list item ends the lists at its depth. @param {Block} block @returns {Block} */
  emit(block) {
    this.lists.length = Math.min(this.lists.length, this.containers.length);
    this.use();
    return this.push(block);
  }

  /** The innermost container has something in it now. */
  use() {
    const { inner } = this;
    if (!inner) return;
    inner.empty = false;
    inner.used = true;
  }

  /** @param {Block} block @returns {Block} */
  push(block) {
    const q = this.containers.filter((one) => one.type === 'q').length;
    const d = this.containers.length - q;
    if (q) block.q = q;
    if (d) block.d = d;
    this.blocks.push(block);
    return block;
  }

  /** Opens a quote. */
  quote() {
    this.lists.length = Math.min(this.lists.length, this.containers.length);
    this.containers.push({ type: 'q', width: 0, block: -1, empty: false, used: false });
  }

  /**
   * Opens a list item, which goes on counting where its list is.
   * @param {{ type: string, number: number }} marker @param {number} width columns its text stands in by @param {boolean} empty nothing follows the marker
   */
  item(marker, width, empty) {
    const depth = this.containers.length;
    const before = this.lists[depth];
    const n = before && before.type === marker.type ? before.n + 1 : marker.number;
    this.lists.length = depth;
    this.lists[depth] = { type: marker.type, n };
    this.containers.push({ type: 'li', width, block: this.blocks.length, empty, used: false });
    this.push({ k: 'li', m: marker.number < 0 ? '•' : n + marker.type, r: [] });
  }

  /**
   * Remembers everything that a trial can change. @param {number} open items of the newest block from here on may change, -1 when it is final
   * @returns {() => void} takes the trial back
   */
  checkpoint(open) {
    const { containers, lists, blocks } = this;
    const count = blocks.length;
    const last = count ? Object.assign({}, blocks[count - 1]) : null;
    const kept = last && open >= 0 ? itemsOf(last).slice(open) : [];
    this.containers = containers.map((one) => Object.assign({}, one));
    this.lists = lists.slice();
    this.trial = true;
    return () => {
      Object.assign(this, { containers, lists, trial: false });
      blocks.length = count;
      if (!last) return;
      blocks[count - 1] = last;
      if (open < 0) return;
      const items = itemsOf(last);
      items.length = open;
      kept.forEach((one) => items.push(one));
    };
  }
}

/** @param {Block} block @returns {unknown[]} the runs, lines or rows */
function itemsOf(block) {
  return block.rows || block.l || block.r || [];
}

module.exports = { BlockList };
