'use strict';
const test = require('node:test');
const assert = require('node:assert/strict');
const fc = require('fast-check');
const { Pacer } = require('../../miniprogram/core/pacer');
const { highlightLine, START } = require('../../miniprogram/core/highlight');
const { Throttle } = require('../../miniprogram/core/throttle');
const { backoff } = require('../../miniprogram/core/backoff');
const { clientId } = require('../../miniprogram/core/ids');
const { withLabel, withCodeLabel, validLabel } = require('../../miniprogram/core/label');
const outbox = require('../../miniprogram/core/outbox');
const format = require('../../miniprogram/core/format');
const { byteLength } = require('../../miniprogram/core/patch');
const { FakeClock } = require('./fake_clock');

test('the pacer never shows less than what was here 400 ms ago, never goes back, never splits a character', () => {
  fc.assert(fc.property(fc.array(fc.record({ wait: fc.integer({ min: 0, max: 300 }), size: fc.integer({ min: 0, max: 400 }) }), { maxLength: 40 }), (bursts) => {
    const pacer = new Pacer({});
    let text = '';
    let now = 1000;
    let frame = 1000;
    let shown = 0;
    const arrived = [];
    bursts.forEach((burst) => {
      now += burst.wait;
      for (; frame <= now; frame += 80) {
        const next = pacer.take(text, frame);
        assert.ok(next >= shown && next <= text.length);
        const due = arrived.filter((one) => one.at <= frame - 400).map((one) => one.length).pop() || 0;
        assert.ok(next >= due, `${next} of ${due} after 400 ms`);
        assert.equal(/[\ud800-\udbff]$/.test(text.slice(0, next)), false);
        shown = next;
      }
      text += '😀'.repeat(burst.size);
      pacer.push(text.length, now);
      arrived.push({ at: now, length: text.length });
    });
    assert.equal(pacer.flush(), text.length);
  }), { numRuns: 300 });
});

test('the pacer spreads a burst over several frames, and not at all with reduced motion', () => {
  const text = 'x'.repeat(400);
  const pacer = new Pacer({});
  pacer.push(400, 1000);
  const first = pacer.take(text, 1080);
  assert.ok(first > 0 && first < 300, String(first));
  const instant = new Pacer({ instant: true });
  instant.push(400, 1000);
  assert.equal(instant.take(text, 1001), 400);
});

test('highlighted runs joined are the line, in every language', () => {
  fc.assert(fc.property(
    fc.constantFrom('js', 'ts', 'python', 'java', 'c++', 'go', 'rust', 'bash', 'json', 'sql', 'html', 'css', 'yaml', 'text', '', 'brainfuck', 'constructor', '__proto__'),
    fc.array(fc.string({ unit: fc.constantFrom(...'ab1 "\'`/*#<>=-$@(){}.\\中😀'), maxLength: 30 }), { maxLength: 6 }),
    (name, lines) => {
      let state = START;
      lines.forEach((line) => {
        const done = highlightLine(line, state, name);
        assert.equal(done.runs.map((run) => run.t).join(''), line);
        done.runs.forEach((run) => assert.ok(run.t.length > 0));
        state = done.state;
      });
    }
  ), { numRuns: 800 });
});

test('highlighting knows comments over lines, strings, keywords, numbers', () => {
  const marks = (line, state, name) => highlightLine(line, state, name).runs.map((run) => [run.t.trim(), run.s]);
  assert.deepEqual(marks('const a = 0x1f; // end', START, 'ts'), [['const', 'hk'], ['a =', undefined], ['0x1f', 'hn'], [';', undefined], ['// end', 'hc']]);
  const open = highlightLine('/* one', START, 'go').state;
  assert.deepEqual(marks('two */ return "x"', open, 'go'), [['two */', 'hc'], ['return', 'hk'], ['"x"', 'hs']]);
  const doc = highlightLine('x = """text', START, 'python').state;
  assert.deepEqual(marks('more""" + 1', doc, 'python'), [['more"""', 'hs'], ['+', undefined], ['1', 'hn']]);
  assert.deepEqual(marks('SELECT id FROM t', START, 'sql').map((one) => one[1]), ['hk', undefined, 'hk', undefined]);
  assert.deepEqual(marks('{"a": "b"}', START, 'json'), [['{', undefined], ['"a"', 'hv'], [':', undefined], ['"b"', 'hs'], ['}', undefined]]);
});

test('a throttle calls at once, then at most once per interval, and never loses the last', async () => {
  const clock = new FakeClock();
  const calls = [];
  const throttle = new Throttle(clock, 80, () => calls.push(clock.now()));
  const start = clock.now();
  for (let n = 0; n < 20; n += 1) {
    throttle.ask();
    await clock.advance(10);
  }
  await clock.advance(100);
  assert.deepEqual(calls.map((one) => one - start), [0, 80, 160, 240].slice(0, calls.length));
  assert.ok(calls.length >= 3);
});

