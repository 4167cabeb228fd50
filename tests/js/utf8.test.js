'use strict';
const test = require('node:test');
const assert = require('node:assert/strict');
const fc = require('fast-check');
const { Utf8Decoder } = require('../../miniprogram/core/utf8');

/** @param {Uint8Array} bytes @param {number[]} cuts */
function decode(bytes, cuts) {
  const decoder = new Utf8Decoder();
  let text = '';
  let from = 0;
  cuts.map((one) => one % (bytes.length + 1)).sort((a, b) => a - b).concat(bytes.length).forEach((to) => {
    text += decoder.decode(bytes.subarray(from, to));
    from = to;
  });
  return text + decoder.finish();
}

const nasty = fc.array(fc.constantFrom(0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbb, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xe4, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff), { maxLength: 30 }).map((list) => Uint8Array.from(list));

test('bytes of any kind, cut anywhere, decode as the WHATWG decoder does', () => {
  fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), nasty), fc.array(fc.nat(), { maxLength: 8 }), (bytes, cuts) => {
    assert.equal(decode(bytes, cuts), new TextDecoder('utf-8').decode(bytes));
  }), { numRuns: 5000 });
});

test('text, cut at every single byte, comes back', () => {
  const text = 'plain, 中文, emoji 😀👨‍👩‍👧, \u{10ffff}, ñ';
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at <= bytes.length; at += 1) assert.equal(decode(bytes, [at]), text);
  assert.equal(decode(bytes, Array.from(bytes, (_, at) => at)), text);
});
