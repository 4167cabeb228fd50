'use strict';
/**
 * The examples of the CommonMark specification, as far as flat blocks can show them.
 *
 * Blocks are written out as a plain notation and compared with the same notation made from the example's HTML: text, emphasis, code, links,
 * headings, rules, code blocks, quotes and list depth. What this dialect leaves out on purpose is listed below and not counted as passed.
 */
const test = require('node:test');
const assert = require('node:assert/strict');
const spec = require('commonmark-spec');
const { parse, codeOf } = require('../../miniprogram/core/markdown');
const { notationOfHtml, notationOfBlocks } = require('./notation');

/**
 * [passed, all] of each section: 487 of 561 in sum. Shown by `node tests/js/commonmark.test.js --list -v`. The others need reference links, raw
 * HTML, or have bare links (GFM has them, CommonMark not).
 */
const PASSED = require('./commonmark_passed.json');

/** Sections that this dialect does not have: reference links may come after frozen text, HTML stays visible text. */
const LEFT_OUT = ['Link reference definitions', 'HTML blocks', 'Raw HTML'];

function check(example) {
  const markdown = example.markdown.replace(/→/g, '\t');
  const html = example.html.replace(/→/g, '\t');
  return { expected: notationOfHtml(html), actual: notationOfBlocks(parse(markdown), codeOf) };
}

const sections = {};
spec.tests.forEach((example) => {
  if (LEFT_OUT.includes(example.section)) return;
  const one = sections[example.section] || (sections[example.section] = { passed: 0, all: 0, failed: [] });
  one.all += 1;
  const { expected, actual } = check(example);
  if (JSON.stringify(expected) === JSON.stringify(actual)) one.passed += 1;
  else one.failed.push({ number: example.number, markdown: example.markdown, expected, actual });
});

if (process.argv.includes('--list')) {
  Object.keys(sections).forEach((name) => {
    console.log(`${name}: ${sections[name].passed} of ${sections[name].all}`);
    if (process.argv.includes('-v')) sections[name].failed.forEach((one) => console.log(JSON.stringify(one)));
  });
  console.log(JSON.stringify(Object.fromEntries(Object.keys(sections).map((name) => [name, [sections[name].passed, sections[name].all]]))));
}

Object.keys(sections).forEach((name) => {
  test(`CommonMark, ${name}: ${sections[name].passed} of ${sections[name].all}`, () => {
    const [passed, all] = PASSED[name];
    assert.equal(sections[name].all, all);
    assert.equal(sections[name].passed, passed, `passed changed; now failing: ${sections[name].failed.map((one) => one.number)}`);
  });
});

test('no example throws, in the sections that are left out too', () => {
  spec.tests.forEach((example) => assert.ok(Array.isArray(parse(example.markdown))));
});
