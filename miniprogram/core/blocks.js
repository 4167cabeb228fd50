/**
 * Lines in, flat blocks out. The machine reads each line once; what a block says is final as soon as no later line can change it.
 *
 * Containers (quotes, list items) are a stack, as in the CommonMark appendix, but leave no tree behind: a block carries its
 * quote depth `q` and list depth `d`. Only the leaf that is open may still change; `stable()` tells from where.
 */

const { indentOf, expand, heading, fence, closesFence, rule, underline, listMarker, columns, cells } = require('./block_starts');
const { Paragraph, runsOf } = require('./paragraph');
const { highlightLine, START } = require('./highlight');

/**
 * @typedef {import('./inline').Run} Run
 * @typedef {{ k: 'p'|'h'|'li'|'code'|'table'|'hr', q?: number, d?: number, n?: number, m?: string, c?: boolean, r?: Run[], lang?: string,
 *   l?: Run[][], open?: boolean, a?: string[], hd?: Run[][], rows?: Run[][][] }} Block
 * @typedef {{ type: 'q' | 'li', width: number, block: number, empty: boolean, used: boolean }} Container
 * @typedef {{ type: string, n: number }} List
 * @typedef {{ type: 'p', text: Paragraph } | { type: 'h', text: Paragraph } | { type: 'row', raw: string, done: number, columns: number }
 *   | { type: 'fence', ch: string, size: number, indent: number, done: number, colour: import('./highlight').State, lang: string }
 *   | { type: 'indented', blanks: number, done: number } | { type: 'skip' } | null} Leaf
 * @typedef {{ inlineChars: number, lineChars: number }} Work
 */

const DEEPEST = 16;

class BlockMachine {
  /** @param {ReadonlyArray<string>} hosts */
  constructor(hosts) {
    this.hosts = hosts;
    /** @type {Work} characters looked at so far, the measure of the tests */
    this.work = { inlineChars: 0, lineChars: 0 };
    /** @type {Block[]} */ this.blocks = [];
    /** @type {Container[]} */ this.containers = [];
    /** @type {List[]} newest list at each depth of containers */ this.lists = [];
    /** @type {Leaf} */ this.leaf = null;
    this.trial = false;
  }

  /** First position that may still change: [block, item in it]. @returns {[number, number]} */
  stable() {
    const last = this.blocks.length - 1;
    const leaf = this.leaf;
    if (!leaf || leaf.type === 'skip') return [last + 1, 0];
    return [last, leaf.type === 'p' || leaf.type === 'h' ? leaf.text.frozen : leaf.done];
  }

  /** Remembers everything a trial can change. @returns {() => void} takes it back */
  checkpoint() {
    const { containers, lists, leaf, blocks } = this;
    const count = blocks.length;
    const last = count ? Object.assign({}, blocks[count - 1]) : null;
    const item = this.stable()[1];
    const kept = last ? itemsOf(last).slice(item) : [];
    this.containers = containers.map((one) => Object.assign({}, one));
    this.lists = lists.slice();
    this.leaf = leaf && Object.assign({}, leaf, 'text' in leaf ? { text: leaf.text.copy() } : {});
    this.trial = true;
    return () => {
      Object.assign(this, { containers, lists, leaf, trial: false });
      blocks.length = count;
      if (!last) return;
      blocks[count - 1] = last;
      if (!leaf || leaf.type === 'skip') return;
      const items = itemsOf(last);
      items.length = item;
      kept.forEach((one) => items.push(one));
    };
  }

  /** The beginning of a line, or a whole one. @param {string} line @param {boolean} whole */
  startLine(line, whole) {
    this.work.lineChars += line.length;
    let s = line;
    let column = 0;
    let matched = 0;
    for (; matched < this.containers.length; matched += 1) {
      s = expand(s, column);
      const used = this.continues(this.containers[matched], s);
      if (used < 0) break;
      s = s.slice(used);
      column += used;
    }
    const all = matched === this.containers.length;
    if (all && this.insideFence(s, expand(s, column), whole)) return;
    s = expand(s, column);
    const lazy = !all && this.leaf !== null && this.leaf.type === 'p';
    if (!all && !lazy) this.close(matched);
    this.openBlocks(s, column, matched, lazy, whole);
  }

