/**
 * `wx.cloud.callFunction({ name: 'chat', data: { content } })` for mini-programs that already talk to a cloud function:
 * `{content}` in, `{code, data}` out (docs/functions.md). The question goes through the same turn as everybody else's,
 * with the caller's identity signed, so that it is moderated, stored sealed and labelled.
 *
 * Settings, in the function's environment variables: YUNLIAO_URL, YUNLIAO_FUNCTION_SECRET, YUNLIAO_FUNCTION_SECONDS (18).
 */

const crypto = require('node:crypto');
const cloud = require('wx-server-sdk');
const { call, LinkFailed } = require('./link');
const { signed } = require('./signing');
const { rebuilt } = require('./text');

cloud.init({ env: cloud.DYNAMIC_CURRENT_ENV });

/** s one poll may wait in the container. */
const POLL = 8;
/** ms kept back to bring the answer home. */
const SPARE = 1500;
/** A conversation that was used within this time goes on when the caller names none: the tutorials' pages know of none. */
const GOES_ON = 30 * 60 * 1000;
/** Tries of a call that the network lost; every one of them is safe to repeat. */
const TRIES = 3;

/**
 * @param {{ content?: string, conversation_id?: string, new?: boolean, turn_id?: string, client_id?: string, model?: string, agree?: boolean }} event
 * @param {any} [context]
 */
exports.main = async (event, context) => {
  const wx = cloud.getWXContext();
  const caller = wx.FROM_OPENID
    ? { openid: wx.FROM_OPENID, appid: wx.FROM_APPID || '', shared: true }
    : { openid: wx.OPENID || '', appid: wx.APPID || '', shared: false };
  if (!caller.openid) return refused(401, 'identity_missing', '没有收到微信身份，请在小程序里打开。', 'No WeChat identity came with this call.');
  const base = process.env.YUNLIAO_URL || '';
  const secret = process.env.YUNLIAO_FUNCTION_SECRET || '';
  if (!base || secret.length < 16) {
    return refused(503, 'misconfigured', '云函数 chat 还没有配置：环境变量 YUNLIAO_URL 和 YUNLIAO_FUNCTION_SECRET。', 'The function chat lacks YUNLIAO_URL and YUNLIAO_FUNCTION_SECRET.');
  }
  const asked = event || {};
  const service = new Service({ base, secret, caller, until: Date.now() + budget(context) });
  try {
    if (asked.agree === true) await service.ask('PUT', '/v1/me/consent', { version: 'latest', overseas: false });
    if (asked.turn_id) return await service.answer(String(asked.turn_id), String(asked.conversation_id || ''));
    if (typeof asked.content !== 'string' || !asked.content.trim()) {
      return asked.agree === true ? { code: 0, msg: '', data: { agreed: true } } : refused(400, 'invalid_request', '请在 content 里填写要说的话。', 'Say something in `content`.');
    }
    const body = { client_id: clientId(asked, caller, context), text: asked.content };
    if (asked.model) body.model = String(asked.model);
    const named = asked.conversation_id ? [String(asked.conversation_id)] : asked.new === true ? [''] : await service.recent();
    const { turn } = await service.send(body, named);
    return await service.answer(turn.id, turn.conversation_id);
  } catch (error) {
    if (error instanceof Refused) return error.answer;
    if (error instanceof LinkFailed) return refused(504, 'network', '暂时连不上服务，请稍后重试。', 'The service cannot be reached right now.');
    throw error;
  }
};

/** ms an instance of this function believes the label it was told: it changes with a new version of the service. */
const LABEL_KEPT = 60 * 1000;
let known = { label: '', until: 0 };

/** The service's own error, as this function answers it. */
class Refused extends Error {
  /** @param {{ code: number }} answer */
  constructor(answer) {
    super('refused');
    this.answer = answer;
  }
}

class Service {
  /** @param {{ base: string, secret: string, caller: { openid: string, appid: string, shared: boolean }, until: number }} parts `until`: ms of the clock */
  constructor(parts) {
    Object.assign(this, parts);
  }

  left() {
    return this.until - Date.now();
  }

