'use strict';
/** The whole program below the screens against the fake service, over links that misbehave. No real time passes. */
const test = require('node:test');
const assert = require('node:assert/strict');
const { parse } = require('../../miniprogram/core/markdown');
const { drawn } = require('./page_model');
const { program, pageOf, begin, ask } = require('./running_chat');
const { mixedAnswer, randomOf, cut } = require('./answers');

const idle = (all) => () => !all.chat.state.busy;

function shows(all, turn, component) {
  const text = all.cloud.textOf(turn);
  assert.equal(all.chat.plainText('a:' + turn.id), text);
  assert.deepEqual(drawn(component.data.b), drawn(parse(text, { imageHosts: ['img.example.com'] })));
  assert.deepEqual(all.page.data, JSON.parse(JSON.stringify(all.chat.state)));
}

test('a question, a streamed answer, over the socket', async () => {
  const all = await begin();
  const { turn, component } = await ask(all, '你好');
  all.cloud.play(turn, cut(mixedAnswer(2000), all.random, 8, 20), 100);
  await all.clock.until(idle(all));
  shows(all, turn, component);
  assert.equal(all.chat.state.recent.length, 2);
  assert.equal(all.chat.state.recent[0].state, 'sent');
  assert.equal(all.chat.state.recent[0].id, turn.userMessage);
  assert.equal(all.chat.state.recent[1].end, 'complete');
  assert.equal(all.chat.state.conversationId, turn.conversation.id);
  assert.equal(all.app.conversations.state.items[0].id, turn.conversation.id);
  assert.equal(all.cloud.opened, 1);
  assert.ok(all.cloud.calls.filter((one) => one.includes('/events')).length <= 2, 'the socket carried it');
});

test('no socket to be had: polling carries the whole answer', async () => {
  const all = await begin();
  all.cloud.socketsAllowed = false;
  all.cloud.cutAll(1006);
  const { turn, component } = await ask(all, 'q');
  all.cloud.play(turn, cut(mixedAnswer(1500), all.random, 8, 20), 80);
  await all.clock.until(() => all.chat.state.link === 'poll');
  await all.clock.until(idle(all));
  shows(all, turn, component);
});

test('the socket is cut in mid-answer, again and again: the text is whole, never two sockets', async () => {
  for (const code of [1006, 1012, 4401, 4429]) {
    const all = await begin(code);
    const { turn, component } = await ask(all, 'q');
    all.cloud.play(turn, cut(mixedAnswer(3000), all.random, 8, 20), 100);
    for (let round = 0; round < 5; round += 1) {
      await all.clock.advance(2500);
      all.cloud.cutAll(code);
    }
    await all.clock.until(idle(all), 300000);
    shows(all, turn, component);
    assert.equal(all.cloud.mostOpen, 1);
    assert.equal(all.cloud.generations, 1);
  }
});

for (let seed = 1; seed <= 12; seed += 1) {
  test(`frames lost, doubled, late and out of order, calls failing: the same text (seed ${seed})`, async () => {
    const all = await begin(seed);
    const random = randomOf(seed * 977);
    all.cloud.carry = (frame) => {
      const out = [];
      if (random() > 0.15) out.push({ frame, delay: Math.floor(random() * random() * 900) });
      if (random() < 0.2) out.push({ frame, delay: Math.floor(random() * 1500) });
      return out;
    };
    all.cloud.onCall = ({ path }) => {
      const dice = random();
      if (dice < 0.15) return { fail: { errCode: 102002, errMsg: 'cloud.callContainer:fail 请求超时' } };
      if (dice < 0.25) return { lose: true };
      if (dice < 0.3) return { fail: { errMsg: 'SERVICE_NOT_READY' } };
      return { delay: 20 + Math.floor(random() * (path.includes('events') ? 1500 : 300)) };
    };
    const { turn, component } = await ask(all, 'q');
    all.cloud.play(turn, cut(mixedAnswer(1500, seed), random, 8, 20).concat([{ type: 'retract', keep: 40 }, 'tail 😀 **end**']), 60);
    for (let round = 0; round < 4; round += 1) {
      await all.clock.advance(2000);
      if (random() < 0.5) all.cloud.cutAll(1006);
    }
    await all.clock.until(idle(all), 600000, 500);
    shows(all, turn, component);
    assert.equal(all.cloud.generations, 1, 'one message, one generation');
  });
}

