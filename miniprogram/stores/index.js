/** The program below its screens, plugged together. Nothing exists before `createYunliao`; `wx` comes as an argument. */

const { Cloud } = require('../services/cloud');
const { Api } = require('../services/api');
const { AccountApi } = require('../services/account_api');
const { Files } = require('../services/files');
const { Transport } = require('../services/transport');
const { phoneClock } = require('../services/clock');
const { Memory } = require('./memory');
const { Settings } = require('./settings');
const { Session } = require('./session');
const { Conversations } = require('./conversations');
const { Chat } = require('./chat');
const { Privacy } = require('./privacy');
const { Credits } = require('./credits');
const { Operator } = require('./operator');

/**
 * What is used of `wx`.
 * @typedef {import('./memory').WxStorage & import('../services/files').WxFiles & { cloud: any,
 *   getSystemSetting?: () => object, getAppBaseInfo?: () => { theme?: string, language?: string }, getSystemInfoSync?: () => { theme?: string, language?: string },
 *   onNetworkStatusChange?: (run: (result: { isConnected: boolean }) => void) => void,
 *   getNetworkType?: (options: { success: (result: { networkType: string }) => void }) => void,
 *   onThemeChange?: (run: (result: { theme: string }) => void) => void }} Wx
 */

const CHATS_KEPT = 4;

class Yunliao {
  /** @param {{ wx: Wx, env: string, service: string, clock?: import('../core/throttle').Clock, random?: () => number }} options */
  constructor(options) {
    const { wx } = options;
    const clock = options.clock || phoneClock;
    const random = options.random || Math.random;
    this.wx = wx;
    this.memory = new Memory(wx);
    this.settings = new Settings({ memory: this.memory, system: systemOf(wx) });
    this.cloud = new Cloud({ cloud: wx.cloud, env: options.env, service: options.service, clock });
    this.api = new Api({ cloud: this.cloud, clock, random });
    const account = new AccountApi(this.api);
    this.transport = new Transport({ cloud: this.cloud, api: this.api, clock, random });
    const lang = () => this.settings.state.lang;
    this.session = new Session({ api: this.api, account, clock, random, lang, memory: this.memory });
    this.conversations = new Conversations({ api: this.api, account, clock, lang, onRemoved: (id) => this.drop(id), onRenamed: (id, title) => this.retitle(id, title) });
    this.files = new Files(wx);
    this.privacy = new Privacy({ account, api: this.api, files: this.files, session: this.session, lang });
    this.credits = new Credits({ account, session: this.session, lang });
    this.operator = new Operator({ api: this.api, memory: this.memory, clock, lang });
    /** @type {Chat[]} newest use last */ this.chats = [];
    this.parts = {
      api: this.api, transport: this.transport, clock, random, memory: this.memory, settings: this.settings, session: this.session,
      onConversation: () => {},
      /** @param {string} id @param {Partial<import('../core/protocol').Conversation>} change */
      onActivity: (id, change) => this.conversations.touch(id, change)
    };
    this.cloud.init();
    this.listen();
  }

  listen() {
    const { wx } = this;
    if (wx.onNetworkStatusChange) wx.onNetworkStatusChange((result) => this.network(result.isConnected !== false));
    if (wx.getNetworkType) wx.getNetworkType({ success: (result) => this.network(result.networkType !== 'none') });
    if (wx.onThemeChange) wx.onThemeChange((result) => this.settings.follow({ theme: result.theme }));
    this.settings.subscribe((patch) => {
      if (patch.lang) this.conversations.show();
    });
    let user = '';
    this.session.subscribe(() => {
      if (user && user !== this.session.state.userId) this.forget();
      user = this.session.state.userId;
    });
  }

  /** Wakes the service and reads configuration, person and models. Never throws. */
  launch() {
    this.files.sweep();
    return this.session.start();
  }

  show() {
    this.transport.show();
    if (this.session.state.phase !== 'ready' && this.session.state.phase !== 'starting') this.session.retry();
    this.chats.forEach((chat) => chat.wake());
  }

  hide() {
    this.transport.hide();
  }

  /** @param {boolean} online */
  network(online) {
    if (online === this.session.state.online) return;
    this.session.network(online);
    this.transport.network(online);
    this.chats.forEach((chat) => chat.wake());
  }

  /** @param {string} conversationId '' = a new conversation @returns {Chat} the same one while it lives */
  chat(conversationId) {
    const known = conversationId ? this.chats.find((one) => one.state.conversationId === conversationId) : undefined;
    const chat = known || new Chat(this.parts, conversationId || '');
    this.chats = this.chats.filter((one) => one !== chat).concat(chat);
    const spare = this.chats.filter((one) => one !== chat && !one.state.busy && !one.sending.list.length && !one.listeners.length);
    spare.slice(0, Math.max(0, this.chats.length - CHATS_KEPT)).forEach((one) => this.release(one));
    return chat;
  }

  /** @param {Chat} chat */
  release(chat) {
    chat.dispose();
    this.chats = this.chats.filter((one) => one !== chat);
  }

  /** @param {string} id @param {string} title */
  retitle(id, title) {
    const chat = this.chats.find((one) => one.state.conversationId === id);
    if (chat) chat.put({ title });
  }

  /** @param {string} id a deleted conversation */
  drop(id) {
    this.memory.keepDraft(id, '');
    const chat = this.chats.find((one) => one.state.conversationId === id);
    if (chat) this.release(chat);
  }

  /** Everything of one person leaves the memory. */
  forget() {
    this.chats.slice().forEach((chat) => this.release(chat));
    this.conversations.forget();
    this.credits.forget();
    this.operator.forget();
    this.privacy.leave();
    this.memory.clear();
  }
}

/** @param {Wx} wx @returns {{ theme: string, language: string }} */
function systemOf(wx) {
  try {
    const info = wx.getAppBaseInfo ? wx.getAppBaseInfo() : wx.getSystemInfoSync ? wx.getSystemInfoSync() : {};
    return { theme: info.theme || 'light', language: info.language || 'zh_CN' };
  } catch (error) {
    return { theme: 'light', language: 'zh_CN' };
  }
}

/** @param {{ wx: Wx, env: string, service: string, clock?: import('../core/throttle').Clock, random?: () => number }} options @returns {Yunliao} */
function createYunliao(options) {
  return new Yunliao(options);
}

module.exports = { createYunliao, Yunliao };
