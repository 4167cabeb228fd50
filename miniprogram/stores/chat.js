/**
 * One conversation as a chat page shows it. Words live in memory only; the phone's storage gets the unsent draft, nothing else.
 *
 * Parts: timeline (the two lists), history (stored pages), sending (outbox), answering (the answer that is coming), asking (stop, again,
 * opinions), answers (text per message), countdown (the rate limit).
 */

const { Store } = require('./store');
const { Timeline } = require('./timeline');
const { Sending } = require('./sending');
const { History } = require('./history');
const { Answers } = require('./answers');
const { Answering } = require('./answering');
const { Asking } = require('./asking');
const { Countdown } = require('./countdown');
const { entry } = require('./message');
const { clientId } = require('../core/ids');
const { withLabel, withCodeLabel } = require('../core/label');
const { problem, toView } = require('../core/errors');

/**
 * @typedef {import('../core/errors').Problem} Problem
 * @typedef {{ conversationId: string, title: string, loading: boolean, loaded: boolean, loadingOlder: boolean, hasOlder: boolean,
 *   error: import('../core/errors').ErrorView | null, older: any[], recent: any[], busy: boolean, stopping: boolean, draft: string,
 *   canSend: boolean, editing: string, online: boolean, waking: boolean, link: import('../services/transport').LinkName,
 *   limit: null | { until: number, seconds: number }, empty: boolean }} ChatState
 * @typedef {{ api: import('../services/api').Api, transport: import('../services/transport').Transport, clock: import('../core/throttle').Clock,
 *   random: () => number, memory: import('./memory').Memory, settings: import('./settings').Settings, session: import('./session').Session,
 *   onConversation(chat: Chat): void, onActivity(id: string, change: Partial<import('../core/protocol').Conversation>): void }} ChatParts
 */

