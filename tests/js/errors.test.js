'use strict';
const test = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { fromPlatform, fromBody, fromStatus, toView, CODES } = require('../../miniprogram/core/errors');
const { Cloud } = require('../../miniprogram/services/cloud');
const { FakeClock } = require('./fake_clock');

/** Every row of the platform's table: code or text, and what the phone must do. */
const TABLE = [
  [{ errCode: 102002, errMsg: '请求超时' }, 'retry', 'timeout'], [{ errCode: 102005 }, 'fatal', 'config'], [{ errCode: 40097, errMsg: 'system error' }, 'fatal', 'config'],
  [{ errCode: -501000, errMsg: 'Path access permission error' }, 'fatal', 'config'], [{ errCode: -501000, errMsg: 'Authorization mismatch uin' }, 'fatal', 'config'],
  [{ errCode: -601027 }, 'fatal', 'config'], [{ errCode: -601031, errMsg: 'EnvDbId [], ServiceName [] not exist' }, 'fatal', 'config'], [{ errCode: -601034 }, 'fatal', 'config'],
  [{ errCode: -606001 }, 'message', 'too_large'], [{ errCode: -606002 }, 'fatal', 'too_large'], [{ errCode: -606003 }, 'fatal', 'arrears'], [{ errCode: -606006 }, 'fatal', 'no_permission'],
  [{ errCode: -501001 }, 'retry', 'network'], [{ errCode: -501002 }, 'retry', 'network'], [{ errCode: -601001 }, 'retry', 'network'], [{ errCode: -601003 }, 'retry', 'network'],
  [{ errCode: -601008 }, 'retry', 'network'], [{ errCode: -501003 }, 'retry', 'quota'], [{ errCode: -501004 }, 'retry', 'quota'], [{ errCode: -501023 }, 'fatal', 'no_permission'],
  [{ errCode: -405005, errMsg: 'exceed max poll retry' }, 'retry', 'timeout'], [{ errCode: -1, errMsg: 'cloud.callContainer:fail SERVICE_NOT_READY' }, 'retry', 'waking'],
  [{ errMsg: 'connect ECONNREFUSED 10.0.0.1' }, 'retry', 'waking'], [{ errMsg: 'upstream connect error or disconnect/reset before headers' }, 'retry', 'version'],
  [{ errMsg: 'INTERNAL_REQUEST_FAIL' }, 'retry', 'platform'], [{ errMsg: 'SYS_ERR' }, 'retry', 'platform'], [{ errMsg: 'SERVICE_FORBIDDEN' }, 'retry', 'platform'],
  [{ errMsg: 'INVALID_HOST' }, 'fatal', 'config'], [{ errMsg: 'Invalid AppId in host' }, 'fatal', 'config'], [{ errMsg: "Cloud API isn't enabled, please call init first" }, 'retry', 'starting'],
  [{ errno: 600003, errMsg: 'request:fail interrupted' }, 'retry', 'interrupted'], [{ errMsg: 'request:fail net::ERR_INTERNET_DISCONNECTED' }, 'retry', 'network'],
  [new Error('request:fail timeout'), 'retry', 'timeout'], [null, 'message', 'unknown'], ['what', 'message', 'unknown']
];

TABLE.forEach(([reason, kind, code]) => {
  test(`callContainer: ${JSON.stringify(reason)} means ${kind} (${code})`, () => {
    const problem = fromPlatform(reason);
    assert.deepEqual([problem.kind, problem.code], [kind, code]);
    assert.equal(problem.key, 'error.' + code);
    assert.equal(kind === 'retry', problem.delay > 0);
  });
});

test('every numeric code of the map is tried above', () => {
  const tried = TABLE.map(([reason]) => String((reason || {}).errCode || (reason || {}).errno));
  Object.keys(CODES).forEach((code) => assert.ok(tried.includes(code), code));
});

test('every error code of the service has a kind, and its words come through in both languages', () => {
  const source = fs.readFileSync(path.join(__dirname, '../../container/yunliao/errors.py'), 'utf8');
  const codes = Array.from(source.matchAll(/^ {4}code(?:, \w+)* = "(\w+)"/gm), (found) => found[1]);
  assert.ok(codes.length > 25, `only ${codes.length} codes found`);
  codes.forEach((code) => {
    const problem = fromBody({ error: { code, message: '中', message_en: 'en', retryable: true, retry_after: 3, request_id: 'r' } });
    assert.ok(['retry', 'message', 'fatal'].includes(problem.kind));
    assert.equal(toView(problem, 'zh').message, '中');
    assert.equal(toView(problem, 'en').message, 'en');
    assert.equal(problem.requestId, 'r');
    assert.equal(problem.retryAfter, 3);
  });
});

test('want of credits is for the person to mend: it is told, never repeated by itself', () => {
  const body = (code, retryable, more) => fromBody({ error: { code, message: 'm', message_en: 'e', retryable, request_id: 'r', ...more } });
  for (const code of ['insufficient_credits', 'daily_limit', 'turn_limit', 'code_invalid']) assert.equal(body(code, false, { needed: 9, available: 1 }).kind, 'message');
  assert.equal(body('service_budget_exhausted', true, { retry_after: 3600 }).kind, 'message');
  assert.equal(toView(body('insufficient_credits', false), 'zh').canRetry, true);
  assert.equal(toView(body('turn_limit', false), 'zh').canRetry, false);
});

test('an error body is read whether it comes as success with 200, with its status, or as a failure', async () => {
  const body = { error: { code: 'queue_full', message: 'm', message_en: 'e', retryable: true, request_id: 'r9', status: 503 } };
  const ways = [
    () => Promise.resolve({ statusCode: 200, data: body }), () => Promise.resolve({ statusCode: 503, data: body }),
    () => Promise.reject(Object.assign(new Error('fail'), { data: body, errMsg: 'cloud.callContainer:fail' }))
  ];
  for (const callContainer of ways) {
    const cloud = new Cloud({ cloud: { init() {}, callContainer, connectContainer: callContainer }, env: 'e', service: 's', clock: new FakeClock() });
    await assert.rejects(cloud.call('GET', '/x'), (error) => error.problem.code === 'queue_full' && error.problem.requestId === 'r9' && error.problem.kind === 'retry');
  }
});

test('a status without a body: busy gateways are asked again', () => {
  assert.equal(fromStatus(503, 'c').kind, 'retry');
  assert.equal(fromStatus(404, 'c').kind, 'message');
  assert.equal(fromStatus(500, 'c').requestId, 'c');
});

test('the call id in a platform message becomes the request id', () => {
  assert.equal(fromPlatform({ errCode: 102002, errMsg: 'cloud.callContainer:fail Error: errCode: 102002 请求超时 (callId: 1712-0.77_x) (trace: 1)' }).requestId, '1712-0');
});

test('a call sends the service name and asks for errors as bodies; only allowed verbs exist', async () => {
  let seen = null;
  const callContainer = async (options) => {
    seen = options;
    return { statusCode: 200, data: { ok: 1 } };
  };
  const cloud = new Cloud({ cloud: { init() {}, callContainer, connectContainer: callContainer }, env: 'e1', service: 'yunliao', clock: new FakeClock() });
  assert.deepEqual(await cloud.call('PUT', '/v1/x', { a: 1 }), { ok: 1 });
  assert.equal(seen.header['X-WX-SERVICE'], 'yunliao');
  assert.equal(seen.header['X-Client'], 'miniprogram');
  assert.equal(seen.config.env, 'e1');
  assert.ok(seen.timeout <= 15000);
  assert.ok(!('success' in seen));
});
