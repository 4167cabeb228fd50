'use strict';
/**
 * A person, a phone and a network that do anything at any moment: after it all, nothing is stuck, lost or doubled.
 * A failure prints its seed and the shortest walk that shows it.
 */
const test = require('node:test');
const assert = require('node:assert/strict');
const fc = require('fast-check');
const { parse } = require('../../miniprogram/core/markdown');
const { drawn } = require('./page_model');
const { begin, pageOf } = require('./running_chat');

const FAULTS = [
  { fail: { errCode: 102002, errMsg: 'cloud.callContainer:fail 请求超时' } }, { lose: true }, { fail: { errMsg: 'SERVICE_NOT_READY' } },
  { fail: { errno: 600003, errMsg: 'fail interrupted' } }, { delay: 14000 }, { status: 503 }, { status: 404 }
];

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('send') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('type') }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.constantFrom(0, 10, 60, 300, 1500, 6000, 40000) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('hide', 'show', 'offline', 'online', 'cut', 'stop', 'stop', 'regenerate', 'continue', 'older', 'cancelEdit') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('edit', 'retry', 'remove'), at: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fault'), kind: fc.nat(FAULTS.length - 1), calls: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('limit'), seconds: fc.integer({ min: 1, max: 20 }) }) }
);

/** A conversation with so many messages from earlier days, being opened; '' stays a new one. */
async function opened(seed, messages) {
  const all = await begin(seed);
  if (!messages) return all;
  const { cloud, clock, app } = all;
  const stored = Array.from({ length: messages }, (_, i) => ({
    id: `h${i}`, turn_id: `turn-${1000 - i + (i % 2)}`, role: i % 2 ? 'assistant' : 'user', text: `早-${i}`, created_at: clock.now() - 1e8 + i, state: 'normal',
    end_reason: 'complete'
  }));
  stored.filter((one) => one.role === 'assistant').forEach((one) => cloud.turns.set(one.turn_id, { id: one.turn_id, over: true, conversation: null, log: [{ type: 'text', delta: one.text }] }));
  const conversation = { id: 'old', title: '旧', snippet: '', created_at: 1, last_activity_at: 2, messages: stored };
  cloud.turns.forEach((turn) => { turn.conversation = conversation; });
  cloud.conversations.set('old', conversation);
  app.release(all.chat);
  const chat = app.chat('old');
  const view = pageOf(chat);
  chat.open();
  return Object.assign(all, { chat }, view);
}

/** The walk's own memory of what a person expects to find. */
class Walk {
  constructor(all) {
    this.all = all;
    this.serial = 0;
    this.draft = '';
    /** the draft that an edit put aside */
    this.aside = null;
    /** a message was given up whose fate nobody knows: the service may have got it */
    this.unknown = false;
    this.failing = null;
    all.cloud.onCall = ({ method }) => {
      if (!this.failing || this.failing.calls <= 0) return null;
      const fault = FAULTS[this.failing.kind];
      // A service that has taken a message does not say later that it knows nothing of it.
      if (fault.status === 404 && method !== 'GET') return null;
      this.failing.calls -= 1;
      return fault;
    };
    all.cloud.onTurn = (turn) => {
      const words = Array.from({ length: 12 }, (_, i) => `词${i}-${turn.id} `);
      all.cloud.play(turn, [{ type: 'reasoning', delta: '想' }].concat(words), 90, { reason: this.serial % 3 ? 'complete' : 'length' });
      if (turn.stopped) turn.over = true;
    };
  }

  words() {
    this.serial += 1;
    return `话-${this.serial}-完`;
  }

  users() {
    const { older, recent } = this.all.chat.state;
    return older.slice().reverse().concat(recent).filter((one) => one.role === 'user');
  }

  /** Every message that the service has, with the number of its turn. */
  roles() {
    const { older, recent } = this.all.chat.state;
    return older.slice().reverse().concat(recent).filter((one) => one.turnId).map((one) => ({ at: Number(one.turnId.replace('turn', '')), role: one.role }));
  }

  lastAnswer() {
    return this.all.chat.state.recent.concat().reverse().find((one) => one.role === 'assistant');
  }

  async take(one) {
    const { chat, clock, app, cloud, wx } = this.all;
    const pick = (list) => list[one.at % list.length];
    if (one.do === 'wait') await clock.advance(one.ms);
    else if (one.do === 'type') {
      this.draft = this.words();
      chat.setDraft(this.draft);
    } else if (one.do === 'send') this.send();
    else if (one.do === 'hide') app.hide();
    else if (one.do === 'show') app.show();
    else if (one.do === 'offline') wx.setOnline(false);
    else if (one.do === 'online') wx.setOnline(true);
    else if (one.do === 'cut') cloud.cutAll(1006);
    else if (one.do === 'stop') chat.stop();
    else if (one.do === 'older') chat.loadOlder();
    else if (one.do === 'fault') this.failing = { kind: one.kind, calls: one.calls };
    else if (one.do === 'limit') cloud.limited = one.seconds;
    else if (one.do === 'regenerate' || one.do === 'continue') {
      const last = this.lastAnswer();
      if (!last || !(one.do === 'regenerate' ? last.canRegenerate : last.canContinue)) return;
      if (one.do === 'regenerate') chat.regenerate(last.key);
      else chat.continueAnswer(last.key);
    } else if (one.do === 'cancelEdit') {
      if (!chat.state.editing) return;
      chat.cancelEdit();
      this.draft = this.aside || '';
      this.aside = null;
    } else if (one.do === 'edit') {
      const may = this.users().filter((each) => each.canEdit);
      if (!may.length || chat.state.busy) return;
      const chosen = pick(may);
      chat.startEdit(chosen.key);
      if (this.aside === null) this.aside = this.draft;
      this.draft = chosen.text;
    } else if (one.do === 'retry') {
      const may = this.users().filter((each) => each.canRetry);
      if (may.length) chat.retry(pick(may).key);
    } else if (one.do === 'remove') {
      const may = this.users().filter((each) => each.state === 'waiting' || each.state === 'failed');
      if (!may.length) return;
      const chosen = pick(may);
      this.giveUp([chosen]);
      chat.remove(chosen.key);
    }
  }

