'use strict';
/**
 * A small model of the service behind `wx.cloud`: turns with event logs, conversations, tickets, sockets. It keeps the promises of the real
 * one (same client id = same turn, contiguous numbers), and its links can be told to drop, delay, duplicate, reorder and cut.
 */

const { settle } = require('./fake_clock');

class FakeCloud {
  /** @param {import('./fake_clock').FakeClock} clock @param {() => number} random */
  constructor(clock, random) {
    this.clock = clock;
    this.random = random;
    this.turns = new Map();
    this.byClient = new Map();
    this.conversations = new Map();
    this.calls = [];
    this.sockets = [];
    this.opened = 0;
    this.mostOpen = 0;
    this.tickets = new Set();
    this.generations = 0;
    this.serial = 0;
    this.online = true;
    this.consented = true;
    this.erased = false;
    /** called before each call: may return `{ fail }`, `{ lose: true }` (done, answer lost), `{ delay }` */
    this.onCall = () => null;
    this.socketsAllowed = true;
    /** called with every new turn: who answers it? */
    this.onTurn = () => {};
    /** what happens to a socket frame on its way to the phone: array of frames, each with a delay */
    this.carry = (frame) => [{ frame, delay: 0 }];
  }

  init() {}

  async callContainer(options) {
    const path = options.path;
    this.calls.push(`${options.method} ${path}`);
    const fate = this.onCall(options) || {};
    await this.sleep(fate.delay || 20);
    if (!this.online) throw { errCode: -1, errMsg: 'cloud.callContainer:fail request:fail net::ERR_INTERNET_DISCONNECTED' };
    if (fate.fail) throw fate.fail;
    if (fate.status >= 400 && fate.status < 500) return { statusCode: fate.status, data: '', callID: 'call-1', errMsg: 'cloud.callContainer:ok' };
    const [status, data] = await this.route(options);
    if (!this.online || fate.lose) throw { errCode: 102002, errMsg: 'cloud.callContainer:fail 请求超时 callID: abc-123456' };
    if (fate.status) return { statusCode: fate.status, data: fate.data || '', callID: 'call-1', errMsg: 'cloud.callContainer:ok' };
    if (status >= 400) data.error.status = status;
    return { statusCode: 200, data: JSON.parse(JSON.stringify(data)), callID: 'call-1', errMsg: 'cloud.callContainer:ok' };
  }

  sleep(ms) {
    return new Promise((resolve) => {
      this.clock.after(ms, resolve);
    });
  }

  error(status, code, more) {
    return [status, { error: Object.assign({ code, message: '中文说明', message_en: 'English words', retryable: status >= 429, request_id: 'req-1' }, more) }];
  }

  async route({ method, path, data }) {
    const [plain, query] = path.split('?');
    const params = new Map((query || '').split('&').map((one) => one.split('=')));
    const parts = plain.split('/').filter(Boolean).slice(1);
    if (plain === '/healthz') return [200, { ok: true }];
    if (plain === '/v1/config') {
      return [200, { name: '云聊', ai_notice: 'AI 生成内容', ai_label: 'AI 生成', starters: [{ title: 't', prompt: 'p' }], provider: {}, agreement: { version: '1', title: 'a', markdown: '# a' }, privacy: {}, image_hosts: ['img.example.com'] }];
    }
    if (plain === '/v1/me' && method === 'DELETE') {
      this.erased = true;
      return [200, {}];
    }
    if (plain === '/v1/me') return [200, { user: { id: 'u1' }, consent: { version: this.consented ? '1' : '', current: '1', accepted_at: 1, overseas: false }, limits: { rate: '5/minute' } }];
    if (plain === '/v1/models') return [200, { models: [{ id: 'm1', name: 'One', default: true }] }];
    if (plain === '/v1/me/consent') {
      this.consented = data.version === '1';
      return [200, {}];
    }
    if (plain === '/v1/tickets') {
      const ticket = 't' + (this.serial += 1);
      this.tickets.add(ticket);
      return [201, { ticket, expires_in: 30 }];
    }
    if (parts[0] === 'turns' && parts.length === 1) return this.send(data);
    if (parts[0] === 'turns') return this.turnRoute(parts[1], parts[2], params, data);
    if (plain === '/v1/search') return this.searchRoute(data);
    if (parts[0] === 'conversations') return this.conversationRoute(method, parts[1], parts[2], params, data);
    if (parts[0] === 'messages') return [200, {}];
    return this.error(404, 'not_found');
  }