test('hidden for a while and back: the answer is whole; nothing is asked while hidden', async () => {
  const all = await begin();
  const { turn, component } = await ask(all, 'q');
  all.cloud.play(turn, cut(mixedAnswer(2000), all.random, 8, 20), 100);
  await all.clock.advance(3000);
  all.app.hide();
  await all.clock.advance(1000);
  const calls = all.cloud.calls.length;
  await all.clock.advance(60000);
  assert.equal(all.cloud.calls.length, calls);
  assert.equal(all.cloud.sockets.length, 0);
  all.app.show();
  await all.clock.until(idle(all));
  shows(all, turn, component);
});

test('a poll that never comes back does not hold the answer up', async () => {
  const all = await begin();
  all.cloud.socketsAllowed = false;
  all.cloud.cutAll(1006);
  let first = true;
  all.cloud.onCall = ({ path }) => {
    if (!path.includes('/events') || !first) return null;
    first = false;
    return { delay: 1e9 };
  };
  const { turn, component } = await ask(all, 'q');
  all.cloud.play(turn, ['one ', 'two'], 50);
  await all.clock.until(idle(all), 60000);
  shows(all, turn, component);
});

test('a socket that went deaf is found by its heartbeat and left', async () => {
  const all = await begin();
  const { turn, component } = await ask(all, 'q');
  await all.clock.until(() => all.chat.state.link === 'socket');
  all.cloud.sockets.forEach((socket) => {
    socket.deaf = true;
  });
  all.cloud.play(turn, cut(mixedAnswer(800), all.random, 8, 20), 50);
  await all.clock.until(idle(all));
  shows(all, turn, component);
});

test('typed without network: marked, then sent once when it is back', async () => {
  const all = await begin();
  all.wx.setOnline(false);
  assert.equal(all.chat.send('offline words'), true);
  await all.clock.advance(30000);
  assert.equal(all.page.data.recent[0].state, 'waiting');
  assert.equal(all.chat.state.online, false);
  all.wx.setOnline(true);
  await all.clock.until(() => all.chat.live);
  all.cloud.play(all.cloud.lastTurn, ['answer'], 50);
  await all.clock.until(idle(all));
  assert.equal(all.page.data.recent[0].state, 'sent');
  assert.equal(all.cloud.generations, 1);
});

test('the answer to a send was lost: repeated with the same id, one generation', async () => {
  const all = await begin();
  let lost = 0;
  all.cloud.onCall = ({ path }) => (path.startsWith('/v1/turns?') && (lost += 1) <= 3 ? { lose: true } : null);
  const { turn, component } = await ask(all, 'q');
  all.cloud.play(turn, ['one ', 'two'], 50);
  await all.clock.until(idle(all));
  shows(all, turn, component);
  assert.equal(all.cloud.generations, 1);
  assert.ok(lost > 3);
});

test('rate limited: a countdown, then the message goes by itself', async () => {
  const all = await begin();
  all.cloud.limited = 12;
  all.chat.send('q');
  await all.clock.until(() => all.chat.state.limit !== null);
  assert.equal(all.chat.state.limit.seconds, 12);
  assert.equal(all.chat.send('another'), false);
  await all.clock.advance(5000);
  assert.equal(all.page.data.limit.seconds, 7);
  assert.equal(all.page.data.recent[0].error.code, 'rate_limited');
  await all.clock.until(() => all.chat.live);
  assert.equal(all.page.data.limit, null);
});

test('stop keeps what is there; regenerate replaces it; continue after length', async () => {
  const all = await begin();
  const first = await ask(all, 'q');
  all.cloud.play(first.turn, cut(mixedAnswer(4000), all.random, 8, 20), 100);
  await all.clock.advance(3000);
  all.chat.stop();
  assert.equal(all.chat.state.stopping, true);
  await all.clock.until(idle(all));
  assert.equal(all.page.data.recent[1].end, 'stopped');
  assert.equal(all.page.data.recent[1].canRegenerate, true);
  shows(all, first.turn, first.component);

  all.chat.regenerate(first.key);
  await all.clock.until(() => all.chat.live);
  const second = all.cloud.lastTurn;
  const component = all.watch('a:' + second.id);
  all.cloud.play(second, ['better'], 50, { reason: 'length' });
  await all.clock.until(idle(all));
  assert.equal(all.page.data.recent.length, 2);
  assert.equal(all.page.data.recent[1].canContinue, true);
  shows(all, second, component);

  all.chat.continueAnswer('a:' + second.id);
  await all.clock.until(() => all.chat.live);
  all.cloud.play(all.cloud.lastTurn, ['and more'], 50);
  await all.clock.until(idle(all));
  assert.equal(all.page.data.recent.length, 3);
  assert.equal(all.page.data.recent[1].canRegenerate, false);
  assert.equal(all.page.data.recent[2].canRegenerate, true);
});

