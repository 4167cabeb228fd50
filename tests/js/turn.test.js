'use strict';
const test = require('node:test');
const assert = require('node:assert/strict');
const fc = require('fast-check');
const { initial, reduce, hasGap, keepCharacters } = require('../../miniprogram/core/turn');
const { readEvents, readFrame, readTurnAnswer, readMessage, readConversation, readSlice, readError } = require('../../miniprogram/core/protocol');

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant('text'), delta: fc.constantFrom('a', '你好', '😀👍', '\n\n- ', 'word ', '') }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('reasoning'), delta: fc.constantFrom('hm ', '想', '🤔') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('retract'), keep: fc.integer({ min: 0, max: 12 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('queued'), position: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('notice'), code: fc.constant('slow') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('future_event'), x: fc.constant(1) }) }
);

/** The log of a turn and what it says, worked out without the reducer. */
function logOf(steps) {
  const log = [{ seq: 1, type: 'accepted', turn_id: 't', conversation_id: 'c', client_id: 'x', user_message_id: 'm', created_at: 1 }]
    .concat(steps.map((one, at) => Object.assign({ seq: at + 2 }, one)), [{ seq: steps.length + 2, type: 'end', reason: 'complete', message_id: 'a' }]);
  let text = [];
  steps.forEach((one) => {
    if (one.type === 'text') text = text.concat(Array.from(one.delta));
    if (one.type === 'retract') text = text.slice(0, one.keep);
  });
  return { log, text: text.join('') };
}

test('any interleaving of links, duplicates and reorders gives the same text', () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 30 }), fc.infiniteStream(fc.nat()), (steps, numbers) => {
    const { log, text } = logOf(steps);
    const next = () => numbers.next().value;
    // Three links, each delivering the log from cursors of its own, shuffled, with holes; a last one delivers what is missing.
    const deliveries = [];
    for (let link = 0; link < 3; link += 1) {
      log.slice(next() % log.length).forEach((event) => {
        if (next() % 4) deliveries.push({ event, order: next() % 50 });
      });
    }
    deliveries.sort((a, b) => a.order - b.order);
    let state = initial();
    deliveries.forEach(({ event }) => {
      const before = state;
      state = readEvents([event]).reduce(reduce, state);
      assert.ok(state.cursor >= before.cursor);
    });
    while (state.end === null) state = readEvents(log.slice(state.cursor)).reduce(reduce, state);
    assert.equal(state.text, text);
    assert.equal(state.cursor, log.length);
    assert.equal(hasGap(state), false);
    assert.deepEqual(state, readEvents(log).reduce(reduce, initial()));
  }), { numRuns: 800 });
});

test('a duplicate changes nothing, not even the identity of the state', () => {
  const events = readEvents(logOf([{ type: 'text', delta: 'a' }]).log);
  const state = events.reduce(reduce, initial());
  events.forEach((event) => assert.equal(reduce(state, event), state));
});

test('an event that came early is a gap until the one before is there', () => {
  const [first, second] = readEvents([{ seq: 1, type: 'text', delta: 'a' }, { seq: 2, type: 'text', delta: 'b' }]);
  const early = reduce(initial(), second);
  assert.equal(early.text, '');
  assert.equal(hasGap(early), true);
  assert.equal(reduce(early, first).text, 'ab');
});

test('retract counts code points and takes reasoning only when nothing stays', () => {
  assert.equal(keepCharacters('a😀b', 2), 'a😀');
  assert.equal(keepCharacters('👍👍', 1), '👍');
  assert.equal(keepCharacters('abc', 9), 'abc');
  const state = readEvents([{ seq: 1, type: 'reasoning', delta: 'r' }, { seq: 2, type: 'text', delta: '😀x' }, { seq: 3, type: 'retract', keep: 1 }]).reduce(reduce, initial());
  assert.deepEqual([state.text, state.reasoning, state.revision], ['😀', 'r', 1]);
  assert.equal(readEvents([{ seq: 4, type: 'retract', keep: 0 }]).reduce(reduce, state).reasoning, '');
});

test('nothing after the end changes the text', () => {
  const state = readEvents([{ seq: 1, type: 'text', delta: 'a' }, { seq: 2, type: 'end', reason: 'failed', error: { code: 'relay_timeout', retryable: true } }, { seq: 3, type: 'text', delta: 'b' }]).reduce(reduce, initial());
  assert.equal(state.text, 'a');
  assert.equal(state.end.error.code, 'relay_timeout');
});

test('whatever the wire brings is read without an exception and into known shapes', () => {
  fc.assert(fc.property(fc.anything(), (value) => {
    [readTurnAnswer, readMessage, readConversation, readSlice, readError, readFrame].forEach((read) => read(value));
    readEvents([value, { seq: 1, type: 'text', delta: value }]).forEach((event) => assert.ok(event.seq > 0));
    assert.equal(typeof readEvents([{ seq: 1, type: 'text', delta: value }])[0].delta, 'string');
  }), { numRuns: 500 });
  assert.equal(readFrame('{"op":"event","turn":"t","event":{"seq":-1}}').op, 'other');
  assert.equal(readFrame('not json').op, 'other');
  assert.equal(readEvents([{ seq: 1, type: 'end', reason: 'wonderful' }])[0].reason, 'failed');
});
