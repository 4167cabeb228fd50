'use strict';
// A person's own account below its screens: amounts, refusals, the file to take along, erasure, entries.
const test = require('node:test');
const assert = require('node:assert/strict');
const fc = require('fast-check');
const { amount, change, readCredits, readEntries, readReceipt } = require('../../miniprogram/core/credits');
const { bytesOf, fileName, readErasure, readPart, size } = require('../../miniprogram/core/personal_data');
const { fromBody, toView, CallFailed, problem } = require('../../miniprogram/core/errors');
const { Files } = require('../../miniprogram/services/files');
const { AccountApi } = require('../../miniprogram/services/account_api');
const { Privacy } = require('../../miniprogram/stores/privacy');
const { Credits } = require('../../miniprogram/stores/credits');

test('amounts: every micro-credit is shown, none is made up', () => {
  for (const [micro, words] of [[0, '0'], [1, '0.000001'], [1000000, '1'], [1500000, '1.5'], [-4210, '-0.00421'], [1234567890000, '1,234,567.89'], [9007199254740991, '9,007,199,254.740991']]) {
    assert.equal(amount(micro), words);
  }
  assert.deepEqual([change(5), change(-5), change(0)], ['+0.000005', '-0.000005', '0']);
  fc.assert(fc.property(fc.integer({ min: -(10 ** 15), max: 10 ** 15 }), (micro) => {
    const [whole, part] = amount(Math.abs(micro)).replaceAll(',', '').split('.');
    return Number(whole) * 1000000 + Number((part || '').padEnd(6, '0')) === Math.abs(micro) && amount(micro).startsWith('-') === micro < 0;
  }));
});

test('bytes of a text, and names of files, whatever the text is', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => bytesOf(text) === Buffer.byteLength(text)));
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => /^[\w-][\w.-]{0,79}$/.test(fileName(text))));
  assert.equal(fileName('../../etc/passwd'), 'etc-passwd');
  assert.deepEqual([size(12), size(2048), size(200 * 1024), size(3 * 1024 * 1024)], ['12 B', '2.0 KB', '200 KB', '3.0 MB']);
});

test('answers of no known shape are read without a fault', () => {
  fc.assert(fc.property(fc.anything(), (value) => {
    readCredits(value);
    readEntries(value);
    readReceipt(value);
    readErasure(value);
    readPart(value);
    return true;
  }));
  assert.equal(readReceipt({}), null);
  assert.equal(readPart({ name: 'x' }), null);
});

test('a refusal says what is missing, in both languages, and where it is found', () => {
  const midnight = new Date(2026, 10, 22).getTime();
  const said = (code, more) => ['zh', 'en'].map((lang) => toView(fromBody({ error: { code, message: '中', message_en: 'en', ...more } }), lang));
  const [zh, en] = said('insufficient_credits', { needed: 32240, available: 1000, renews_at: midnight });
  assert.equal(zh.detail, '需要约 0.03224，可用 0.001，2026年11月22日 00:00 更新');
  assert.equal(en.detail, 'Needs about 0.03224, you have 0.001, renewed Nov 22, 2026 00:00');
  assert.deepEqual([zh.help, zh.canRetry], ['credits', true]);
  assert.equal(said('turn_limit', { needed: 5 })[0].detail, '需要约 0.000005');
  assert.equal(said('overseas_consent_required')[0].help, 'privacy');
  const [plain] = said('internal');
  assert.deepEqual([plain.detail, plain.help], ['', '']);
});

/** The files of a phone, in memory. */
function phoneFiles(more = {}) {
  const held = new Map();
  const calls = { writeFile: [], appendFile: [], unlink: [] };
  const answer = (name, run) => (options) => {
    if (calls[name]) calls[name].push(options.filePath);
    Promise.resolve().then(() => run(options)).then(options.success, options.fail);
  };
  const manager = {
    writeFile: answer('writeFile', ({ filePath, data }) => { held.set(filePath, data); }),
    appendFile: answer('appendFile', ({ filePath, data }) => { held.set(filePath, held.get(filePath) + data); }),
    unlink: answer('unlink', ({ filePath }) => { held.delete(filePath); }),
    readdir: answer('readdir', ({ dirPath }) => ({ files: [...held.keys()].map((name) => name.slice(dirPath.length + 1)) })),
  };
  return { held, calls, wx: { env: { USER_DATA_PATH: 'wxfile://usr' }, getFileSystemManager: () => manager, shareFileMessage: ({ success }) => success(), ...more } };
}

/** A privacy store over scripted parts. `parts` a function of the cursor that gives a part, throws, or waits. */
function privacyOver(parts, files = phoneFiles()) {
  const asked = [];
  const account = new AccountApi({ request: async (method, path) => { asked.push(`${method} ${path}`); return parts(path); } });
  const session = { erasure: null, eraseAll: async () => { session.erasure = readErasure(await account.api.request('DELETE', '/v1/me')); return true; }, needConsent() { session.needed = true; }, accept: async () => true };
  const store = new Privacy({ account, api: { me: async () => ({ consent: { version: 'v', current: 'v', accepted_at: 1795150000000, overseas: true } }) }, files: new Files(files.wx), session, lang: () => 'zh' });
  return { store, asked, files, session };
}

const part = (number, of) => ({ name: 'yunliao-export-1.json', content: `第${number}段;`, next: number < of ? `c${number + 1}` : null, records: 2 });
const numberIn = (path) => Number((/cursor=c(\d+)/.exec(path) || [0, 1])[1]);