test('edit and resend takes the message and what followed out of the page', async () => {
  const all = await begin();
  const first = await ask(all, 'first words');
  all.cloud.play(first.turn, ['a'], 50);
  await all.clock.until(idle(all));
  const second = await ask(all, 'second');
  all.cloud.play(second.turn, ['b'], 50);
  await all.clock.until(idle(all));
  const key = all.page.data.recent[0].key;
  assert.equal(all.page.data.recent[0].canEdit, true);
  all.chat.startEdit(key);
  assert.equal(all.page.data.draft, 'first words');
  const third = await ask(all, 'other words');
  all.cloud.play(third.turn, ['c'], 50);
  await all.clock.until(idle(all));
  assert.deepEqual(all.page.data.recent.map((one) => one.text), ['other words', '']);
  assert.equal(third.turn.conversation.messages.length, 2);
  assert.equal(all.page.data.editing, '');
});

test('queue, reasoning with its timer, notice, then the text', async () => {
  const all = await begin();
  const { turn, key, component } = await ask(all, 'q');
  all.cloud.emit(turn, { type: 'queued', position: 3 });
  await all.clock.until(() => all.page.data.recent[1].position === 3);
  assert.equal(all.page.data.recent[1].state, 'queued');
  all.chat.openReasoning(key, true);
  all.cloud.play(turn, [...'let me think about this for some time '.repeat(10)].map((delta) => ({ type: 'reasoning', delta })), 20);
  await all.clock.until(() => all.page.data.recent[1].thinkSeconds >= 3);
  assert.equal(all.page.data.recent[1].thinking, true);
  await all.clock.until(idle(all));
  assert.equal(component.data.rb.join(''), 'let me think about this for some time '.repeat(10));
  assert.equal(all.page.data.recent[1].thinking, false);
  assert.ok(all.page.data.recent[1].thinkSeconds >= 7);
});

test('a block in mid-answer takes the text from the page', async () => {
  const all = await begin();
  const { turn, component } = await ask(all, 'q');
  all.cloud.play(turn, ['secret one ', 'secret two', { type: 'retract', keep: 0 }], 300, {
    reason: 'blocked', error: { code: 'blocked_output', message: '已撤回', message_en: 'Taken back', retryable: false }
  });
  await all.clock.until(() => JSON.stringify(component.data).includes('secret'));
  await all.clock.until(idle(all));
  assert.ok(!JSON.stringify(component.data).includes('secret'));
  assert.equal(all.page.data.recent[1].end, 'blocked');
  assert.equal(all.page.data.recent[1].error.message, '已撤回');
  assert.equal(all.chat.plainText('a:' + turn.id), '');
});

test('a conversation is opened again: pages upward, a live answer goes on', async () => {
  const all = await begin();
  const { turn } = await ask(all, 'q0');
  const { conversation } = turn;
  all.cloud.play(turn, ['a0'], 10);
  await all.clock.until(idle(all));
  for (let n = 1; n < 40; n += 1) {
    conversation.messages.push({ id: 'h' + n, turn_id: 'ht' + n, role: n % 2 ? 'user' : 'assistant', text: 'text ' + n, created_at: all.clock.now() + n * 400000, state: 'normal', end_reason: 'complete' });
  }
  const live = all.cloud.begin(conversation, { client_id: 'other-device-1', text: 'from elsewhere' });
  all.app.release(all.chat);
  const chat = all.app.chat(conversation.id);
  const { page, watch } = pageOf(chat);
  chat.open();
  assert.equal(page.data.loading, true);
  await all.clock.until(() => chat.state.loaded && chat.live);
  assert.equal(page.data.older.length, 20);
  assert.equal(page.data.older[0].text, 'from elsewhere');
  const component = watch('a:' + live.id);
  const old = watch(page.data.older[2].key);
  assert.equal(drawn(old.data.b)[0].r[0].t, 'text 38');
  all.cloud.play(live, ['live ', 'answer'], 100);
  await all.clock.until(() => !chat.state.busy);
  assert.deepEqual(drawn(component.data.b), drawn(parse('live answer')));
  const before = page.bytes;
  while (chat.state.hasOlder) await chat.loadOlder().constructor && (await Promise.all([chat.loadOlder(), all.clock.advance(200)]));
  assert.equal(page.data.older.length, 42);
  assert.ok(page.bytes - before < 42 * 700, 'paging sends the new page only');
  assert.deepEqual(page.data, JSON.parse(JSON.stringify(chat.state)));
});

