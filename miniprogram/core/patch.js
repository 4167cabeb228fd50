/**
 * From the blocks that a page shows to the blocks it should show: the smallest `setData` paths.
 *
 * Only what the parser calls unstable is compared. Setting a shorter array needs the whole array, so a run that vanished becomes
 * empty and a block that vanished becomes `{k: 'none'}`; both draw nothing and are reused when the text grows.
 */

/**
 * @typedef {import('./block_list').Block} Block
 * @typedef {Record<string, unknown>} Patch
 * @typedef {{ head: Record<string, unknown>, key: string, items: unknown[] }} Sent
 */

const EMPTY_RUN = { t: '' };

class BlockPatcher {
  /** @param {string} [name] of the data field that holds the blocks */
  constructor(name) {
    this.name = name || 'b';
    /** @type {Sent[]} */ this.sent = [];
    /** bytes handed over so far, as JSON in UTF-8 */
    this.bytes = 0;
  }

  /** @param {ReadonlyArray<Block>} blocks @param {[number, number]} from first [block, item] that may differ @returns {Patch} */
  update(blocks, from) {
    /** @type {Patch} */ const out = {};
    for (let index = from[0]; index < blocks.length; index += 1) {
      this.block(`${this.name}[${index}]`, index, blocks[index], index === from[0] ? from[1] : 0, out);
    }
    for (let index = blocks.length; index < this.sent.length; index += 1) {
      if (this.sent[index].head.k !== 'none') {
        out[`${this.name}[${index}]`] = { k: 'none' };
        this.sent[index] = { head: { k: 'none' }, key: '', items: [] };
      }
    }
    this.bytes += sizeOf(out);
    return out;
  }

  /** Starts again from nothing. @returns {Patch} */
  reset() {
    this.sent = [];
    return { [this.name]: [] };
  }

  /** @param {string} path @param {number} index @param {Block} block @param {number} from @param {Patch} out */
  block(path, index, block, from, out) {
    const next = split(block);
    const before = this.sent[index];
    if (!before || before.key !== next.key) {
      out[path] = copy(block, next.key);
      this.sent[index] = { head: next.head, key: next.key, items: next.items.slice() };
      return;
    }
    const names = Object.keys(Object.assign({}, before.head, next.head));
    names.forEach((name) => {
      if (same(before.head[name], next.head[name])) return;
      out[`${path}.${name}`] = next.head[name] === undefined ? false : next.head[name];
    });
    before.head = next.head;
    if (next.key) this.items(`${path}.${next.key}`, before, next.items, from, out);
  }

  /** @param {string} path @param {Sent} before @param {unknown[]} items @param {number} from @param {Patch} out */
  items(path, before, items, from, out) {
    if (items.length < before.items.length && before.key !== 'r') {
      out[path] = items.slice();
      before.items = items.slice();
      return;
    }
    for (let at = from; at < items.length; at += 1) {
      if (at >= before.items.length) out[`${path}[${at}]`] = items[at];
      else change(`${path}[${at}]`, before.items[at], items[at], out);
      before.items[at] = items[at];
    }
    for (let at = Math.max(from, items.length); at < before.items.length; at += 1) {
      change(`${path}[${at}]`, before.items[at], EMPTY_RUN, out);
      before.items[at] = EMPTY_RUN;
    }
  }
}

/** @param {Block} block @returns {Sent} */
function split(block) {
  const key = block.rows ? 'rows' : block.l ? 'l' : block.r ? 'r' : '';
  /** @type {Record<string, unknown>} */ const head = Object.assign({}, block);
  const items = key ? /** @type {unknown[]} */ (head[key]) : [];
  if (key) delete head[key];
  return { head, key, items };
}

/** The parser goes on writing to its arrays: what leaves is a copy. @param {Block} block @param {string} key @returns {Block} */
function copy(block, key) {
  /** @type {Record<string, unknown>} */ const out = Object.assign({}, block);
  if (key) out[key] = /** @type {unknown[]} */ (out[key]).slice();
  return /** @type {Block} */ (out);
}

/** The cheaper of: the whole value, or only the members that differ. @param {string} path @param {unknown} a @param {unknown} b @param {Patch} out */
function change(path, a, b, out) {
  if (same(a, b)) return;
  /** @type {Patch} */ const parts = {};
  if (Array.isArray(a) && Array.isArray(b) && b.length >= a.length) {
    b.forEach((one, at) => {
      if (at >= a.length) parts[`${path}[${at}]`] = one;
      else change(`${path}[${at}]`, a[at], one, parts);
    });
  } else if (isRun(a) && isRun(b) && a.s === b.s && a.u === b.u) parts[`${path}.t`] = b.t;
  else {
    out[path] = b;
    return;
  }
  if (sizeOf(parts) <= sizeOf({ [path]: b })) Object.assign(out, parts);
  else out[path] = b;
}

/** @param {unknown} value @returns {value is import('./inline').Run} */
function isRun(value) {
  return value !== null && typeof value === 'object' && typeof (/** @type {{ t?: unknown }} */ (value).t) === 'string';
}

/** @param {unknown} a @param {unknown} b @returns {boolean} */
function same(a, b) {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** Bytes of a value as JSON in UTF-8. @param {unknown} value @returns {number} */
function sizeOf(value) {
  const json = JSON.stringify(value);
  return json === undefined ? 0 : byteLength(json);
}

/** @param {string} text @returns {number} */
function byteLength(text) {
  let bytes = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    bytes += unit < 0x80 ? 1 : unit < 0x800 ? 2 : unit >= 0xd800 && unit <= 0xdfff ? 2 : 3;
  }
  return bytes;
}

module.exports = { BlockPatcher, byteLength, sizeOf };