test('an export is all parts in order, counted as they come', async () => {
  const { store, asked, files } = privacyOver((path) => part(numberIn(path), 3));
  const seen = [];
  store.subscribe((patch) => { if ('records' in patch) seen.push(patch.records); });
  await store.take('json');
  assert.deepEqual([...files.held.values()], ['第1段;第2段;第3段;']);
  assert.deepEqual([store.state.step, store.state.records, store.state.bytes], ['ready', 6, '24 B']);
  assert.deepEqual(seen.filter(Boolean), [2, 4, 6]);
  assert.deepEqual(asked, ['GET /v1/me/export?format=json', 'GET /v1/me/export?format=json&cursor=c2', 'GET /v1/me/export?format=json&cursor=c3']);
  assert.equal(await store.share(), true);
  await store.leave();
  assert.equal(files.held.size, 0);
  assert.equal(store.state.step, 'idle');
});

test('an export that is left in the middle writes nothing more and leaves no file', async () => {
  let more;
  const gate = new Promise((resolve) => { more = resolve; });
  const { store, files } = privacyOver(async (path) => {
    if (numberIn(path) === 2) await gate;
    return part(numberIn(path), 3);
  });
  const taking = store.take('json');
  while (!files.held.size) await new Promise((done) => setImmediate(done));
  await store.leave();
  more();
  await taking;
  assert.equal(files.held.size, 0);
  assert.deepEqual(files.calls.appendFile, []);
  assert.equal(store.state.step, 'idle');
});

test('an export that fails, and a phone that cannot keep files, say so', async () => {
  const failing = privacyOver((path) => { if (numberIn(path) === 2) throw new CallFailed(problem({ code: 'internal', zh: '坏了' })); return part(1, 3); });
  await failing.store.take('markdown');
  assert.deepEqual([failing.store.state.step, failing.store.state.exportError.message], ['failed', '坏了']);
  await failing.store.leave();
  assert.equal(failing.files.held.size, 0);

  const old = privacyOver(() => part(1, 1), phoneFiles({ getFileSystemManager: undefined }));
  await old.store.take('json');
  assert.deepEqual([old.store.state.step, old.store.state.exportError.key, old.asked], ['failed', 'error.no_files', []]);
});

test('what an earlier run left behind goes at the next start, and nothing else does', async () => {
  const files = phoneFiles();
  files.held.set('wxfile://usr/yunliao-export-20261121.json', 'old words');
  files.held.set('wxfile://usr/something-else.txt', 'not ours');
  await new Files(files.wx).sweep();
  assert.deepEqual([...files.held.keys()], ['wxfile://usr/something-else.txt']);
});

test('what is kept of an erasure is shown, and its whole receipt can be taken along', async () => {
  const receipt = { id: 'erase_1', what: 'account', held: true, erased_at: 1795253412000, records: { users: 1, messages: 41 }, remains: [{ code: 'backups', text: '备份', text_en: 'Backups' }], signature: 'v1.x' };
  const { store } = privacyOver(() => receipt);
  await store.load();
  assert.deepEqual([store.state.given, store.state.overseas], [true, true]);
  assert.equal(await store.eraseAll(), true);
  assert.deepEqual([store.state.receipt.id, store.state.receipt.records, store.state.receipt.remains], ['erase_1', 42, ['备份']]);
  assert.deepEqual(JSON.parse(store.state.receipt.words), receipt);
  assert.equal(store.state.given, false);
});

test('entries: pages follow each other, one that came twice is shown once', async () => {
  const entry = (number) => ({ number, kind: 'settle', amount: 5, change: -5, turn_id: `turn_${number}`, at: 1795150000000 + number, note: '' });
  const pages = { '': { entries: [5, 4].map(entry), next: '4' }, 4: { entries: [4, 3].map(entry), next: null } };
  const account = new AccountApi({ request: async (method, path) => (path.includes('entries') ? pages[(/before=(\d+)/.exec(path) || [0, ''])[1]] : { active: true, balance: 7, allowance: { amount: 4, left: 1, renews_at: 1 } }) });
  const store = new Credits({ account, session: { state: { models: [] } }, lang: () => 'en' });
  await store.load();
  assert.deepEqual([store.state.balance, store.state.allowance.percent, store.state.more], ['0.000007', 25, true]);
  await store.loadMore();
  assert.deepEqual(store.state.entries.map((one) => one.number), [5, 4, 3]);
  assert.equal(store.state.more, false);
  await store.loadMore();
  assert.equal(store.state.entries.length, 3);
});

test('a code: what it brought, or why it did not', async () => {
  let wrong = true;
  const account = new AccountApi({ request: async (method, path, body) => {
    if (!path.endsWith('redeem')) return {};
    if (wrong) throw new CallFailed(fromBody({ error: { code: 'code_invalid', message: '无效', message_en: 'no' } }));
    return { amount: 2500000, expires_at: null, balance: 1, code: body.code };
  } });
  const store = new Credits({ account, session: { state: { models: [] } }, lang: () => 'zh' });
  assert.equal(await store.redeem('  '), false);
  assert.equal(await store.redeem('x'), false);
  assert.equal(store.state.codeError.message, '无效');
  wrong = false;
  assert.equal(await store.redeem(' ABC '), true);
  assert.deepEqual([store.state.redeemed, store.state.codeError], ['2.5', null]);
});