test('words of people are not in the storage of the phone; a draft is, until it is sent', async () => {
  const all = await begin();
  all.chat.setDraft('draft-canary');
  assert.ok(all.wx.written.includes('draft-canary'));
  const { turn } = await ask(all, 'question-canary');
  all.cloud.play(turn, ['answer-canary ', { type: 'reasoning', delta: 'reasoning-canary' }], 50);
  await all.clock.until(idle(all));
  all.app.settings.set('theme', 'dark');
  all.app.conversations.load();
  await all.clock.advance(500);
  all.app.conversations.search('question-canary');
  assert.equal(all.app.conversations.state.items.length, 1);
  assert.ok(!/(question|answer|reasoning)-canary/.test(all.wx.written));
  assert.ok(!Array.from(all.wx.storage.values()).join().includes('canary'));
  assert.equal(all.chat.copyText('a:' + turn.id), 'answer-canary\n\n（AI 生成）');
});

test('cold start: waking is shown, no error; then everything is there', async () => {
  const { clock, cloud, app } = program();
  const start = clock.now();
  cloud.onCall = () => (clock.now() - start < 20000 ? { delay: 3000, fail: { errMsg: 'SERVICE_NOT_READY' } } : null);
  app.launch();
  await clock.until(() => app.session.state.waking);
  assert.equal(app.session.state.error, null);
  await clock.until(() => app.session.state.phase === 'ready');
  assert.equal(app.session.state.consent, 'given');
  assert.equal(app.session.state.waking, false);
});

test('a wrong service name is said at once, with its words', async () => {
  const { clock, cloud, app } = program();
  cloud.onCall = () => ({ fail: { errCode: -601031, errMsg: 'EnvDbId [], ServiceName [] not exist' } });
  app.launch();
  await clock.until(() => app.session.state.phase === 'failed');
  assert.equal(app.session.state.error.key, 'error.config');
});

test('consent is asked for, given, remembered by the service', async () => {
  const { clock, cloud, app } = program();
  cloud.consented = false;
  app.launch();
  await clock.until(() => app.session.state.phase === 'ready');
  assert.equal(app.session.state.consent, 'needed');
  const [given] = await Promise.all([app.session.accept({ overseas: true }), clock.advance(500)]);
  assert.equal(given, true);
  assert.equal(cloud.consented, true);
  assert.equal(app.session.state.consent, 'given');
});

test('conversations: rename, delete, undo', async () => {
  const all = await begin();
  const { turn } = await ask(all, 'q');
  all.cloud.play(turn, ['a'], 10);
  await all.clock.until(idle(all));
  const list = all.app.conversations;
  const { id } = turn.conversation;
  assert.equal((await Promise.all([list.rename(id, ' 新名字 '), all.clock.advance(200)]))[0], true);
  assert.equal(list.state.items[0].title, '新名字');
  list.remove(id);
  assert.equal(list.state.items.length, 0);
  await all.clock.advance(200);
  assert.equal(list.state.undo.id, id);
  assert.equal((await Promise.all([list.undo(), all.clock.advance(200)]))[0], true);
  assert.equal(list.state.items.length, 1);
  assert.ok(all.cloud.conversations.has(id));
});

test('a search finds words in messages too, when the person has stopped typing, and shows no older answer', async () => {
  const all = await begin();
  const { turn } = await ask(all, '怎么做红烧肉');
  all.cloud.play(turn, ['先焯水，再慢炖。'], 10);
  await all.clock.until(idle(all));
  const list = all.app.conversations;
  list.load();
  await all.clock.advance(300);
  const asked = () => all.cloud.calls.filter((one) => one === 'POST /v1/search').length;
  const before = asked();
  list.search('焯');
  await all.clock.advance(100);
  list.search('焯水');
  assert.equal(list.state.searching, true);
  await all.clock.advance(2000);
  assert.equal(asked(), before + 1);
  assert.equal(list.state.searching, false);
  assert.deepEqual(list.state.hits.map(({ id, excerpt, label }) => ({ id, excerpt, label })), [
    { id: turn.conversation.id, excerpt: '先焯水，再慢炖。', label: 'AI 生成' }
  ]);
  list.search('红烧肉');
  await all.clock.advance(2000);
  assert.equal(list.state.hits[0].label, '');
  list.search('');
  assert.deepEqual(list.state.hits, []);
  assert.equal(list.state.searching, false);
});

