'use strict';
const test = require('node:test');
const assert = require('node:assert/strict');
const fc = require('fast-check');
const { Answer } = require('../../miniprogram/stores/answer');
const { parse } = require('../../miniprogram/core/markdown');
const { FakeClock } = require('./fake_clock');
const { PageModel, drawn } = require('./page_model');
const { mixedAnswer, englishAnswer, randomOf, cut } = require('./answers');

/** Streams a text, one delta per `every` ms, into one answer component. */
function streamed(text, seed, every, least = 8, most = 20) {
  const clock = new FakeClock();
  const answer = new Answer({ clock, imageHosts: [], instant: false });
  const page = new PageModel({});
  answer.watch((patch) => page.setData(patch));
  const parts = cut(text, randomOf(seed), least, most);
  let shown = '';
  const run = (ms) => {
    const end = clock.time + ms;
    for (;;) {
      const due = clock.timers.filter((one) => one.at <= end).sort((a, b) => a.at - b.at || a.serial - b.serial)[0];
      if (!due) break;
      clock.timers = clock.timers.filter((one) => one !== due);
      clock.time = Math.max(clock.time, due.at);
      due.run();
    }
    clock.time = end;
  };
  parts.forEach((part, index) => {
    shown += part;
    answer.update({ text: shown, reasoning: '', revision: 0, done: index === parts.length - 1 });
    run(every);
  });
  return { page, answer };
}

const CASES = { 'mixed Chinese and English': mixedAnswer(20000), 'English prose only': englishAnswer(20000), 'Chinese only': '一段没有英文的中文回答，说明了很多事情。\n\n- 第一点\n- **第二点**\n\n'.repeat(540) };
Object.keys(CASES).forEach((name) => {
  [20, 80, 100].forEach((every) => {
    test(`setData bytes stay below 3 times the answer's: ${name}, a delta per ${every} ms`, (t) => {
      const text = CASES[name];
      const { page } = streamed(text, 42, every);
      assert.deepEqual(drawn(page.data.b), drawn(parse(text)));
      const ratio = page.bytes / Buffer.byteLength(text);
      t.diagnostic(`${ratio.toFixed(2)} bytes of setData per byte, ${page.calls} calls`);
      assert.ok(ratio <= 3, `ratio ${ratio}`);
    });
  });
});

test('the page shows at every moment a beginning of the answer, and in the end all of it', () => {
  fc.assert(fc.property(fc.integer(), fc.integer({ min: 200, max: 2500 }), fc.integer({ min: 5, max: 300 }), (seed, size, every) => {
    const text = mixedAnswer(size, seed);
    const { page } = streamed(text, seed, every, 1, 60);
    assert.deepEqual(drawn(page.data.b), drawn(parse(text)));
  }), { numRuns: 60 });
});

test('text taken back leaves the page, what stays is right', () => {
  const clock = new FakeClock();
  const answer = new Answer({ clock, imageHosts: [], instant: true });
  const page = new PageModel({});
  answer.watch((patch) => page.setData(patch));
  answer.update({ text: '# One\n\nTwo **three** four', reasoning: '', revision: 0, done: false });
  clock.timers.splice(0).forEach((timer) => timer.run());
  assert.equal(page.data.b.length, 2);
  answer.update({ text: '# One', reasoning: '', revision: 1, done: true });
  assert.deepEqual(drawn(page.data.b), drawn(parse('# One')));
  assert.ok(!JSON.stringify(page.data).includes('three'));
});
