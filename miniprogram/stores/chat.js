/**
 * One conversation as a chat page shows it. Words live in memory only; the phone's storage gets the unsent draft, nothing else.
 *
 * Parts: timeline (the two lists), sending (outbox), LiveTurn (the answer that is coming), Answer (text per message).
 */

const { Store } = require('./store');
const { Timeline } = require('./timeline');
const { Sending } = require('./sending');
const { LiveTurn } = require('./live_turn');
const { Answer } = require('./answer');
const { entry, fromStored } = require('./message');
const { clientId } = require('../core/ids');
const { withLabel } = require('../core/label');
const { fromApi, problem, problemOf, toView } = require('../core/errors');

/**
 * @typedef {import('./message').Entry} Entry
 * @typedef {import('../core/errors').Problem} Problem
 * @typedef {{ conversationId: string, title: string, loading: boolean, loaded: boolean, loadingOlder: boolean, hasOlder: boolean,
 *   error: import('../core/errors').ErrorView | null, older: any[], recent: any[], busy: boolean, stopping: boolean, draft: string,
 *   canSend: boolean, editing: string, online: boolean, waking: boolean, link: import('../services/transport').LinkName,
 *   limit: null | { until: number, seconds: number }, empty: boolean }} ChatState
 * @typedef {{ api: import('../services/api').Api, transport: import('../services/transport').Transport, clock: import('../core/throttle').Clock,
 *   random: () => number, memory: import('./memory').Memory, settings: import('./settings').Settings, session: import('./session').Session,
 *   onConversation(chat: Chat): void, onActivity(id: string, change: Partial<import('../core/protocol').Conversation>): void }} ChatParts
 */

const PAGE = 20;
const LONGEST = 4000;

/** @extends {Store<ChatState>} */
class Chat extends Store {
  /** @param {ChatParts} parts @param {string} conversationId '' = a new one */
  constructor(parts, conversationId) {
    super({
      conversationId, title: '', loading: false, loaded: conversationId === '', loadingOlder: false, hasOlder: false, error: null, older: [],
      recent: [], busy: false, stopping: false, draft: parts.memory.draft(conversationId), canSend: true, editing: '',
      online: parts.session.state.online, waking: parts.session.state.waking, link: '', limit: null, empty: conversationId === ''
    });
    this.parts = parts;
    this.timeline = new Timeline(this, () => ({
      lang: parts.settings.state.lang, now: parts.clock.now(), label: parts.session.state.aiLabel
    }));
    /** @type {Map<string, Answer>} */ this.answers = new Map();
    /** @type {LiveTurn | null} */ this.live = null;
    /** @type {Entry | null} */ this.liveEntry = null;
    this.next = '';
    this.starting = false;
    /** @type {Array<(key: string) => void>} */ this.growers = [];
    /** @type {(() => void) | null} */ this.ticker = null;
    /** @type {(() => void) | null} */ this.limitTimer = null;
    this.thinkingSince = 0;
    this.lang = parts.settings.state.lang;
    this.sending = new Sending(parts, {
      mayRun: () => !this.live && !this.starting,
      online: () => this.state.online,
      conversationId: () => this.state.conversationId,
      onSending: (id) => this.marked(id, 'sending', null),
      onWaiting: (id, why) => this.marked(id, 'waiting', why.code === 'rate_limited' ? why : null),
      onAccepted: (message, answer) => this.accepted(message, answer),
      onFailed: (id, why) => this.refused(id, why),
      onLimit: (seconds) => this.countDown(seconds)
    });
    this.offs = [
      parts.session.subscribe(() => this.put({ online: parts.session.state.online, waking: parts.session.state.waking })),
      parts.settings.subscribe(() => this.relabel())
    ];
  }