test('backoff grows, is capped and never below half', () => {
  fc.assert(fc.property(fc.nat(60), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempt, dice) => {
    const wait = backoff(attempt, 500, 8000, () => dice);
    const full = Math.min(8000, 500 * 2 ** Math.min(attempt, 16));
    assert.ok(wait >= full / 2 && wait <= full);
  }));
});

test('client ids have the shape the service accepts and do not repeat', () => {
  const ids = new Set(Array.from({ length: 2000 }, () => clientId(Date.UTC(2026, 1, 1))));
  assert.equal(ids.size, 2000);
  ids.forEach((id) => assert.match(id, /^[A-Za-z0-9_-]{8,64}$/));
  assert.match(clientId(0, () => 0), /^[A-Za-z0-9_-]{24}$/);
});

test('copied text always carries a label with both elements', () => {
  assert.equal(withLabel('text\n', '内容由 AI 生成'), 'text\n\n（内容由 AI 生成）');
  ['', 'robot', 'AI', '生成'].forEach((label) => assert.ok(validLabel(withLabel('t', label))));
  assert.equal(withCodeLabel('print(1)\n\n', 'python', 'AI 生成'), 'print(1)\n# AI 生成\n');
  assert.equal(withCodeLabel('<p>', 'HTML', 'AI 生成'), '<p>\n<!-- AI 生成 -->\n');
  assert.equal(withCodeLabel('a {}', 'css', 'AI 生成'), 'a {}\n/* AI 生成 */\n');
  assert.equal(withCodeLabel('SELECT 1;', 'sql', 'robot'), 'SELECT 1;\n-- AI 生成\n');
  assert.equal(withCodeLabel('f();', 'js', 'AI 生成'), 'f();\n// AI 生成\n');
  assert.equal(withCodeLabel('words', '', 'AI 生成'), 'words\n\n（AI 生成）');
  ['', 'c', 'rust', 'no-such', 'json'].forEach((language) => assert.ok(validLabel(withCodeLabel('x', language, ''))));
});

test('the outbox sends one at a time, in order, and keeps ids', () => {
  const message = (clientIdValue) => ({ clientId: clientIdValue, text: 't', conversationId: '', model: '', replaces: '' });
  let list = outbox.put(outbox.put(outbox.put([], message('a')), message('b')), message('a'));
  assert.equal(list.length, 2);
  assert.equal(outbox.next(list, 0).clientId, 'a');
  list = outbox.sending(list, 'a');
  assert.equal(outbox.next(list, 0), null);
  list = outbox.again(list, 'a', 500);
  assert.equal(outbox.next(list, 499), null, 'b does not overtake a');
  assert.equal(outbox.next(list, 500).attempts, 1);
  list = outbox.failed(list, 'a');
  assert.equal(outbox.next(list, 0).clientId, 'b');
  assert.deepEqual(outbox.drop(list, 'a').map((one) => one.clientId), ['b']);
});

test('times are written as WeChat writes them', () => {
  const at = (...parts) => new Date(...parts).getTime();
  const now = at(2026, 10, 20, 15, 0);
  assert.equal(format.separator(at(2026, 10, 20, 9, 5), now, 'zh'), '9:05');
  assert.equal(format.separator(at(2026, 10, 19, 23, 59), now, 'zh'), '昨天 23:59');
  assert.equal(format.separator(at(2026, 10, 17, 8, 0), now, 'zh'), '星期二 8:00');
  assert.equal(format.separator(at(2026, 2, 5, 14, 3), now, 'zh'), '3月5日 14:03');
  assert.equal(format.separator(at(2025, 2, 5, 14, 3), now, 'zh'), '2025年3月5日 14:03');
  assert.equal(format.separator(at(2025, 2, 5, 14, 3), now, 'en'), 'Mar 5, 2025 14:03');
  assert.equal(format.separator(at(2026, 10, 19, 1, 0), now, 'en'), 'Yesterday 1:00');
  assert.equal(format.listTime(now - 30000, now, 'zh'), '刚刚');
  assert.equal(format.listTime(now - 600000, now, 'zh'), '10 分钟前');
  assert.equal(format.listTime(at(2026, 10, 20, 1, 2), now, 'en'), '1:02');
  assert.equal(format.duration(75, 'zh'), '1 分 15 秒');
  assert.equal(format.duration(12, 'en'), '12 s');
  assert.equal(format.countdown(61), '1:01');
  assert.equal(format.countdown(5, 'zh'), '5 秒');
  assert.equal(format.count(1234567), '1,234,567');
  assert.equal(format.needsSeparator(0, 5), true);
  assert.equal(format.needsSeparator(now - 299999, now), false);
});

test('byteLength counts as UTF-8 does', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => assert.equal(byteLength(text), Buffer.byteLength(text))));
});