const LONGEST = 4000;
/** A message waits for a history that did not come: how long until the next try, in ms. */
const REOPEN = 3000;

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
    this.history = new History(this);
    this.answers = new Answers(parts);
    this.answering = new Answering(this);
    this.asking = new Asking(this);
    this.countdown = new Countdown(parts.clock, (limit) => this.put({ limit, canSend: limit === null }));
    this.lang = parts.settings.state.lang;
    /** the draft that waits while a message is edited */
    this.aside = '';
    /** What an unsent edit took out of the view, by client id. @type {Map<string, import('./timeline').Removed>} */
    this.replaced = new Map();
    this.disposed = false;
    this.sending = new Sending(parts, {
      mayRun: () => !this.live && !this.asking.starting && this.history.ready,
      online: () => this.state.online,
      conversationId: () => this.state.conversationId,
      onSending: (id) => this.marked(id, 'sending', null),
      onWaiting: (id, why) => this.marked(id, 'waiting', why.code === 'rate_limited' || why.code === 'turn_in_progress' ? why : null),
      onAccepted: (message, answer) => this.accepted(message, answer),
      onFailed: (id, why) => this.refused(id, why),
      onLimit: (seconds) => this.countdown.start(seconds)
    });
    this.offs = [
      parts.session.subscribe(() => this.put({ online: parts.session.state.online, waking: parts.session.state.waking })),
      parts.settings.subscribe(() => this.relabel())
    ];
  }

  /** The turn that is being answered. @returns {import('./live_turn').LiveTurn | null} */
  get live() {
    return this.answering.live;
  }

  /** Loads the newest page and goes on with an answer that is still coming. */
  async open() {
    this.parts.transport.prepare();
    const turn = await this.history.open();
    if (this.disposed) return;
    if (turn && !this.live && !this.timeline.find('a:' + turn)) this.answering.follow(turn, [], this.parts.clock.now(), { after: this.timeline.question(turn) || this.timeline.newestStored() });
    if (this.history.ready || !this.sending.list.length) this.sending.pump();
    else this.parts.clock.after(REOPEN, () => this.wake());
  }

  /** The page above. */
  loadOlder() {
    return this.history.loadOlder();
  }

  /** @param {string} key @param {(patch: Record<string, unknown>) => void} watcher @returns {() => void} */
  watchAnswer(key, watcher) {
    return this.answers.of(key).watch(watcher);
  }

  /** @param {string} key @param {boolean} open */
  openReasoning(key, open) {
    this.answers.of(key).openReasoning(open);
  }

  /** @param {(key: string) => void} run @returns {() => void} */
  onGrow(run) {
    return this.answers.onGrow(run);
  }

  /** @param {string} text kept for this conversation until it is sent */
  setDraft(text) {
    this.put({ draft: text });
    if (!this.state.editing) this.parts.memory.keepDraft(this.state.conversationId, text);
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
    const id = clientId(this.parts.clock.now(), this.parts.random);
    if (edited) this.replace(edited, id);
    const draft = this.state.editing ? this.aside : '';
    this.put({ editing: '', error: null });
    this.setDraft(draft);
    this.timeline.add(entry({ key: 'u:' + id, role: 'user', text: words, at: this.parts.clock.now(), state: 'waiting' }));
    this.sending.put({ clientId: id, text: words, conversationId: this.state.conversationId, model: this.parts.settings.state.model, replaces });
    return true;
  }

  /** An edited message and what followed leave the view; what was not sent yet never will be. @param {import('./message').Entry} edited @param {string} id */
  replace(edited, id) {
    this.timeline.after(edited).forEach((one) => this.remove(one.key));
    this.replaced.set(id, this.timeline.cut(edited));
  }

  /** @param {string} id client id @param {string} state @param {Problem | null} why */
  marked(id, state, why) {
    const one = this.timeline.find('u:' + id);
    if (one) this.timeline.edit(one, { state, problem: why });
    const busy = state === 'sending' || this.live !== null;
    this.put(busy ? { busy } : { busy, stopping: false });
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
      const draft = this.state.editing ? this.aside : this.state.draft;
      // Another new conversation may have been begun meanwhile: its draft is not ours.
      if (this.parts.memory.draft('') === draft) this.parts.memory.keepDraft('', '');
      this.put({ conversationId: turn.conversationId });
      this.parts.memory.keepDraft(turn.conversationId, draft);
      this.parts.onConversation(this);
    }
    const one = this.timeline.find('u:' + message.clientId);
    const stored = this.timeline.question(turn.id);
    // An earlier attempt had arrived, and the history that was loaded meanwhile has the message already.
    if (one && stored && stored !== one) this.timeline.remove(one);
    else if (one) this.timeline.edit(one, { state: 'sent', turnId: turn.id, at: turn.createdAt || one.at, problem: null });
    /** @type {Partial<import('../core/protocol').Conversation>} */ const change = { at: this.parts.clock.now(), snippet: message.text.slice(0, 80), liveTurn: turn.id };
    if (isNew) change.title = message.text.slice(0, 30);
    this.parts.onActivity(this.state.conversationId, change);
    this.replaced.delete(message.clientId);
    if (this.timeline.find('a:' + turn.id)) {
      this.put({ busy: this.live !== null, stopping: false });
      return;
    }
    this.answering.follow(turn.id, answer.events, turn.createdAt || this.parts.clock.now(), { after: stored || one });
    this.asking.stopLive();
  }

  stop() {
    return this.asking.stop();
  }

  /** @param {string} key @param {string} [model] @returns {Promise<boolean>} */
  regenerate(key, model) {
    return this.asking.regenerate(key, model || '');
  }

  /** @param {string} key @returns {Promise<boolean>} */
  continueAnswer(key) {
    return this.asking.continueAnswer(key);
  }

  /** @param {string} key a message that was not sent, or an answer that failed */
  retry(key) {
    const one = this.timeline.find(key);
    if (!one) return;
    if (one.role === 'assistant') this.regenerate(key);
    else {
      Object.assign(one, { state: 'waiting', problem: null, at: this.parts.clock.now() });
      this.timeline.toEnd(one);
      this.sending.retry(key.slice(2));
    }
  }

  /** @param {string} key a user message */
  startEdit(key) {
    const one = this.timeline.find(key);
    if (!one || !one.id || this.state.busy) return;
    if (!this.state.editing) this.aside = this.state.draft;
    this.put({ editing: key, draft: one.text });
  }

  cancelEdit() {
    if (!this.state.editing) return;
    this.put({ editing: '' });
    this.setDraft(this.aside);
  }

  /** @param {string} key a message that was not sent */
  remove(key) {
    const one = this.timeline.find(key);
    if (!one || one.role !== 'user' || one.turnId || !this.sending.remove(key.slice(2))) return;
    const before = this.replaced.get(key.slice(2));
    this.replaced.delete(key.slice(2));
    if (before) this.timeline.restore(one, before);
    else this.timeline.remove(one);
  }

  /** @param {string} key @param {'up'|'down'|'none'} value @param {string[]} [reasons] @param {string} [comment] @returns {Promise<boolean>} */
  feedback(key, value, reasons, comment) {
    return this.asking.feedback(key, value, reasons || [], comment || '');
  }

  /** @param {string} key @param {string} reason @param {string} [comment] @returns {Promise<boolean>} */
  report(key, reason, comment) {
    return this.asking.report(key, reason, comment || '');
  }

  /** @param {string} key @returns {string} */
  plainText(key) {
    const one = this.timeline.find(key);
    if (!one) return '';
    return one.role === 'user' ? one.text : this.answers.of(key).text;
  }

  /** For the clipboard: an answer carries its AI label with it. @param {string} key @returns {string} */
  copyText(key) {
    const one = this.timeline.find(key);
    if (!one || one.role === 'user') return this.plainText(key);
    return withLabel(this.plainText(key), one.label || this.parts.session.state.aiLabel);
  }

  /** For the clipboard, with the AI label. @param {string} key @param {number} block @returns {string} */
  codeText(key, block) {
    const one = this.timeline.find(key);
    const answer = this.answers.of(key);
    return withCodeLabel(answer.codeAt(block), answer.languageAt(block), (one && one.label) || this.parts.session.state.aiLabel);
  }

  dismissError() {
    this.put({ error: null });
  }

  /** The network or the program came back. */
  wake() {
    if (this.disposed) return;
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
    this.disposed = true;
    this.offs.forEach((off) => off());
    this.sending.dispose();
    this.answering.dispose();
    this.countdown.stop();
    this.answers.stop();
  }
}

module.exports = { Chat };
