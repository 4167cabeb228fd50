/**
 * The one socket of the program: ticket, hello, welcome, heartbeat, end. Knows nothing of turns.
 *
 * The handshake may carry no identity (iOS, high-performance+ mode), so a one-time ticket fetched by an ordinary call is the first
 * frame. A heartbeat every 10 s keeps the platform's gateway from recycling the connection (platform.md §2.1); two missing
 * answers mean it is dead, whatever the phone believes.
 */

const { readFrame, frames } = require('../core/protocol');

/** @typedef {'idle'|'opening'|'open'} SocketState */

const WELCOME_TIMEOUT = 6000;

class Socket {
  /**
   * @param {{ cloud: import('./cloud').Cloud, api: import('./api').Api, clock: import('./clock').Clock }} parts
   * @param {{ onOpen(): void, onFrame(frame: ReturnType<typeof readFrame>): void, onClosed(code: number): void }} handlers
   */
  constructor(parts, handlers) {
    this.parts = parts;
    this.handlers = handlers;
    /** @type {SocketState} */ this.state = 'idle';
    /** @type {import('./cloud').SocketTask | null} */ this.task = null;
    /** grows with each connection: what belongs to an older one is not listened to */
    this.generation = 0;
    this.heard = 0;
    /** @type {(() => void) | null} */ this.timer = null;
  }

  /** Opens it unless it is open or opening. */
  async open() {
    if (this.state !== 'idle') return;
    this.state = 'opening';
    this.generation += 1;
    const mine = this.generation;
    this.wait(WELCOME_TIMEOUT * 2, () => this.lost(mine, 0));
    try {
      const ticket = await this.parts.api.ticket();
      if (mine !== this.generation) return;
      const task = await this.parts.cloud.connect('/v1/socket');
      if (mine !== this.generation) {
        task.close({ code: 1000 });
        return;
      }
      this.attach(task, ticket, mine);
    } catch (error) {
      this.lost(mine, 0);
    }
  }

  /** @param {import('./cloud').SocketTask} task @param {string} ticket @param {number} mine */
  attach(task, ticket, mine) {
    this.task = task;
    let greeted = false;
    const hello = () => {
      if (greeted || mine !== this.generation) return;
      greeted = true;
      this.send(frames.hello(ticket));
    };
    this.wait(WELCOME_TIMEOUT, () => this.lost(mine, 0));
    task.onOpen(hello);
    task.onMessage((message) => {
      if (mine === this.generation) this.receive(readFrame(message.data), mine);
    });
    task.onClose((close) => this.lost(mine, (close && close.code) || 0));
    task.onError(() => this.lost(mine, 0));
  }

  /** @param {ReturnType<typeof readFrame>} frame @param {number} mine */
  receive(frame, mine) {
    this.heard = this.parts.clock.now();
    if (frame.op === 'welcome' && this.state === 'opening') {
      this.state = 'open';
      this.beat(mine, frame.heartbeat * 1000);
      this.handlers.onOpen();
    } else if (frame.op !== 'pong') this.handlers.onFrame(frame);
  }

  /** @param {number} mine @param {number} every ms */
  beat(mine, every) {
    this.wait(every, () => {
      if (mine !== this.generation) return;
      const now = this.parts.clock.now();
      if (now - this.heard > every * 2 + 1000) {
        this.lost(mine, 0);
        return;
      }
      this.send(frames.ping(now));
      this.beat(mine, every);
    });
  }

  /** @param {string} text */
  send(text) {
    const mine = this.generation;
    if (this.task) this.task.send({ data: text, fail: () => this.lost(mine, 0) });
  }

  /** Closed by us: no handler is called. */
  close() {
    this.forget();
  }

  /** @param {number} mine @param {number} code */
  lost(mine, code) {
    if (mine !== this.generation || this.state === 'idle') return;
    this.forget();
    this.handlers.onClosed(code);
  }

  forget() {
    this.generation += 1;
    this.state = 'idle';
    if (this.timer) this.timer();
    this.timer = null;
    const task = this.task;
    this.task = null;
    if (task) {
      try {
        task.close({ code: 1000 });
      } catch (error) {
        // A socket that is already gone may refuse to be closed; there is nothing left to do.
      }
    }
  }

  /** One timer at a time: opening, then heartbeat. @param {number} ms @param {() => void} run */
  wait(ms, run) {
    if (this.timer) this.timer();
    this.timer = this.parts.clock.after(ms, run);
  }
}

module.exports = { Socket };
