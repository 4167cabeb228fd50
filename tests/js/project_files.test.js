'use strict';
// The project as WeChat DevTools opens it: configuration, sizes, libraries, and what must not be in the source.
const test = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { needed, differences } = require('../../tools/miniprogram-npm/sync');

const ROOT = path.join(__dirname, '../..');
const SOURCE = path.join(ROOT, 'miniprogram');
const json = (file) => JSON.parse(fs.readFileSync(path.join(ROOT, file), 'utf8'));
const filesUnder = (dir) => fs.readdirSync(dir, { recursive: true, withFileTypes: true }).filter((e) => e.isFile())
  .map((e) => path.join(e.parentPath || e.path, e.name));
const own = () => filesUnder(SOURCE).filter((file) => !file.includes('miniprogram_npm'));
/** As WeChat compares base libraries. */
const atLeast = (version, least) => {
  const [a, b] = [version, least].map((v) => v.split('.').map(Number));
  for (let i = 0; i < 3; i += 1) if (a[i] !== b[i]) return a[i] > b[i];
  return true;
};

test('the shipped libraries are what package.json and the source ask for, byte for byte', () => {
  const files = needed(ROOT);
  assert.deepEqual(differences(path.join(SOURCE, 'miniprogram_npm'), files), []);
  assert.ok([...files.keys()].some((file) => file.startsWith('tdesign-miniprogram/')), 'TDesign');
  assert.ok(files.has('tdesign-miniprogram/LICENSE'));
});

test('the main package is well below 2 MB as source', (t) => {
  const bytes = filesUnder(SOURCE).reduce((sum, file) => sum + fs.statSync(file).size, 0);
  t.diagnostic(`${Math.round(bytes / 1024)} KiB in ${filesUnder(SOURCE).length} files`);
  assert.ok(bytes < 1024 * 1024, `${bytes} bytes`);
});

test('project.config.json: opens as a mini-program, needs no build, asks for a base library that has what is used', () => {
  const project = json('project.config.json');
  assert.equal(project.compileType, 'miniprogram');
  assert.equal(project.miniprogramRoot, 'miniprogram/');
  assert.equal(typeof project.appid, 'string');
  assert.equal(project.setting.es6, true);
  assert.notEqual(project.setting.packNpmManually, true, 'the npm menu would overwrite the shipped libraries');
  // connectContainer 2.21.1, callContainer 2.23.0, getAppBaseInfo and getWindowInfo 2.20.1, clipboard privacy 2.32.3
  assert.ok(atLeast(project.libVersion, '2.32.3'), project.libVersion);
});

test('app.json: pages, theme, sitemap and lazy loading are there and point to files', () => {
  const app = json('miniprogram/app.json');
  for (const page of app.pages) for (const end of ['js', 'json', 'wxml']) assert.ok(fs.existsSync(path.join(SOURCE, `${page}.${end}`)), `${page}.${end}`);
  assert.equal(app.lazyCodeLoading, 'requiredComponents');
  const theme = json(`miniprogram/${app.themeLocation}`);
  assert.equal(app.darkmode, true);
  for (const value of Object.values(app.window)) {
    if (String(value).startsWith('@')) for (const name of ['light', 'dark']) assert.ok(theme[name][value.slice(1)], `${name} ${value}`);
  }
  assert.ok(json(`miniprogram/${app.sitemapLocation}`).rules.every((rule) => rule.action && rule.page));
  assert.equal(app.componentFramework, undefined, 'the first release runs on the standard framework');
});

test('every picture and permission that app.json could ask for is needed by the source: none is asked for', () => {
  const app = json('miniprogram/app.json');
  for (const name of ['permission', 'requiredPrivateInfos', 'requiredBackgroundModes', 'plugins']) assert.equal(app[name], undefined, name);
  const code = own().filter((file) => file.endsWith('.js')).map((file) => fs.readFileSync(file, 'utf8')).join('\n');
  for (const call of ['getLocation', 'chooseImage', 'chooseMedia', 'getUserProfile', 'getPhoneNumber', 'startRecord', 'wx.request', 'uploadFile', 'downloadFile', 'connectSocket']) {
    assert.ok(!code.includes(call), `${call} would need a declaration or a domain`);
  }
});

test('the source talks to nobody but wx.cloud: no address of a server stands in it', () => {
  for (const file of own()) {
    if (/\.(wxss|wxml|js|json|wxs)$/.test(file)) {
      const text = fs.readFileSync(file, 'utf8').replace(/http:\/\/www\.w3\.org\/2000\/svg/g, '');
      assert.ok(!/\bhttps?:\/\/[a-z0-9-]+\.[a-z]/i.test(text), path.relative(ROOT, file));
    }
  }
});

test('both languages have the same texts', () => {
  const shape = (value) => (Array.isArray(value) ? value.length : value && typeof value === 'object' ? Object.fromEntries(Object.keys(value).sort().map((k) => [k, shape(value[k])])) : typeof value);
  assert.deepEqual(shape(require('../../miniprogram/i18n/en')), shape(require('../../miniprogram/i18n/zh')));
});