  attempts(user) {
    const unsent = this.all.chat.sending.list.find((one) => 'u:' + one.clientId === user.key);
    return unsent ? unsent.attempts : 0;
  }

  /** After so many attempts the program stops and says so; what became of them is anybody's guess until it is sent again. */
  exhausted() {
    this.giveUp(this.users().filter((one) => one.state === 'failed' && this.attempts(one) >= 8));
  }

  giveUp(users) {
    if (users.some((one) => this.attempts(one) > 0)) this.unknown = true;
  }

  send() {
    const { chat } = this.all;
    const text = this.words();
    const { editing } = chat.state;
    const users = this.users();
    const tried = users.slice(users.findIndex((each) => each.key === editing) + 1).filter((each) => this.attempts(each) > 0);
    if (!chat.send(text)) return;
    if (editing) {
      if (tried.length) this.unknown = true;
      this.draft = this.aside || '';
    } else this.draft = '';
    this.aside = null;
  }

  /** Peace: whatever can be done is done. */
  async rest() {
    const { app, wx, clock, chat } = this.all;
    this.failing = null;
    app.show();
    wx.setOnline(true);
    await clock.until(() => chat.state.loaded || !chat.state.conversationId, 60000);
    for (let page = 0; page < 9 && chat.state.hasOlder; page += 1) await Promise.all([chat.loadOlder(), clock.advance(400)]);
    const quiet = () => clock.until(() => !chat.state.busy && !chat.state.recent.some((one) => one.state === 'waiting' || one.state === 'sending'), 900000, 500);
    await quiet();
    this.exhausted();
    this.users().filter((one) => one.canRetry).forEach((one) => chat.retry(one.key));
    await quiet();
    await clock.advance(60000);
  }

  check() {
    const { chat, page, cloud, app } = this.all;
    const { state } = chat;
    assert.equal(state.busy, false);
    assert.equal(state.stopping, false);
    assert.equal(state.limit, null);
    assert.equal(state.canSend, true);
    assert.equal(chat.live, null);
    assert.equal(state.draft, this.draft, 'the draft is what was typed last');
    assert.equal(app.memory.draft(state.conversationId), state.editing ? this.aside || '' : this.draft, 'and it is kept');
    const keys = state.older.concat(state.recent).map((one) => one.key);
    assert.equal(new Set(keys).size, keys.length, 'nothing is shown twice');
    assert.deepEqual(page.data, JSON.parse(JSON.stringify(state)), 'the page shows the state');
    const users = this.users();
    users.forEach((one) => assert.ok(one.state === 'sent', one.state));
    if (this.unknown) return;
    const shown = users.filter((one) => one.state === 'sent').map((one) => one.text);
    const kept = cloud.conversations.size ? Array.from(cloud.conversations.values()) : [];
    assert.ok(kept.length <= 1, 'one conversation');
    const stored = kept.length ? kept[0].messages.filter((one) => one.role === 'user').map((one) => one.text) : [];
    assert.deepEqual(shown, stored, 'what is shown as sent is what the service has');
    assert.equal(new Set(stored).size, stored.length, 'nothing was sent twice');
    assert.deepEqual(this.roles(), this.roles().slice().sort((a, b) => a.at - b.at), 'questions and answers in their order');
    state.older.concat(state.recent).filter((one) => one.role === 'assistant').forEach((one) => {
      const turn = cloud.turns.get(one.turnId);
      assert.equal(one.state, 'done');
      if (one.end === 'failed') return;
      assert.equal(chat.plainText(one.key), cloud.textOf(turn), 'the whole answer');
      const component = this.all.watch(one.key);
      assert.deepEqual(drawn(component.data.b), drawn(parse(cloud.textOf(turn), { imageHosts: [] })));
    });
  }
}

test('hide, show, offline, stop, regenerate, edit, send at random moments: nothing stuck, lost or doubled', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 60, size: 'max' }), fc.integer({ min: 1, max: 1e6 }), fc.constantFrom(0, 0, 2, 30), async (steps, seed, before) => {
    const all = await opened(seed, before);
    const walk = new Walk(all);
    for (const one of steps) {
      await walk.take(one);
      walk.exhausted();
    }
    await walk.rest();
    walk.check();
  }), { numRuns: Number(process.env.YUNLIAO_WALKS || 300), includeErrorInReport: true });
});
