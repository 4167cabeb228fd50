/** What the service says of the data it holds: the parts of an export, and what an erasure leaves behind. */

const { object, list, string, whole } = require('./shape');

/**
 * @typedef {'json'|'markdown'} Format
 * @typedef {{ name: string, content: string, next: string, records: number }} Part
 * @typedef {{ id: string, held: boolean, erasedAt: number, records: number, remains: Array<{ zh: string, en: string }>, signature: string, words: string }} Erasure
 */

/** A name that may be given to a file of ours. @param {string} name @returns {string} */
function fileName(name) {
  const plain = name.replace(/[^\w.-]+/g, '-').replace(/^[.-]+/, '').slice(-80);
  return plain || 'yunliao-export';
}

/** @param {unknown} value @returns {Part | null} null when it is no part of a file */
function readPart(value) {
  const from = object(value);
  if (typeof from.content !== 'string' || !from.name) return null;
  return { name: fileName(string(from.name)), content: from.content, next: string(from.next), records: whole(from.records) };
}

/** @param {unknown} value @returns {Erasure | null} null when it is no receipt */
function readErasure(value) {
  const from = object(value);
  const id = string(from.id);
  if (!id) return null;
  const records = object(from.records);
  return {
    id, held: from.held === true, erasedAt: whole(from.erased_at), records: Object.keys(records).reduce((sum, name) => sum + whole(records[name]), 0),
    remains: list(from.remains).map(object).map((one) => ({ zh: string(one.text), en: string(one.text_en) })).filter((one) => one.zh || one.en),
    signature: string(from.signature), words: JSON.stringify(value)
  };
}

/** `12.3 KB` @param {number} bytes @returns {string} */
function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  const kilo = bytes / 1024;
  return kilo < 1024 ? `${kilo.toFixed(kilo < 100 ? 1 : 0)} KB` : `${(kilo / 1024).toFixed(1)} MB`;
}

/** Bytes of a text in UTF-8. @param {string} text @returns {number} */
function bytesOf(text) {
  let bytes = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (unit >= 0xd800 && unit <= 0xdbff) {
      bytes += 4;
      at += 1;
    } else bytes += 3;
  }
  return bytes;
}

module.exports = { readPart, readErasure, fileName, size, bytesOf };