  /** @param {Container} one @param {string} s @returns {number} characters used, -1 when the line is not inside */
  continues(one, s) {
    const indent = indentOf(s);
    if (one.type === 'q') {
      if (indent > 3 || s[indent] !== '>') return -1;
      return indent + (s[indent + 1] === ' ' ? 2 : 1);
    }
    if (indent === s.length) return one.empty ? -1 : Math.min(indent, one.width);
    return indent >= one.width ? one.width : -1;
  }

  /** @param {string} raw tabs as they are @param {string} s @param {boolean} whole @returns {boolean} */
  insideFence(raw, s, whole) {
    const leaf = this.leaf;
    if (!leaf || leaf.type !== 'fence') return false;
    if (whole && closesFence(s, leaf.ch, leaf.size)) this.closeLeaf();
    else this.codeLine(leaf.indent ? s.slice(Math.min(indentOf(s), leaf.indent)) : raw, true);
    return true;
  }

  /**
   * @param {string} text @param {number} columnAt @param {number} matched @param {boolean} lazyStart @param {boolean} whole
   */
  openBlocks(text, columnAt, matched, lazyStart, whole) {
    let s = text;
    let column = columnAt;
    let lazy = lazyStart;
    for (;;) {
      const indent = indentOf(s);
      if (indent === s.length) return this.blank(lazy ? matched : this.containers.length);
      const paragraph = this.leaf !== null && this.leaf.type === 'p';
      if (indent > 3) {
        if (paragraph) break;
        return this.indentedLine(s.slice(4));
      }
      if (s[indent] === '>' && this.containers.length < DEEPEST) {
        this.enter(lazy, matched);
        const used = indent + (s[indent + 1] === ' ' || s[indent + 1] === '\t' ? 2 : 1);
        const tab = s[indent + 1] === '\t' ? ' '.repeat(3 - ((column + indent + 1) % 4)) : '';
        this.lists.length = Math.min(this.lists.length, this.containers.length);
        this.containers.push({ type: 'q', width: 0, block: -1, empty: false, used: false });
        s = expand(tab + s.slice(used), column + used);
        column += used;
      } else {
        const next = this.leafOrItem(s, column, lazy, matched, paragraph, whole);
        if (!next) return undefined;
        if (next.s === s) break;
        s = next.s;
        column = next.column;
      }
      lazy = false;
    }
    return this.textLine(s.slice(indentOf(s)), lazy, matched);
  }

  /** Leaving lazy continuation: what did not match ends now. @param {boolean} lazy @param {number} matched */
  enter(lazy, matched) {
    if (lazy) this.close(matched);
    else this.closeLeaf();
  }

  /**
   * @param {string} s @param {number} column @param {boolean} lazy @param {number} matched @param {boolean} paragraph @param {boolean} whole
   * @returns {{ s: string, column: number } | null} the rest of the line, the same text when it is plain text, null when used up
   */
  leafOrItem(s, column, lazy, matched, paragraph, whole) {
    const head = heading(s);
    if (head) {
      this.enter(lazy, matched);
      this.openHeading(head, whole);
      return null;
    }
    const opening = fence(s);
    if (opening && (whole || opening.lang === '')) {
      this.enter(lazy, matched);
      this.emit({ k: 'code', lang: opening.lang, l: [], open: true });
      const { ch, size, indent, lang } = opening;
      this.leaf = { type: 'fence', ch, size, indent, done: 0, colour: START, lang };
      return null;
    }
    if (paragraph && !lazy && this.paragraphEnds(s)) return null;
    if (rule(s)) {
      this.enter(lazy, matched);
      this.emit({ k: 'hr' });
      this.leaf = whole ? null : { type: 'skip' };
      return null;
    }
    const marker = listMarker(s);
    if (!marker || this.containers.length >= DEEPEST || (paragraph && (this.inSameItem(lazy, matched)) && (!marker.rest.trim() || marker.number > 1))) {
      return { s, column };
    }
    this.enter(lazy, matched);
    return this.openItem(marker, s, column);
  }

  /** A marker may not break into a paragraph unless it has text (and counts from 1). @param {boolean} lazy @param {number} matched @returns {boolean} */
  inSameItem(lazy, matched) {
    return !lazy || this.containers[matched].type !== 'li';
  }