  /** Loads the newest page and goes on with an answer that is still coming. */
  async open() {
    const id = this.state.conversationId;
    this.parts.transport.prepare();
    if (!id || this.state.loading || this.state.loaded) return;
    this.put({ loading: true, error: null });
    try {
      const [page, about] = await Promise.all([this.parts.api.messages(id, '', PAGE), this.parts.api.conversation(id)]);
      this.next = page.next;
      const liveTurn = about ? about.liveTurn : '';
      const items = page.items.filter((one) => !(liveTurn && one.role === 'assistant' && one.turnId === liveTurn));
      this.put({ loading: false, loaded: true, hasOlder: page.next !== '', title: about ? about.title : '' });
      this.timeline.addOlder(this.taken(items));
      if (liveTurn && !this.live) this.follow(liveTurn, [], this.parts.clock.now());
    } catch (error) {
      this.put({ loading: false, error: this.shown(problemOf(error)) });
    }
  }

  /** The page above. */
  async loadOlder() {
    if (this.state.loadingOlder || !this.next) return;
    this.put({ loadingOlder: true });
    try {
      const page = await this.parts.api.messages(this.state.conversationId, this.next, PAGE);
      this.next = page.next;
      this.timeline.addOlder(this.taken(page.items));
      this.put({ loadingOlder: false, hasOlder: page.next !== '' });
    } catch (error) {
      this.put({ loadingOlder: false, error: this.shown(problemOf(error)) });
    }
  }

  /** @param {import('../core/protocol').StoredMessage[]} items ascending @returns {Entry[]} newest first, without what is shown already */
  taken(items) {
    /** @type {Entry[]} */ const out = [];
    items.forEach((stored) => {
      const one = fromStored(stored, fromApi);
      if (this.timeline.find(one.key)) return;
      if (one.role === 'assistant') this.answer(one.key).load(stored.text, stored.reasoning);
      out.unshift(one);
    });
    return out;
  }

  /** @param {string} key @returns {Answer} */
  answer(key) {
    const known = this.answers.get(key);
    if (known) return known;
    const made = new Answer({
      clock: this.parts.clock, imageHosts: this.parts.session.state.imageHosts, instant: this.parts.settings.state.reducedMotion,
      onGrow: () => this.growers.forEach((grown) => grown(key))
    });
    this.answers.set(key, made);
    return made;
  }

  /** @param {string} key @param {(patch: Record<string, unknown>) => void} watcher @returns {() => void} */
  watchAnswer(key, watcher) {
    return this.answer(key).watch(watcher);
  }

  /** @param {string} key @param {boolean} open */
  openReasoning(key, open) {
    this.answer(key).openReasoning(open);
  }

  /** @param {(key: string) => void} run @returns {() => void} */
  onGrow(run) {
    this.growers.push(run);
    return () => {
      this.growers = this.growers.filter((one) => one !== run);
    };
  }

  /** @param {string} text kept for this conversation until it is sent */
  setDraft(text) {
    this.put({ draft: text });
    this.parts.memory.keepDraft(this.state.conversationId, text);
  }

  /** @param {string} text @returns {boolean} false when nothing was sent */
  send(text) {
    const words = text.trim();
    if (!words || this.state.busy || this.state.limit) return false;
    if (Array.from(words).length > LONGEST) {
      this.put({ error: this.shown(problem({ code: 'too_large' })) });
      return false;
    }
    const edited = this.state.editing ? this.timeline.find(this.state.editing) : undefined;
    const replaces = edited ? edited.id : '';
    if (edited) this.timeline.remove(edited, true);
    this.setDraft('');
    this.put({ editing: '', error: null });
    const id = clientId(this.parts.clock.now(), this.parts.random);
    this.timeline.add(entry({ key: 'u:' + id, role: 'user', text: words, at: this.parts.clock.now(), state: 'waiting' }));
    this.sending.put({ clientId: id, text: words, conversationId: this.state.conversationId, model: this.parts.settings.state.model, replaces });
    return true;
  }

