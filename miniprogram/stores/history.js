/** Stored messages of one conversation, loaded upwards in pages. */

const { fromStored } = require('./message');
const { fromApi, problemOf } = require('../core/errors');

/** @typedef {import('./message').Entry} Entry */

const PAGE = 20;

class History {
  /** @param {import('./chat').Chat} chat */
  constructor(chat) {
    this.chat = chat;
    /** cursor of the page above; '' = there is none */
    this.next = '';
    /** it cannot be had: gone, or refused */
    this.hopeless = false;
  }

  /** Nothing is sent before it is clear what the service has: a message could be shown twice, as sent and as stored. */
  get ready() {
    return this.chat.state.loaded || this.hopeless;
  }

  /** Loads the newest page. @returns {Promise<string>} id of the turn that is being answered, or '' */
  async open() {
    const { chat } = this;
    const id = chat.state.conversationId;
    if (!id || chat.state.loading || chat.state.loaded) return '';
    chat.put({ loading: true, error: null });
    try {
      const [page, about] = await Promise.all([chat.parts.api.messages(id, '', PAGE), chat.parts.api.conversation(id)]);
      this.next = page.next;
      const liveTurn = about ? about.liveTurn : '';
      const items = page.items.filter((one) => !(liveTurn && one.role === 'assistant' && one.turnId === liveTurn));
      chat.put({ loading: false, loaded: true, hasOlder: page.next !== '', title: about ? about.title : '' });
      chat.timeline.addOlder(this.taken(items));
      return liveTurn;
    } catch (error) {
      const why = problemOf(error);
      this.hopeless = why.kind !== 'retry';
      chat.put({ loading: false, error: chat.shown(why) });
      return '';
    }
  }

  /** The page above. */
  async loadOlder() {
    const { chat } = this;
    if (chat.state.loadingOlder || !this.next) return;
    chat.put({ loadingOlder: true });
    try {
      const page = await chat.parts.api.messages(chat.state.conversationId, this.next, PAGE);
      this.next = page.next;
      chat.timeline.addOlder(this.taken(page.items));
      chat.put({ loadingOlder: false, hasOlder: page.next !== '' });
    } catch (error) {
      chat.put({ loadingOlder: false, error: chat.shown(problemOf(error)) });
    }
  }

  /** What is stored of a turn's answer, when it is complete. @param {string} turnId */
  async answerOf(turnId) {
    const page = await this.chat.parts.api.messages(this.chat.state.conversationId, '', PAGE);
    return page.items.find((one) => one.role === 'assistant' && one.turnId === turnId && one.state !== 'pending');
  }

  /** @param {import('../core/protocol').StoredMessage[]} items ascending @returns {Entry[]} newest first, without what is shown already */
  taken(items) {
    /** @type {Entry[]} */ const out = [];
    items.forEach((stored) => {
      const one = fromStored(stored, fromApi);
      // A message of this session has another key than the same one as it is stored: told by its turn.
      if (this.chat.timeline.find(one.key) || (one.role === 'user' && one.turnId && this.chat.timeline.question(one.turnId))) return;
      if (one.role === 'assistant') this.chat.answers.of(one.key).load(stored.text, stored.reasoning);
      out.unshift(one);
    });
    return out;
  }
}

module.exports = { History };