  /** @param {NonNullable<ReturnType<typeof listMarker>>} marker @param {string} s @param {number} column @returns {{ s: string, column: number }} */
  openItem(marker, s, column) {
    const at = marker.before + marker.size;
    const rest = expand(marker.rest, column + at);
    const gap = indentOf(rest);
    const blank = gap === rest.length;
    const pad = blank || gap > 4 ? 1 : gap;
    const depth = this.containers.length;
    const before = this.lists[depth];
    const n = before && before.type === marker.type ? before.n + 1 : marker.number;
    this.lists.length = depth;
    this.lists[depth] = { type: marker.type, n };
    this.containers.push({ type: 'li', width: at + pad, block: this.blocks.length, empty: blank, used: false });
    this.push({ k: 'li', m: marker.number < 0 ? '•' : n + marker.type, r: [] });
    return { s: rest.slice(Math.min(pad, rest.length)), column: column + at + pad };
  }

  /** @param {{ level: number, text: string }} head @param {boolean} whole */
  openHeading(head, whole) {
    const block = this.emit({ k: 'h', n: head.level, r: [] });
    const text = new Paragraph(this.hosts, this.work);
    text.add(head.text, false);
    this.leaf = { type: 'h', text };
    if (whole) this.closeLeaf();
    else text.freeze(/** @type {Run[]} */ (block.r), false);
  }

  /** Setext underline or table delimiter row after an open paragraph. @param {string} s @returns {boolean} */
  paragraphEnds(s) {
    const leaf = this.leaf;
    if (!leaf || leaf.type !== 'p') return false;
    const block = this.blocks[this.blocks.length - 1];
    const level = underline(s);
    if (level && block.k === 'p') {
      this.blocks[this.blocks.length - 1] = Object.assign({}, block, { k: 'h', n: level });
      this.closeLeaf();
      return true;
    }
    const align = columns(s);
    const line = leaf.text.raw.slice(leaf.text.lineStart);
    if (!align || line.indexOf('|') < 0) return false;
    const head = cells(line);
    if (head.length !== align.length) return false;
    leaf.text.raw = leaf.text.raw.slice(0, leaf.text.lineStart);
    const empty = !leaf.text.raw && !leaf.text.frozen;
    this.closeLeaf();
    if (empty && block.k === 'p') this.blocks.pop();
    this.emit({ k: 'table', a: align, hd: head.map((cell) => runsOf(cell, this.hosts, this.work)), rows: [] });
    this.leaf = { type: 'row', raw: '', done: 0, columns: align.length };
    return true;
  }

  /** @param {number} keep containers that stay open */
  blank(keep) {
    const leaf = this.leaf;
    if (leaf && leaf.type === 'indented') {
      leaf.blanks += 1;
      return;
    }
    this.close(keep);
  }

  /** @param {string} text @param {boolean} lazy @param {number} matched */
  textLine(text, lazy, matched) {
    const leaf = this.leaf;
    if (leaf && leaf.type === 'p') {
      leaf.text.add(text, true);
      this.freeze();
      return;
    }
    if (leaf && leaf.type === 'row' && !lazy) {
      leaf.raw = text;
      return;
    }
    if (lazy) this.close(matched);
    this.openParagraph(text);
  }

  /** @param {string} text */
  openParagraph(text) {
    this.closeLeaf();
    const top = this.containers[this.containers.length - 1];
    const paragraph = new Paragraph(this.hosts, this.work);
    let s = text;
    if (top && top.type === 'li' && !top.used && top.block === this.blocks.length - 1) {
      const task = /^\[([ xX])\][ \t]+/.exec(s);
      if (task) {
        this.blocks[top.block] = Object.assign({}, this.blocks[top.block], { c: task[1] !== ' ' });
        s = s.slice(task[0].length);
      }
    } else this.emit({ k: 'p', r: [] });
    if (top) {
      top.empty = false;
      top.used = true;
    }
    paragraph.add(s, false);
    this.leaf = { type: 'p', text: paragraph };
    this.freeze();
  }

  freeze() {
    const leaf = this.leaf;
    const block = this.blocks[this.blocks.length - 1];
    if (this.trial || !leaf || !('text' in leaf) || !block.r) return;
    leaf.text.freeze(block.r, leaf.text.raw.indexOf('|', leaf.text.lineStart) >= 0);
  }