  /** @param {string} id client id @param {string} state @param {Problem | null} why */
  marked(id, state, why) {
    const one = this.timeline.find('u:' + id);
    if (one) this.timeline.edit(one, { state, problem: why });
    this.put({ busy: state === 'sending' || this.live !== null });
  }

  /** @param {string} id client id @param {Problem} why */
  refused(id, why) {
    if (why.code === 'consent_required') this.parts.session.needConsent();
    this.marked(id, why.code === 'blocked_input' ? 'blocked' : 'failed', why);
  }

  /** @param {import('../core/outbox').Unsent} message @param {import('../core/protocol').TurnAnswer} answer */
  accepted(message, answer) {
    const { turn } = answer;
    const isNew = this.state.conversationId === '' && turn.conversationId !== '';
    if (isNew) {
      this.parts.memory.keepDraft('', '');
      this.put({ conversationId: turn.conversationId });
      if (this.state.draft) this.parts.memory.keepDraft(turn.conversationId, this.state.draft);
      this.parts.onConversation(this);
    }
    const one = this.timeline.find('u:' + message.clientId);
    if (one) this.timeline.edit(one, { state: 'sent', turnId: turn.id, at: turn.createdAt || one.at, problem: null });
    /** @type {Partial<import('../core/protocol').Conversation>} */ const change = { at: this.parts.clock.now(), snippet: message.text.slice(0, 80), liveTurn: turn.id };
    if (isNew) change.title = message.text.slice(0, 30);
    this.parts.onActivity(this.state.conversationId, change);
    this.follow(turn.id, answer.events, turn.createdAt || this.parts.clock.now());
  }

  /** @param {string} turnId @param {import('../core/protocol').TurnEvent[]} events @param {number} at ms @param {Entry} [instead] the answer it replaces */
  follow(turnId, events, at, instead) {
    const key = 'a:' + turnId;
    const one = entry({ key, role: 'assistant', turnId, at, state: 'thinking' });
    if (instead) this.timeline.replace(instead, one);
    else this.timeline.add(one);
    this.thinkingSince = 0;
    this.liveEntry = one;
    this.live = new LiveTurn({ id: turnId, transport: this.parts.transport, answer: this.answer(key) }, {
      onChange: (state) => this.changed(one, state),
      onLink: (link) => this.put({ link }),
      onEnd: (state) => this.ended(one, state),
      onLost: (why) => this.lost(one, why)
    });
    this.put({ busy: true, stopping: false });
    this.live.start(events);
  }

  /** @param {Entry} one @param {import('../core/turn').TurnState} state */
  changed(one, state) {
    const user = state.userMessageId && this.timeline.recent.concat(this.timeline.older).find((each) => each.role === 'user' && each.turnId === one.turnId);
    if (user && !user.id) this.timeline.edit(user, { id: state.userMessageId });
    const now = this.parts.clock.now();
    const thinking = state.phase === 'thinking';
    if (thinking && !this.thinkingSince) {
      this.thinkingSince = now;
      this.tick();
    }
    const phase = state.phase === 'done' ? 'done' : state.phase === 'queued' || state.phase === 'streaming' ? state.phase : 'thinking';
    this.timeline.edit(one, {
      state: phase, position: state.position, notice: state.notice, hasReasoning: state.reasoning !== '', thinking,
      thinkSeconds: thinking || (one.thinking && this.thinkingSince) ? Math.round((now - this.thinkingSince) / 1000) : one.thinkSeconds
    });
  }

  /** The reasoning timer: once a second while thinking. */
  tick() {
    if (this.ticker) this.ticker();
    this.ticker = this.parts.clock.after(1000, () => {
      this.ticker = null;
      const one = this.liveEntry;
      if (!one || !one.thinking) return;
      this.timeline.edit(one, { thinkSeconds: Math.round((this.parts.clock.now() - this.thinkingSince) / 1000) });
      this.tick();
    });
  }