  send(data) {
    const known = this.byClient.get(data.client_id);
    if (known) {
      if (known.text !== data.text) return this.error(409, 'client_id_conflict', { retryable: false });
      return [200, this.answerOf(known)];
    }
    const busy = this.liveTurn();
    if (busy) return this.error(409, 'turn_in_progress', { turn_id: busy.id, retryable: true });
    if (this.limited) {
      const seconds = this.limited;
      this.limited = 0;
      return this.error(429, 'rate_limited', { retry_after: seconds });
    }
    let id = data.conversation_id;
    if (!id) {
      id = 'c' + (this.serial += 1);
      this.conversations.set(id, { id, title: data.text.slice(0, 20), snippet: data.text, created_at: this.clock.now(), last_activity_at: this.clock.now(), messages: [] });
    }
    const conversation = this.conversations.get(id);
    if (data.replaces) {
      const at = conversation.messages.findIndex((one) => one.id === data.replaces);
      if (at >= 0) conversation.messages.length = at;
    }
    return [202, this.answerOf(this.begin(conversation, data))];
  }

  liveTurn() {
    return Array.from(this.turns.values()).find((turn) => !turn.over);
  }

  begin(conversation, data) {
    this.generations += 1;
    const turn = { id: 'turn' + (this.serial += 1), text: data.text, client: data.client_id, conversation, log: [], userMessage: 'mu' + this.serial, stopped: false };
    this.turns.set(turn.id, turn);
    this.byClient.set(data.client_id, turn);
    if (data.text) conversation.messages.push({ id: turn.userMessage, turn_id: turn.id, role: 'user', text: data.text, created_at: this.clock.now(), state: 'normal' });
    this.emit(turn, { type: 'accepted', turn_id: turn.id, conversation_id: conversation.id, client_id: data.client_id, user_message_id: turn.userMessage, created_at: this.clock.now() });
    this.lastTurn = turn;
    this.onTurn(turn);
    return turn;
  }

  answerOf(turn) {
    return { turn: { id: turn.id, conversation_id: turn.conversation.id, client_id: turn.client, state: 'x', created_at: this.clock.now() }, events: turn.log.slice(), cursor: turn.log.length, live: !turn.over };
  }

  /** Appends an event and tells the sockets that listen. */
  emit(turn, event) {
    const full = Object.assign({ seq: turn.log.length + 1 }, event);
    turn.log.push(full);
    if (event.type === 'end') {
      turn.over = true;
      const text = this.textOf(turn);
      turn.conversation.messages.push({ id: event.message_id || 'ma' + turn.id, turn_id: turn.id, role: 'assistant', text, created_at: this.clock.now(), state: event.reason === 'blocked' ? 'blocked' : 'normal', end_reason: event.reason });
    }
    this.sockets.forEach((socket) => {
      if (socket.turns.has(turn.id)) this.frame(socket, { op: 'event', turn: turn.id, event: full });
    });
  }

  textOf(turn) {
    return turn.log.reduce((text, event) => (event.type === 'text' ? text + event.delta : event.type === 'retract' ? Array.from(text).slice(0, event.keep).join('') : text), '');
  }

  /** Streams `deltas`, one per `every` ms of the fake clock, then the end. */
  async play(turn, deltas, every, end) {
    for (const delta of deltas) {
      if (turn.stopped) break;
      this.emit(turn, typeof delta === 'string' ? { type: 'text', delta } : delta);
      await this.sleep(every);
    }
    this.emit(turn, Object.assign({ type: 'end', reason: turn.stopped ? 'stopped' : 'complete', message_id: 'ma' + turn.id }, end));
  }

  async turnRoute(id, action, params, data) {
    const turn = this.turns.get(id);
    if (!turn) return this.error(404, 'not_found', { retryable: false });
    if (action === 'stop') {
      turn.stopped = true;
      return [200, { turn: { id } }];
    }
    if (action === 'regenerate' || action === 'continue') {
      const known = this.byClient.get(data.client_id);
      const busy = known ? null : this.liveTurn();
      if (busy) return this.error(409, 'turn_in_progress', { turn_id: busy.id, retryable: true });
      const { messages } = turn.conversation;
      if (!known && action === 'regenerate') messages.splice(0, messages.length, ...messages.filter((one) => !(one.role === 'assistant' && one.turn_id === id)));
      return [202, this.answerOf(known || this.begin(turn.conversation, { client_id: data.client_id, text: '' }))];
    }
    const after = Number(params.get('after'));
    const until = this.clock.now() + Number(params.get('wait')) * 1000;
    while (turn.log.length <= after && !turn.over && this.clock.now() < until) await this.sleep(100);
    return [200, { turn_id: id, events: turn.log.slice(after), cursor: turn.log.length, live: !turn.over }];
  }

  searchRoute(data) {
    const results = [];
    this.conversations.forEach((one) => one.messages.forEach((message) => {
      const text = message.text || '';
      if (!text.toLowerCase().includes(data.q.toLowerCase())) return;
      const kind = message.role === 'user' ? 'question' : 'answer';
      results.push({ kind, conversation_id: one.id, title: one.title, message_id: message.id, excerpt: text, at: 5, label: kind === 'answer' ? 'AI 生成' : undefined });
    }));
    const from = Number(data.after || 0);
    return [200, { results: results.slice(from, from + 1), next: from + 1 < results.length ? String(from + 1) : null, searched: 1 }];
  }