  /** @param {string} text */
  indentedLine(text) {
    let leaf = this.leaf;
    if (!leaf || leaf.type !== 'indented') {
      this.closeLeaf();
      this.emit({ k: 'code', lang: '', l: [] });
      leaf = { type: 'indented', blanks: 0, done: 0 };
      this.leaf = leaf;
    }
    const lines = /** @type {Run[][]} */ (this.blocks[this.blocks.length - 1].l);
    for (; leaf.blanks > 0; leaf.blanks -= 1) lines.push([]);
    lines.push(text ? [{ t: text }] : []);
    leaf.done = lines.length - 1;
  }

  /** @param {string} text @param {boolean} fresh a new line, not the rest of one */
  codeLine(text, fresh) {
    const leaf = this.leaf;
    if (!leaf || leaf.type !== 'fence') return;
    const lines = /** @type {Run[][]} */ (this.blocks[this.blocks.length - 1].l);
    const coloured = highlightLine(text, leaf.colour, leaf.lang);
    if (fresh || !lines.length) lines.push(coloured.runs);
    else lines[lines.length - 1] = lines[lines.length - 1].concat(coloured.runs);
    leaf.colour = coloured.state;
    leaf.done = lines.length - 1;
  }

  /** The rest of a line that is too long to wait for its end. @param {string} text */
  moreLine(text) {
    this.work.lineChars += text.length;
    const leaf = this.leaf;
    if (!leaf) {
      if (text.trim()) this.openParagraph(text.replace(/^[ \t]+/, ''));
    } else if (leaf.type === 'fence') this.codeLine(text, false);
    else if (leaf.type === 'row') leaf.raw += text;
    else if (leaf.type === 'p' || leaf.type === 'h') {
      leaf.text.add(text, false);
      this.freeze();
    } else if (leaf.type === 'indented') {
      const lines = /** @type {Run[][]} */ (this.blocks[this.blocks.length - 1].l);
      lines[lines.length - 1] = lines[lines.length - 1].concat([{ t: text }]);
      leaf.done = lines.length - 1;
    }
  }

  /** The line is over. */
  endLine() {
    const leaf = this.leaf;
    if (!leaf) return;
    if (leaf.type === 'h' || leaf.type === 'skip') this.closeLeaf();
    else if (leaf.type === 'row' && leaf.raw) {
      const rows = /** @type {Run[][][]} */ (this.blocks[this.blocks.length - 1].rows);
      const row = cells(leaf.raw).slice(0, leaf.columns);
      while (row.length < leaf.columns) row.push('');
      rows.push(row.map((cell) => runsOf(cell, this.hosts, this.work)));
      leaf.raw = '';
      leaf.done = rows.length;
    } else if (leaf.type === 'fence') {
      leaf.done = /** @type {Run[][]} */ (this.blocks[this.blocks.length - 1].l).length;
    }
  }

  /** Shows what an open paragraph holds, for now. @param {boolean} hideTableHead */
  preview(hideTableHead) {
    const leaf = this.leaf;
    if (!leaf || !('text' in leaf)) return;
    const { text } = leaf;
    const hide = hideTableHead && text.raw[text.lineStart] === '|';
    text.preview(/** @type {Run[]} */ (this.blocks[this.blocks.length - 1].r), hide);
  }

  /** @param {number} keep */
  close(keep) {
    this.closeLeaf();
    this.containers.length = keep;
  }

  closeLeaf() {
    const leaf = this.leaf;
    const last = this.blocks.length - 1;
    if (leaf && 'text' in leaf) leaf.text.finish(/** @type {Run[]} */ (this.blocks[last].r));
    if (leaf && leaf.type === 'fence') {
      const closed = Object.assign({}, this.blocks[last]);
      delete closed.open;
      this.blocks[last] = closed;
    }
    this.leaf = null;
  }

  /** A block that is not a list item ends the lists at its depth. @param {Block} block @returns {Block} */
  emit(block) {
    this.lists.length = Math.min(this.lists.length, this.containers.length);
    const top = this.containers[this.containers.length - 1];
    if (top) {
      top.empty = false;
      top.used = true;
    }
    return this.push(block);
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
}

/** @param {Block} block @returns {unknown[]} the runs, lines or rows */
function itemsOf(block) {
  return block.rows || block.l || block.r || [];
}

module.exports = { BlockMachine };