  /** One call, repeated while the network loses it and time is left. Throws Refused, LinkFailed. */
  async ask(method, target, body) {
    const text = body === undefined ? undefined : JSON.stringify(body);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const headers = { 'X-Yunliao-Caller': signed(this.secret, this.caller, { method, target, body: text }) };
        const { status, data } = await call(this.base, method, target, { headers, body: text, timeout: Math.max(1000, this.left() + SPARE) });
        const error = data && data.error;
        if (!error) return data;
        throw new Refused(Object.assign(refused(status, error.code, error.message, error.message_en), { error }));
      } catch (error) {
        if (!(error instanceof LinkFailed) || attempt >= TRIES || this.left() < 1000) throw error;
        await new Promise((done) => setTimeout(done, 200 * attempt));
      }
    }
  }

  /**
   * The conversation that the caller was just in, the one before, and '' for a new one: what this call may mean, the
   * likeliest first.
   */
  async recent() {
    const { conversations } = await this.ask('GET', '/v1/conversations?limit=2');
    const fresh = conversations.filter((one) => Date.now() - one.last_activity_at < GOES_ON).map((one) => one.id);
    return [...fresh, ''];
  }

  /**
   * The turn of this message. The platform may deliver one invocation twice, and the second time the list of conversations
   * has what the first one made: where the same message stands under another of these `conversations`, that turn is meant.
   */
  async send(body, conversations) {
    for (const [place, conversation] of conversations.entries()) {
      try {
        return await this.ask('POST', '/v1/turns?wait=0', conversation ? { ...body, conversation_id: conversation } : body);
      } catch (error) {
        const taken = error instanceof Refused && error.answer.error.code === 'client_id_conflict';
        if (!taken || place === conversations.length - 1) throw error;
      }
    }
    throw new Error('no conversation was given');
  }

  /** Waits for the end of a turn, as long as this function may run. @param {string} turn @param {string} conversation */
  async answer(turn, conversation) {
    const events = [];
    let cursor = 0;
    let live = true;
    while (live && this.left() > 0) {
      const wait = Math.max(0, Math.min(POLL, Math.floor(this.left() / 1000)));
      const slice = await this.ask('GET', `/v1/turns/${encodeURIComponent(turn)}/events?after=${cursor}&wait=${wait}`);
      events.push(...slice.events);
      ({ cursor, live } = slice);
      if (!wait) break;
    }
    const { content, end } = rebuilt(events);
    const accepted = events.find((one) => one.type === 'accepted');
    const data = { content, turn_id: turn, conversation_id: conversation || (accepted && accepted.conversation_id) || '', done: end !== null };
    // Not an error: the same function, asked with `turn_id`, goes on waiting.
    if (!end) return { code: 202, msg: '还在回答，请带上 turn_id 再调用一次。', data };
    if (end.error) return Object.assign(refused(statusOf(end), end.error.code, end.error.message, end.error.message_en), { data });
    const label = await this.label();
    return { code: 0, msg: '', data: Object.assign(data, { reason: end.reason, message_id: end.message_id || '', label }) };
  }

  /** What must stand beside every answer (docs/moderation.md). */
  async label() {
    if (Date.now() > known.until) known = { label: (await this.ask('GET', '/v1/config')).ai_label, until: Date.now() + LABEL_KEPT };
    return known.label;
  }
}

/** ms this function may use: what is configured, and never more than the platform leaves it. @param {any} context */
function budget(context) {
  const wanted = (Number(process.env.YUNLIAO_FUNCTION_SECONDS) || 18) * 1000;
  const given = context && (typeof context.getRemainingTimeInMillis === 'function' ? context.getRemainingTimeInMillis() : context.time_limit_in_ms);
  return Math.max(0, Math.min(wanted, Number(given) || wanted) - SPARE);
}

/** The same call, delivered twice by the platform, is one message. @param {any} asked @param {any} caller @param {any} context */
function clientId(asked, caller, context) {
  if (typeof asked.client_id === 'string' && /^[A-Za-z0-9_-]{8,64}$/.test(asked.client_id)) return asked.client_id;
  const once = (context && (context.request_id || context.requestId)) || crypto.randomUUID();
  return `f-${crypto.createHash('sha256').update(`${caller.openid}\n${once}`).digest('hex').slice(0, 40)}`;
}

/** @param {any} end */
const statusOf = (end) => (end.reason === 'blocked' ? 422 : 502);

/** @param {number} status @param {string} name @param {string} zh @param {string} en */
function refused(status, name, zh, en) {
  return { code: status, msg: zh, msg_en: en, error: { code: name, message: zh, message_en: en }, data: null };
}
