'use strict';
// Whatever can be touched says what it is: every element of our templates that listens to a tap has a role and a name.
const test = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');

const SOURCE = path.join(__dirname, '../../miniprogram');
const TAG = /<([a-z][\w-]*)((?:\s+[\w:.-]+(?:="[^"]*")?)*)\s*\/?>/g;
const templates = fs.readdirSync(SOURCE, { recursive: true }).map(String).filter((file) => file.endsWith('.wxml') && !file.includes('miniprogram_npm'));

/** Tags with a tap handler, as [file, tag, attributes]. */
const tappable = templates.flatMap((file) => [...fs.readFileSync(path.join(SOURCE, file), 'utf8').matchAll(TAG)]
  .filter((found) => /\s(?:bind|catch):?tap=/.test(found[2])).map((found) => [file, found[1], found[2]]));

test('there is something to look at', () => assert.ok(tappable.length > 40, `${tappable.length}`));

test('every tappable element has a role, and a name where its own words do not say it', () => {
  const silent = tappable.filter(([, tag, attributes]) => {
    // A TDesign button is one already; a word of a text or a picture in it is named by its own words.
    const role = /\saria-role="[^"]+"/.test(attributes) || tag === 't-button' || tag === 'image';
    const name = /\saria-label="[^"]+"/.test(attributes) || /\sclass="run /.test(attributes) || tag === 't-button';
    return !role || !name;
  }).map(([file, tag, attributes]) => `${file}: <${tag}${attributes.slice(0, 90)}`);
  assert.deepEqual(silent, []);
});

test('names are texts of the program, not words in a template', () => {
  const fixed = tappable.filter(([, , attributes]) => /\saria-label="[^"{]+"/.test(attributes)).map(([file, , attributes]) => file + attributes);
  assert.deepEqual(fixed, []);
});
