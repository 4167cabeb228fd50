'use strict';
/** The whole program below the screens over the fake service, with a page that takes its patches. */
const assert = require('node:assert/strict');
const { createYunliao } = require('../../miniprogram/stores/index');
const { FakeClock } = require('./fake_clock');
const { FakeCloud, FakeWx } = require('./fake_cloud');
const { PageModel } = require('./page_model');
const { randomOf } = require('./answers');

/** @param {number} [seed] */
function program(seed = 1) {
  const clock = new FakeClock();
  const random = randomOf(seed);
  const cloud = new FakeCloud(clock, random);
  const wx = new FakeWx(cloud);
  const app = createYunliao({ wx, env: 'e', service: 's', clock, random });
  return { clock, cloud, wx, app, random };
}

/** A chat page: the list and one component per answer. */
function pageOf(chat) {
  const page = new PageModel(chat.state);
  const answers = new Map();
  chat.subscribe((patch) => page.setData(patch));
  const watch = (key) => {
    const one = new PageModel({});
    answers.set(key, one);
    chat.watchAnswer(key, (patch) => one.setData(patch));
    return one;
  };
  return { page, watch, answers };
}

async function begin(seed) {
  const all = program(seed);
  all.app.launch();
  await all.clock.until(() => all.app.session.state.phase === 'ready');
  const chat = all.app.chat('');
  chat.open();
  const view = pageOf(chat);
  return Object.assign(all, { chat }, view);
}

/** Sends and gives the turn of the service and the page's answer component. */
async function ask(all, text) {
  const before = all.cloud.lastTurn;
  assert.equal(all.chat.send(text), true);
  await all.clock.until(() => all.cloud.lastTurn !== before && all.chat.live);
  const turn = all.cloud.lastTurn;
  return { turn, key: 'a:' + turn.id, component: all.watch('a:' + turn.id) };
}

module.exports = { program, pageOf, begin, ask };