test('a search goes on until the history is at its end, and one that fails leaves the titles', async () => {
  const all = await begin();
  const { turn } = await ask(all, 'needle one');
  all.cloud.play(turn, ['needle two'], 10);
  await all.clock.until(idle(all));
  const list = all.app.conversations;
  list.load();
  await all.clock.advance(300);
  list.search('needle');
  await all.clock.advance(3000);
  assert.equal(list.state.hits.length, 2);
  all.cloud.onCall = ({ path }) => (path === '/v1/search' ? { fail: { errCode: -1, errMsg: 'x' } } : null);
  list.search('needle t');
  await all.clock.advance(20000);
  assert.equal(list.state.searching, false);
  assert.deepEqual(list.state.hits, []);
  assert.equal(list.state.error, null);
});

test('stop pressed before the service has the question: the answer ends as soon as it begins', async () => {
  const all = await begin();
  all.cloud.onCall = ({ path }) => (path.startsWith('/v1/turns?') ? { delay: 4000 } : null);
  all.cloud.onTurn = (turn) => all.cloud.play(turn, cut(mixedAnswer(4000), all.random, 8, 20), 100);
  all.chat.send('q');
  await all.clock.advance(500);
  assert.equal(all.chat.state.busy, true);
  all.chat.stop();
  assert.equal(all.page.data.stopping, true);
  await all.clock.until(idle(all));
  assert.equal(all.cloud.lastTurn.stopped, true);
  assert.equal(all.page.data.recent[1].end, 'stopped');
  assert.equal(all.page.data.stopping, false);
});

test('an answer is still coming elsewhere: the message waits, says so, and goes by itself', async () => {
  const all = await begin();
  const first = await ask(all, 'one');
  const other = all.app.chat('');
  other.open();
  assert.equal(other.send('two'), true);
  await all.clock.advance(2000);
  assert.equal(other.state.recent[0].state, 'waiting');
  assert.equal(other.state.recent[0].error.code, 'turn_in_progress');
  all.cloud.play(first.turn, ['done'], 10);
  await all.clock.until(() => other.live !== null);
  assert.equal(other.state.recent[0].state, 'sent');
});

test('words written while a message is edited do not push the draft aside', async () => {
  const all = await begin();
  const { turn } = await ask(all, 'first words');
  all.cloud.play(turn, ['a'], 10);
  await all.clock.until(idle(all));
  all.chat.setDraft('half a thought');
  all.chat.startEdit(all.page.data.recent[0].key);
  all.chat.setDraft('first words, changed');
  assert.equal(all.app.memory.draft(all.chat.state.conversationId), 'half a thought');
  all.chat.cancelEdit();
  assert.equal(all.page.data.draft, 'half a thought');
  all.chat.startEdit(all.page.data.recent[0].key);
  await ask(all, 'first words, changed');
  assert.equal(all.page.data.draft, 'half a thought');
});

test('an edit that is taken back before it was sent brings the old messages back', async () => {
  const all = await begin();
  const { turn } = await ask(all, 'old question');
  all.cloud.play(turn, ['old answer'], 10);
  await all.clock.until(idle(all));
  all.wx.setOnline(false);
  all.chat.startEdit(all.page.data.recent[0].key);
  all.chat.send('new question');
  assert.deepEqual(all.page.data.recent.map((one) => one.text), ['new question']);
  all.chat.remove(all.page.data.recent[0].key);
  assert.deepEqual(all.page.data.recent.map((one) => one.role), ['user', 'assistant']);
  assert.equal(all.page.data.recent[0].text, 'old question');
});

test('nothing of one person is sent under the name of the next', async () => {
  const all = await begin();
  all.wx.setOnline(false);
  all.chat.send('alice’s words');
  all.app.forget();
  all.wx.setOnline(true);
  await all.clock.advance(60000);
  assert.equal(all.cloud.generations, 0);
});
