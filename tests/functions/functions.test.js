'use strict';

// The cloud functions with the real wx-server-sdk, against the real container behind the local Cloud Run.

const { test, before, after } = require('node:test');
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { LocalCloud, ROOT } = require('./local_cloud');
const { signed } = require('../../cloudfunctions/chat/signing');
const { rebuilt } = require('../../cloudfunctions/chat/text');
const chat = require('../../cloudfunctions/chat/index');
const timer = require('../../cloudfunctions/timer/index');

const APPID = 'wx0000000000local';
const FUNCTION_SECRET = 'a-secret-of-functions-0123';
const JOBS_SECRET = 'a-secret-of-jobs-0123';
let cloud;

before(async () => {
  cloud = await LocalCloud.start({
    YUNLIAO_PUBLIC: 'on', YUNLIAO_FUNCTION_SECRET: FUNCTION_SECRET, YUNLIAO_JOBS_SECRET: JOBS_SECRET, YUNLIAO_RATE_LIMIT: '100/minute'
  });
});
after(() => cloud && cloud.stop());

/** What the platform's runtime puts into the environment of one invocation. */
function invoked(context) {
  const values = Object.fromEntries(Object.entries(context).map(([name, value]) => [`WX_${name}`, value]));
  for (const name of ['OPENID', 'APPID', 'UNIONID', 'FROM_OPENID', 'FROM_APPID', 'SOURCE']) delete process.env[`WX_${name}`];
  delete process.env.TCB_SOURCE;
  Object.assign(process.env, values, { WX_CONTEXT_KEYS: Object.keys(values).join(',') });
  if (context.SOURCE) process.env.TCB_SOURCE = context.SOURCE;
}

function settings(more) {
  Object.assign(process.env, {
    YUNLIAO_URL: cloud.url, YUNLIAO_FUNCTION_SECRET: FUNCTION_SECRET, YUNLIAO_JOBS_SECRET: JOBS_SECRET, YUNLIAO_FUNCTION_SECONDS: '40'
  }, more);
}

/** A new person who has agreed, and whom the content check knows. */
async function person() {
  const openid = `o${crypto.randomBytes(20).toString('base64url').slice(0, 27)}`;
  settings();
  invoked({ OPENID: openid, APPID });
  await cloud.visit(openid);
  assert.equal((await chat.main({ agree: true })).code, 0);
  return openid;
}

test('content in, code and data out, with the label; the conversation goes on without being named', async () => {
  const openid = await person();
  const first = await chat.main({ content: '用三句话介绍你自己' }, { request_id: 'r-1' });
  assert.equal(first.code, 0, JSON.stringify(first));
  assert.ok(first.data.content.length > 5 && first.data.done && first.data.message_id);
  assert.match(first.data.label, /AI|人工智能/);
  const second = await chat.main({ content: '再说一遍' }, { request_id: 'r-2' });
  assert.equal(second.data.conversation_id, first.data.conversation_id);
  const apart = await chat.main({ content: '新的话题', new: true }, { request_id: 'r-3' });
  assert.notEqual(apart.data.conversation_id, first.data.conversation_id);
  const named = await chat.main({ content: '回到前面', conversation_id: first.data.conversation_id }, { request_id: 'r-4' });
  assert.equal(named.data.conversation_id, first.data.conversation_id);
  // An identity in the data is no identity: whoever has not agreed is nobody yet, whoever has is somebody else.
  invoked({ OPENID: openid.replace(/^./, 'x'), APPID });
  assert.equal((await chat.main({ content: '偷看', openid, OPENID: openid })).error.code, 'consent_required');
  await person();
  const stranger = await chat.main({ content: '偷看', conversation_id: first.data.conversation_id, openid, OPENID: openid }, { request_id: 'r-5' });
  assert.equal(stranger.code, 404, JSON.stringify(stranger));
});

test('the same invocation, delivered twice, is one message', async () => {
  await person();
  const before_ = (await cloud.order('relay/requests')).total;
  const [one, two] = await Promise.all([chat.main({ content: '只答一次' }, { request_id: 'same' }), chat.main({ content: '只答一次', new: true }, { request_id: 'same' })]);
  assert.equal(one.code, 0);
  assert.equal(one.data.turn_id, two.data.turn_id);
  assert.equal(one.data.content, two.data.content);
  assert.equal((await cloud.order('relay/requests')).total, before_ + 1);
});

test('an answer that takes longer than the function may is fetched by asking again', async () => {
  await person();
  await cloud.order('relay', { first_token_ms: 4000 });
  try {
    const early = await chat.main({ content: '慢慢说' }, { request_id: 'slow', getRemainingTimeInMillis: () => 3500 });
    assert.equal(early.code, 202, JSON.stringify(early));
    assert.equal(early.data.done, false);
    const late = await chat.main({ turn_id: early.data.turn_id });
    assert.equal(late.code, 0, JSON.stringify(late));
    assert.ok(late.data.content.length > 5);
    assert.equal(late.data.conversation_id, early.data.conversation_id);
  } finally {
    await cloud.order('relay', { reset: true });
  }
});