  /** @param {Entry} one @param {import('../core/turn').TurnState} state */
  ended(one, state) {
    const end = /** @type {NonNullable<typeof state.end>} */ (state.end);
    const why = end.error ? fromApi(end.error) : null;
    if (why && why.code === 'blocked_input') {
      const user = this.timeline.recent.concat(this.timeline.older).find((each) => each.role === 'user' && each.turnId === one.turnId);
      if (user) this.timeline.edit(user, { state: 'blocked' });
    }
    this.settle(one, { id: end.messageId, end: end.reason, problem: why });
  }

  /** The turn can no longer be followed: what is stored of it is shown. @param {Entry} one @param {Problem} why */
  async lost(one, why) {
    this.live = null;
    try {
      const page = await this.parts.api.messages(this.state.conversationId, '', PAGE);
      const stored = page.items.find((each) => each.role === 'assistant' && each.turnId === one.turnId && each.state !== 'pending');
      if (stored) {
        const answer = this.answer(one.key);
        answer.update({ text: stored.text, reasoning: stored.reasoning, revision: answer.revision + 1, done: true });
        const from = fromStored(stored, fromApi);
        this.settle(one, { id: from.id, end: from.end, problem: from.problem, hasReasoning: from.hasReasoning });
        return;
      }
    } catch (error) {
      // The words of the first problem say more than those of this second try.
    }
    this.answer(one.key).flush();
    this.settle(one, { end: 'failed', problem: why });
  }

  /** @param {Entry} one @param {Partial<Entry>} change */
  settle(one, change) {
    this.live = null;
    this.liveEntry = null;
    if (this.ticker) this.ticker();
    this.ticker = null;
    this.timeline.edit(one, Object.assign({ state: 'done', thinking: false, position: 0 }, change));
    this.put({ busy: false, stopping: false, link: '' });
    this.parts.onActivity(this.state.conversationId, { at: this.parts.clock.now(), liveTurn: '' });
    this.sending.pump();
  }

  /** Ends the answer; what is there stays. */
  async stop() {
    const { live } = this;
    if (!live || this.state.stopping) return;
    this.put({ stopping: true });
    try {
      await this.parts.api.stop(live.id);
    } catch (error) {
      this.put({ stopping: false, error: this.shown(problemOf(error)) });
    }
  }

  /** @param {string} key @param {string} [model] @returns {Promise<boolean>} */
  regenerate(key, model) {
    const one = this.timeline.find(key);
    return one ? this.again(one, (id) => this.parts.api.regenerate(one.turnId, id, model || this.parts.settings.state.model), one) : Promise.resolve(false);
  }

  /** @param {string} key @returns {Promise<boolean>} */
  continueAnswer(key) {
    const one = this.timeline.find(key);
    return one ? this.again(one, (id) => this.parts.api.continueTurn(one.turnId, id), undefined) : Promise.resolve(false);
  }

  /**
   * @param {Entry} one @param {(id: string) => Promise<import('../core/protocol').TurnAnswer>} ask @param {Entry | undefined} instead
   * @returns {Promise<boolean>}
   */
  async again(one, ask, instead) {
    if (this.live || this.starting || !one.turnId) return false;
    this.starting = true;
    this.put({ busy: true, error: null });
    try {
      const { turn, events } = await ask(clientId(this.parts.clock.now(), this.parts.random));
      this.starting = false;
      this.follow(turn.id, events, turn.createdAt || this.parts.clock.now(), instead);
      return true;
    } catch (error) {
      const why = problemOf(error);
      this.starting = false;
      this.put({ busy: false, error: this.shown(why) });
      if (why.code === 'rate_limited') this.countDown(Math.max(1, why.retryAfter));
      return false;
    }
  }

  /** @param {string} key a message that was not sent, or an answer that failed */
  retry(key) {
    const one = this.timeline.find(key);
    if (!one) return;
    if (one.role === 'assistant') this.regenerate(key);
    else {
      this.timeline.edit(one, { state: 'waiting', problem: null });
      this.sending.retry(key.slice(2));
    }
  }