  conversationRoute(method, id, action, params, data) {
    if (!id) return [200, { conversations: Array.from(this.conversations.values()).map(({ messages, ...rest }) => Object.assign({ count: messages.length }, rest)), next: null }];
    const one = this.conversations.get(id);
    if (action === 'restore') {
      this.conversations.set(id, this.bin);
      return [200, {}];
    }
    if (!one) return this.error(404, 'not_found', { retryable: false });
    if (action === 'messages') {
      const limit = Number(params.get('limit'));
      const end = params.get('before') ? Number(params.get('before')) : one.messages.length;
      const from = Math.max(0, end - limit);
      return [200, { messages: one.messages.slice(from, end), next: from > 0 ? String(from) : null }];
    }
    if (method === 'PUT') one.title = data.title;
    if (method === 'DELETE') {
      this.bin = one;
      this.conversations.delete(id);
      return [200, { deleted: true, undo_seconds: 8 }];
    }
    const live = Array.from(this.turns.values()).find((turn) => turn.conversation === one && !turn.over);
    return [200, { conversation: { id, title: one.title, snippet: '', created_at: 1, last_activity_at: 2, live_turn_id: live && live.id } }];
  }

  async connectContainer() {
    await this.sleep(20);
    if (!this.online || !this.socketsAllowed) throw { errCode: -1, errMsg: 'cloud.connectContainer:fail' };
    const handlers = { open: [], message: [], close: [], error: [] };
    const socket = { turns: new Set(), handlers, open: true, welcomed: false };
    this.sockets.push(socket);
    this.opened += 1;
    this.mostOpen = Math.max(this.mostOpen, this.sockets.length);
    this.clock.after(5, () => handlers.open.forEach((run) => run()));
    socket.task = {
      onOpen: (run) => handlers.open.push(run), onMessage: (run) => handlers.message.push(run), onClose: (run) => handlers.close.push(run),
      onError: (run) => handlers.error.push(run), send: ({ data, fail }) => (socket.open ? this.receive(socket, JSON.parse(data)) : fail && fail({})),
      close: () => this.cutSocket(socket, 1000, true)
    };
    return { socketTask: socket.task, errMsg: 'ok' };
  }

  receive(socket, frame) {
    if (socket.deaf) return;
    if (frame.op === 'hello') {
      if (!this.tickets.delete(frame.ticket)) this.cutSocket(socket, 4401);
      else {
        socket.welcomed = true;
        this.frame(socket, { op: 'welcome', heartbeat: 10 }, true);
      }
    } else if (frame.op === 'ping') this.frame(socket, { op: 'pong', t: frame.t }, true);
    else if (frame.op === 'resume') {
      const turn = this.turns.get(frame.turn);
      if (!turn) this.frame(socket, { op: 'error', turn: frame.turn, error: this.error(404, 'not_found', { retryable: false })[1].error }, true);
      else {
        socket.turns.add(turn.id);
        turn.log.slice(frame.after).forEach((event) => this.frame(socket, { op: 'event', turn: turn.id, event }));
      }
    }
  }

  frame(socket, frame, sure) {
    (sure ? [{ frame, delay: 0 }] : this.carry(frame)).forEach(({ frame: one, delay }) => {
      this.clock.after(delay + 1, () => {
        if (socket.open && !socket.deaf) socket.handlers.message.forEach((run) => run({ data: JSON.stringify(one) }));
      });
    });
  }

  cutSocket(socket, code, quiet) {
    if (!socket.open) return;
    socket.open = false;
    this.sockets = this.sockets.filter((one) => one !== socket);
    if (!quiet) socket.handlers.close.forEach((run) => run({ code }));
  }

  cutAll(code) {
    this.sockets.slice().forEach((socket) => this.cutSocket(socket, code));
  }
}

/** The parts of `wx` that the stores use, with a storage that can be searched. */
class FakeWx {
  constructor(cloud) {
    this.cloud = cloud;
    this.storage = new Map();
    this.written = '';
    this.networkListeners = [];
  }

  getStorageSync(key) {
    return this.storage.has(key) ? JSON.parse(this.storage.get(key)) : '';
  }

  setStorageSync(key, value) {
    this.storage.set(key, JSON.stringify(value));
    this.written += JSON.stringify([key, value]) + '\n';
  }

  removeStorageSync(key) {
    this.storage.delete(key);
  }

  getAppBaseInfo() {
    return { theme: 'light', language: 'zh_CN' };
  }

  onNetworkStatusChange(run) {
    this.networkListeners.push(run);
  }

  setOnline(online) {
    this.cloud.online = online;
    if (!online) this.cloud.cutAll(1006);
    this.networkListeners.forEach((run) => run({ isConnected: online }));
  }

  onThemeChange(run) {
    this.themeListener = run;
  }
}

module.exports = { FakeCloud, FakeWx, settle };
