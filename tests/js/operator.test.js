'use strict';
// An operator inside the mini-program, below the screen: shapes, the token, what is done once, what is forgotten.
const test = require('node:test');
const assert = require('node:assert/strict');
const fc = require('fast-check');
const read = require('../../miniprogram/core/operator');
const { Operator } = require('../../miniprogram/stores/operator');
const { Memory } = require('../../miniprogram/stores/memory');
const { CallFailed, fromBody } = require('../../miniprogram/core/errors');

const NOW = 1795150000000;

/** A store over a scripted service: `answer(method, path, data, headers)`. */
function operatorOver(answer, held = new Map()) {
  const asked = [];
  const memory = new Memory({ getStorageSync: (key) => held.get(key), setStorageSync: (key, value) => held.set(key, value), removeStorageSync: (key) => held.delete(key) });
  const api = { request: async (method, path, data, repeats, headers) => {
    asked.push({ method, path, data, repeats, token: headers && headers.Authorization });
    return answer(method, path, data);
  } };
  const store = new Operator({ api, memory, clock: { now: () => NOW, after: () => () => {} }, lang: () => 'zh' });
  return { store, asked, held };
}

const refused = (code) => new CallFailed(fromBody({ error: { code, message: '登录已过期', message_en: 'over' } }));
const SESSION = { token: 'tok-1', name: 'alice', role: 'operator', expires_at: NOW + 1000 };
const bound = () => new Map([['yunliao.operator', SESSION]]);

test('answers of no known shape are read without a fault', () => {
  fc.assert(fc.property(fc.anything(), (value) => {
    for (const name of ['readBound', 'readToday', 'readCase', 'readCases', 'readUser', 'readRelays', 'readTried', 'readWords']) read[name](value);
    return true;
  }));
  assert.equal(read.readBound({ name: 'x' }), null);
  assert.equal(read.readToday({}).success, -1);
});

test('figures are those of the day that runs, and a time that nobody measured is none', () => {
  const today = read.readToday({ now: { live: 2 }, days: [{ turns: 1 }, { turns: 7, success: 0.5, errors: { a: 1, b: 3 }, first_text_ms: { p90: 1234 }, whole_ms: { p90: null } }] });
  assert.deepEqual([today.live, today.turns, today.success, today.firstText, today.whole], [2, 7, 0.5, 1234, -1]);
  assert.deepEqual(today.errors.map((one) => one.code), ['b', 'a']);
  assert.deepEqual([read.spanText(-1), read.spanText(999), read.spanText(1234)], ['—', '999 ms', '1.23 s']);
});

test('an answer of the AI keeps its label, words of a user have none', () => {
  assert.deepEqual(read.readWords({ label: 'AI 生成', messages: [{ role: 'assistant', text: 'x' }] }), { text: 'x', label: 'AI 生成' });
  assert.deepEqual(read.readWords({ label: 'AI 生成', messages: [{ role: 'user', text: 'x' }] }), { text: 'x', label: '' });
  assert.deepEqual(read.readWords({ text: 'y' }), { text: 'y', label: '' });
});

test('a code makes a session that is kept, sent with every call, and only until it is over', async () => {
  const { store, asked, held } = operatorOver((method, path) => (path.endsWith('/bind') ? SESSION : {}));
  assert.equal(store.state.bound, false);
  assert.equal(await store.bind(' abcd '), true);
  await store.load();
  assert.deepEqual(asked.map((one) => [one.path, one.token]), [['/v1/operator/bind', undefined], ['/op/v1/summary?hours=1&days=1', 'Bearer tok-1']]);
  assert.equal(operatorOver(() => ({}), held).store.state.bound, true);
  const old = new Map([['yunliao.operator', { ...SESSION, expires_at: NOW }]]);
  assert.equal(operatorOver(() => ({}), old).store.state.bound, false);
});

test('a session that was ended elsewhere is forgotten with all that was shown, and says so', async () => {
  const { store, held } = operatorOver((method, path) => {
    if (path.startsWith('/op/v1/users')) return { id: 'u1', created_at: NOW };
    throw refused('operator_login');
  }, bound());
  await store.find('u1234567');
  assert.ok(store.state.user);
  assert.equal(await store.show('relays'), false);
  assert.deepEqual([store.state.bound, store.state.user, store.state.error.code, held.size], [false, null, 'operator_login', 0]);
});

test('a second tap does nothing twice, and a tab that was opened meanwhile is loaded all the same', async () => {
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  const { store, asked } = operatorOver(async (method, path) => {
    if (path.endsWith('/test')) await held;
    return path.endsWith('/test') ? { ok: true, first_text_ms: 5 } : { relays: [{ upstream: { name: 'a', models: ['m'] } }] };
  }, bound());
  const first = store.tryRelay('a');
  assert.equal(await store.tryRelay('a'), false);
  assert.equal(await store.show('relays'), true);
  assert.equal(store.state.busy, true);
  release();
  assert.equal(await first, true);
  assert.deepEqual([store.state.busy, store.state.tried.a], [false, '5 ms']);
  assert.equal(asked.filter((one) => one.path.endsWith('/test')).length, 1);
  assert.ok(asked.filter((one) => one.method === 'POST').every((one) => !one.repeats), 'what does something is never repeated by itself');
});

test('leaving ends the session in the service as well, and works without it', async () => {
  const { store, asked, held } = operatorOver(() => { throw refused('internal'); }, bound());
  await store.leave();
  assert.deepEqual([asked.map((one) => one.path), store.state.bound, held.size], [['/op/v1/logout'], false, 0]);
});