  /** @param {string} key a user message */
  startEdit(key) {
    const one = this.timeline.find(key);
    if (!one || !one.id || this.state.busy) return;
    this.setDraft(one.text);
    this.put({ editing: key });
  }

  cancelEdit() {
    this.put({ editing: '' });
    this.setDraft('');
  }

  /** @param {string} key a message that was not sent */
  remove(key) {
    const one = this.timeline.find(key);
    if (one && one.role === 'user' && !one.turnId && this.sending.remove(key.slice(2))) this.timeline.remove(one, false);
  }

  /** @param {string} key @param {'up'|'down'|'none'} value @param {string[]} [reasons] @param {string} [comment] @returns {Promise<boolean>} */
  async feedback(key, value, reasons, comment) {
    const one = this.timeline.find(key);
    if (!one || !one.id) return false;
    const before = one.feedback;
    this.timeline.edit(one, { feedback: value });
    const done = await this.tried(() => this.parts.api.feedback(one.id, value, reasons || [], comment || ''));
    if (!done) this.timeline.edit(one, { feedback: before });
    return done;
  }

  /** @param {string} key @param {string} reason @param {string} [comment] @returns {Promise<boolean>} */
  report(key, reason, comment) {
    const one = this.timeline.find(key);
    return one && one.id ? this.tried(() => this.parts.api.report(one.id, reason, comment || '')) : Promise.resolve(false);
  }

  /** @param {() => Promise<unknown>} run @returns {Promise<boolean>} */
  async tried(run) {
    try {
      await run();
      return true;
    } catch (error) {
      this.put({ error: this.shown(problemOf(error)) });
      return false;
    }
  }

  /** @param {string} key @returns {string} */
  plainText(key) {
    const one = this.timeline.find(key);
    if (!one) return '';
    return one.role === 'user' ? one.text : this.answer(key).text;
  }

  /** For the clipboard: an answer carries its AI label with it. @param {string} key @returns {string} */
  copyText(key) {
    const one = this.timeline.find(key);
    if (!one || one.role === 'user') return this.plainText(key);
    return withLabel(this.plainText(key), one.label || this.parts.session.state.aiLabel);
  }

  /** @param {string} key @param {number} block @returns {string} */
  codeText(key, block) {
    return this.answer(key).codeAt(block);
  }

  dismissError() {
    this.put({ error: null });
  }

  /** @param {number} seconds */
  countDown(seconds) {
    const until = this.parts.clock.now() + seconds * 1000;
    if (this.limitTimer) this.limitTimer();
    const step = () => {
      const left = Math.ceil((until - this.parts.clock.now()) / 1000);
      this.limitTimer = left > 0 ? this.parts.clock.after(1000, step) : null;
      this.put({ limit: left > 0 ? { until, seconds: left } : null, canSend: left <= 0 });
    };
    step();
  }

  /** The network or the program came back. */
  wake() {
    this.put({ online: this.parts.session.state.online });
    if (!this.state.online) return;
    this.sending.hurry();
    if (!this.state.loaded) this.open();
  }

  /** Words in another language, or another label. */
  relabel() {
    if (this.lang === this.parts.settings.state.lang) return;
    this.lang = this.parts.settings.state.lang;
    this.timeline.redraw();
  }

  /** @param {Problem} why @returns {import('../core/errors').ErrorView} */
  shown(why) {
    if (why.code === 'consent_required') this.parts.session.needConsent();
    return toView(why, this.parts.settings.state.lang);
  }

  /** Nothing runs after this. */
  dispose() {
    this.offs.forEach((off) => off());
    if (this.live) this.live.finish();
    if (this.ticker) this.ticker();
    if (this.limitTimer) this.limitTimer();
    this.answers.forEach((one) => one.stop());
  }
}

module.exports = { Chat };