test('refusals come with a code, words for people, and no data', async () => {
  await person();
  const blocked = await chat.main({ content: '违禁演示词' }, { request_id: 'b' });
  assert.deepEqual([blocked.code, blocked.error.code], [422, 'blocked_input']);
  assert.match(blocked.msg, /内容安全/);
  assert.equal((await chat.main({ content: '  ' })).code, 400);
  assert.equal((await chat.main({})).code, 400);
  assert.equal((await chat.main(undefined)).code, 400);
  assert.equal((await chat.main({ turn_id: 'turn_none' })).code, 404);
  assert.equal((await chat.main({ content: 'x', model: 'no-such-model' })).code, 400);
  settings({ YUNLIAO_FUNCTION_SECRET: 'another-secret-of-functions' });
  const wrong = await chat.main({ content: '你好' });
  assert.deepEqual([wrong.code, wrong.error.code], [403, 'identity_untrusted']);
  settings({ YUNLIAO_FUNCTION_SECRET: '' });
  assert.deepEqual((await chat.main({ content: '你好' })).error.code, 'misconfigured');
  settings({ YUNLIAO_URL: 'http://127.0.0.1:9', YUNLIAO_FUNCTION_SECONDS: '3' });
  assert.deepEqual([(await chat.main({ content: '你好' })).code], [504]);
  settings();
  invoked({ APPID });
  assert.equal((await chat.main({ content: '你好' })).code, 401);
});

test('a signed call is good once, for one request, soon, and the gateway changes nothing about that', async () => {
  const openid = await person();
  const caller = { openid, appid: APPID, shared: false };
  const body = JSON.stringify({ client_id: 'signed-call-1', text: '你好' });
  const send = (header, sent = body, target = '/v1/turns') => fetch(cloud.url + target, {
    method: 'POST', headers: { 'content-type': 'application/json', 'X-Yunliao-Caller': header }, body: sent
  }).then((answer) => answer.status);
  const request = { method: 'POST', target: '/v1/turns', body };
  const good = signed(FUNCTION_SECRET, caller, request);
  assert.equal(await send(good), 202);
  // Two instances stand behind the gateway and take turns.
  assert.deepEqual(await Promise.all([send(good), send(good), send(good), send(good)]), [403, 403, 403, 403]);
  const forged = [
    signed('another-secret-of-functions', caller, request), signed(FUNCTION_SECRET, caller, Object.assign({}, request, { now: Date.now() - 120000 })),
    signed(FUNCTION_SECRET, caller, Object.assign({}, request, { now: Date.now() + 600000 })), signed(FUNCTION_SECRET, caller, Object.assign({}, request, { body: '{}' })),
    signed(FUNCTION_SECRET, caller, Object.assign({}, request, { target: '/v1/tickets' })), signed(FUNCTION_SECRET, Object.assign({}, caller, { appid: 'wxstranger' }), request)
  ];
  for (const one of forged) assert.equal(await send(one), 403);
  const headers = { 'X-WX-SOURCE': 'wx_client', 'X-WX-OPENID': openid, 'X-WX-APPID': APPID };
  assert.equal((await fetch(`${cloud.url}/v1/me`, { headers })).status, 403, 'forged identity headers on a public service');
});

test('the timer runs every job, and only the clock may start it', async () => {
  settings();
  invoked({ SOURCE: 'wx_trigger', APPID });
  const ran = await timer.main();
  assert.equal(ran.code, 0);
  assert.ok(['recover', 'expire'].every((name) => name in ran.data.jobs), JSON.stringify(ran));
  assert.equal((await timer.main()).code, 0, 'it may fire twice');
  invoked({ SOURCE: 'wx_client', OPENID: 'oSomebody', APPID });
  assert.equal((await timer.main()).code, 403);
  invoked({ SOURCE: 'wx_trigger', APPID });
  settings({ YUNLIAO_JOBS_SECRET: 'a-wrong-secret-0123' });
  await assert.rejects(timer.main(), /HTTP 403 identity_untrusted/);
  settings({ YUNLIAO_JOBS_SECRET: '' });
  await assert.rejects(timer.main(), /set YUNLIAO_URL/);
  settings({ YUNLIAO_URL: 'http://127.0.0.1:9' });
  await assert.rejects(timer.main(), /unreachable/);
});

test('text is rebuilt by code points, whatever was taken back', () => {
  const events = [{ type: 'accepted' }, { type: 'text', delta: '你好😀世界' }, { type: 'retract', keep: 3 }, { type: 'text', delta: '！' }, { type: 'end', reason: 'complete' }];
  assert.deepEqual(rebuilt(events), { content: '你好😀！', end: events[4] });
  assert.deepEqual(rebuilt([]), { content: '', end: null });
});

test('each folder is deployed alone: what it shares is the same, its library is pinned, its trigger is one timer', () => {
  const read = (name) => fs.readFileSync(path.join(ROOT, 'cloudfunctions', name), 'utf8');
  assert.equal(read('chat/link.js'), read('timer/link.js'));
  for (const name of ['chat', 'timer']) {
    assert.equal(JSON.parse(read(`${name}/package.json`)).dependencies['wx-server-sdk'], '4.0.2');
    assert.equal(JSON.parse(read(`${name}/package-lock.json`)).packages['node_modules/wx-server-sdk'].version, '4.0.2');
  }
  assert.equal(require('wx-server-sdk').version, '4.0.2');
  const [only, ...others] = JSON.parse(read('timer/config.json')).triggers;
  assert.equal(others.length, 0);
  assert.equal(only.type, 'timer');
  assert.equal(only.config.split(' ').length, 7);
});
