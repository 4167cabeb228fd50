/**
 * Lines in, flat blocks out. The machine reads each line once; what a block says is final as soon as no later line can change it.
 *
 * It decides to what a line belongs and what begins in it. Only the leaf that is open (leaves.js) may still change; `stable()` tells
 * from where.
 */

const { indentOf, expand, heading, fence, closesFence, rule, underline, listMarker, columns, cells } = require('./block_starts');
const { BlockBuilder } = require('./block_builder');
const { Fence, Indented, Rows } = require('./leaves');

/**
 * @typedef {import('./block_list').Container} Container
 * @typedef {import('./leaves').Running} Running
 */

class BlockMachine extends BlockBuilder {
  /** The beginning of a line, or a whole one. @param {string} line @param {boolean} whole */
  startLine(line, whole) {
    this.work.lineChars += line.length;
    const { containers } = this.list;
    let s = line;
    let column = 0;
    let matched = 0;
    for (; matched < containers.length; matched += 1) {
      s = expand(s, column);
      const used = continues(containers[matched], s);
      if (used < 0) break;
      s = s.slice(used);
      column += used;
    }
    const all = matched === containers.length;
    if (all && this.insideFence(s, expand(s, column), whole)) return;
    s = expand(s, column);
    const lazy = !all && this.paragraph !== null;
    if (!all && !lazy) this.close(matched);
    this.openBlocks(s, column, matched, lazy, whole);
  }

  /** @param {string} raw tabs as they are @param {string} s @param {boolean} whole @returns {boolean} */
  insideFence(raw, s, whole) {
    const { leaf } = this;
    if (!(leaf instanceof Fence)) return false;
    const { ch, size, indent } = leaf.opening;
    if (whole && closesFence(s, ch, size)) this.closeLeaf();
    else leaf.line(indent ? s.slice(Math.min(indentOf(s), indent)) : raw);
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
      if (indent === s.length) return this.blank(lazy ? matched : this.list.containers.length);
      if (indent > 3) {
        if (this.paragraph) break;
        return this.indentedLine(s.slice(4));
      }
      if (s[indent] === '>' && !this.list.full) {
        this.enter(lazy, matched);
        const used = indent + (s[indent + 1] === ' ' || s[indent + 1] === '\t' ? 2 : 1);
        const tab = s[indent + 1] === '\t' ? ' '.repeat(3 - ((column + indent + 1) % 4)) : '';
        this.list.quote();
        s = expand(tab + s.slice(used), column + used);
        column += used;
      } else {
        const next = this.leafOrItem(s, column, lazy, matched, whole);
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
   * @param {string} s @param {number} column @param {boolean} lazy @param {number} matched @param {boolean} whole
   * @returns {{ s: string, column: number } | null} the rest of the line, the same text when it is plain text, null when used up
   */
  leafOrItem(s, column, lazy, matched, whole) {
    const head = heading(s);
    if (head) {
      this.enter(lazy, matched);
      this.openHeading(head, whole);
      return null;
    }
    const opening = fence(s);
    if (opening && (whole || opening.lang === '')) {
      this.enter(lazy, matched);
      this.openFence(opening);
      return null;
    }
    const { paragraph } = this;
    if (paragraph && !lazy && this.paragraphEnds(paragraph, s)) return null;
    if (rule(s)) {
      this.enter(lazy, matched);
      this.openRule(whole);
      return null;
    }
    const marker = listMarker(s);
    // A marker may not break into a paragraph of the same item unless it has text (and counts from 1).
    const breaksIn = paragraph && (!lazy || this.list.containers[matched].type !== 'li');
    if (!marker || this.list.full || (breaksIn && (!marker.rest.trim() || marker.number > 1))) return { s, column };
    this.enter(lazy, matched);
    return this.openItem(marker, column);
  }

  /** @param {NonNullable<ReturnType<typeof listMarker>>} marker @param {number} column @returns {{ s: string, column: number }} */
  openItem(marker, column) {
    const at = marker.before + marker.size;
    const rest = expand(marker.rest, column + at);
    const gap = indentOf(rest);
    const blank = gap === rest.length;
    const pad = blank || gap > 4 ? 1 : gap;
    this.list.item(marker, at + pad, blank);
    return { s: rest.slice(Math.min(pad, rest.length)), column: column + at + pad };
  }

  /** Setext underline or table delimiter row after an open paragraph. @param {Running} leaf @param {string} s @returns {boolean} */
  paragraphEnds(leaf, s) {
    const block = this.list.last;
    const level = underline(s);
    if (level && block.k === 'p') {
      this.list.replaceLast(Object.assign({}, block, { k: 'h', n: level }));
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
    this.openTable(head, align);
    return true;
  }

  /** @param {number} keep containers that stay open */
  blank(keep) {
    if (this.leaf instanceof Indented) this.leaf.blanks += 1;
    else this.close(keep);
  }

  /** @param {string} text @param {boolean} lazy @param {number} matched */
  textLine(text, lazy, matched) {
    const { leaf, paragraph } = this;
    if (paragraph) return paragraph.add(text, true);
    if (leaf instanceof Rows && !lazy) {
      leaf.raw = text;
      return undefined;
    }
    if (lazy) this.close(matched);
    return this.openParagraph(text);
  }
}

/** @param {Container} one @param {string} s @returns {number} characters used, -1 when the line is not inside */
function continues(one, s) {
  const indent = indentOf(s);
  if (one.type === 'q') {
    if (indent > 3 || s[indent] !== '>') return -1;
    return indent + (s[indent + 1] === ' ' ? 2 : 1);
  }
  if (indent === s.length) return one.empty ? -1 : Math.min(indent, one.width);
  return indent >= one.width ? one.width : -1;
}

module.exports = { BlockMachine };
