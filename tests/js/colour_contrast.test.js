'use strict';
// Colours of both themes against WCAG 2.2: 4.5 for text (1.4.3), 3 for what is only a picture or a border of a control (1.4.11).
const test = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');

const STYLES = path.join(__dirname, '../../miniprogram');
const TOKENS = fs.readFileSync(path.join(STYLES, 'styles/tokens.wxss'), 'utf8');

/** @returns {Record<string, string>} colours of a theme by name */
function theme(name) {
  const block = new RegExp(`\\.theme-${name} \\{([^}]*)\\}`).exec(TOKENS)[1];
  return Object.fromEntries([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)].map((found) => [found[1], found[2]]));
}

/** Relative luminance of `#rrggbb`. */
function luminance(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

/** What stands on what: [foreground, backgrounds]. */
const TEXT = [
  ['text', ['page', 'ground', 'surface', 'sunken', 'pressed', 'mine', 'code']],
  ['soft', ['page', 'ground', 'surface', 'sunken', 'code', 'pressed']],
  ['faint', ['page', 'ground', 'surface', 'sunken']],
  ['accent', ['page', 'surface', 'accent-soft', 'ground']],
  ['danger', ['page', 'surface', 'danger-soft']],
  ['warn', ['warn-soft']],
  ['on-fill', ['fill']], ['on-danger', ['danger']],
  ['code-key', ['code']], ['code-string', ['code']], ['code-number', ['code']], ['code-comment', ['code']], ['code-name', ['code']],
  ['page', ['text']]
];
const SHAPES = [['off', ['surface', 'ground']], ['fill', ['page', 'surface']]];

for (const name of ['light', 'dark']) {
  test(`${name}: every text colour on every ground it stands on`, () => {
    const colours = theme(name);
    const poor = [];
    const check = (least) => ([front, grounds]) => grounds.forEach((ground) => {
      assert.ok(colours[front] && colours[ground], `${front} on ${ground}: no such colour`);
      const ratio = contrast(colours[front], colours[ground]);
      if (ratio < least) poor.push(`${front} on ${ground}: ${ratio.toFixed(2)} < ${least}`);
    });
    TEXT.forEach(check(4.5));
    SHAPES.forEach(check(3));
    assert.deepEqual(poor, []);
  });
}

test('the measure itself: black on white is 21, grey #767676 is the lightest that passes', () => {
  assert.equal(Math.round(contrast('#000000', '#ffffff')), 21);
  assert.ok(contrast('#767676', '#ffffff') >= 4.5);
  assert.ok(contrast('#777777', '#ffffff') < 4.5);
});

test('colours come from the tokens: no page or component names one of its own', () => {
  const files = fs.readdirSync(STYLES, { recursive: true }).map(String).filter((file) => file.endsWith('.wxss') && !/miniprogram_npm|tokens\.wxss|icons\.wxss/.test(file));
  const own = files.flatMap((file) => fs.readFileSync(path.join(STYLES, file), 'utf8').split('\n')
    .filter((line) => /(?:^|[\s{;])(?:color|background|border[\w-]*):[^;]*#[0-9a-f]{3,8}/i.test(line) && !/^page \{|^\s*page|background: #(?:ffffff|14161a); }?$/.test(line.trim()))
    .map((line) => `${file}: ${line.trim()}`));
  assert.deepEqual(own.filter((line) => !/^app\.wxss/.test(line)), []);
});
