/**
 * `wx.cloud` as two calls: one request, one socket. Everything that is odd about the platform's link ends here.
 *
 * Only GET, POST, PUT, DELETE (platform.md §1.2). `X-Client: miniprogram` asks for errors with status 200, because it is not
 * confirmed how other statuses arrive (§1.4); both ways are read all the same. There is no abort: a late answer is the caller's to drop.
 */

const { fromPlatform, fromBody, fromStatus, CallFailed } = require('../core/errors');
const { object, string, whole } = require('../core/shape');
const { pause } = require('./clock');

/**
 * @typedef {'GET'|'POST'|'PUT'|'DELETE'} Method
 * @typedef {{ send(options: { data: string, fail?: (error: unknown) => void }): void, close(options: { code?: number, reason?: string }): void,
 *   onOpen(run: () => void): void, onMessage(run: (message: { data: unknown }) => void): void,
 *   onClose(run: (close: { code?: number, reason?: string }) => void): void, onError(run: (error: unknown) => void): void }} SocketTask
 * @typedef {{ init(options: object): unknown, callContainer(options: object): Promise<unknown>,
 *   connectContainer(options: object): Promise<unknown> }} WxCloud
 */

/** Longest time the platform lets a call live is 15 s, cold start included. */
const CALL_TIMEOUT = 15000;
const GRACE = 3000;

class Cloud {
  /** @param {{ cloud: WxCloud, env: string, service: string, clock: import('./clock').Clock }} parts */
  constructor(parts) {
    this.cloud = parts.cloud;
    this.env = parts.env;
    this.service = parts.service;
    this.clock = parts.clock;
  }

  init() {
    this.cloud.init({ env: this.env, traceUser: false });
  }

  /**
   * @param {Method} method @param {string} path @param {object} [data] @param {Record<string, string>} [headers] besides those of every call
   * @returns {Promise<Record<string, unknown>>} the answer's body; throws CallFailed
   */
  async call(method, path, data, headers) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return readAnswer(await this.once(method, path, data, headers));
      } catch (error) {
        if (error instanceof CallFailed) throw error;
        const problem = fromPlatform(error);
        if (problem.code !== 'starting' || attempt >= 3) throw new CallFailed(problem);
        await pause(this.clock, problem.delay);
      }
    }
  }

  /** @param {Method} method @param {string} path @param {object} [data] @param {Record<string, string>} [headers] @returns {Promise<unknown>} */
  once(method, path, data, headers) {
    /** @type {Record<string, unknown>} */ const options = {
      config: { env: this.env },
      path,
      method,
      header: Object.assign({ 'X-WX-SERVICE': this.service, 'X-Client': 'miniprogram', 'content-type': 'application/json' }, headers),
      dataType: 'json',
      timeout: CALL_TIMEOUT
    };
    if (data) options.data = data;
    return new Promise((resolve, reject) => {
      // The platform promises an end after 15 s; a call that the phone forgot in the background must not hold anything up for ever.
      const cancel = this.clock.after(CALL_TIMEOUT + GRACE, () => reject({ errCode: 102002, errMsg: 'no answer' }));
      Promise.resolve(this.cloud.callContainer(options)).then((answer) => {
        cancel();
        resolve(answer);
      }, (error) => {
        cancel();
        reject(error);
      });
    });
  }

  /** @param {string} path @returns {Promise<SocketTask>} */
  async connect(path) {
    const answer = object(await this.cloud.connectContainer({ config: { env: this.env }, service: this.service, path }));
    if (!answer.socketTask) throw new CallFailed(fromPlatform({ errMsg: 'connectContainer:fail no socketTask' }));
    return /** @type {SocketTask} */ (answer.socketTask);
  }
}

/** @param {unknown} result of callContainer @returns {Record<string, unknown>} */
function readAnswer(result) {
  const from = object(result);
  const status = whole(from.statusCode, 200);
  const body = fromBody(from.data);
  const call = string(from.callID);
  if (body) throw new CallFailed(Object.assign({}, body, { requestId: body.requestId || call, status: body.status || status }));
  if (status >= 400) throw new CallFailed(fromStatus(status, call));
  return object(from.data);
}

module.exports = { Cloud, CALL_TIMEOUT };
