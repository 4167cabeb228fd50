/**
 * Brings the events of live turns to whoever follows them, over whatever link works.
 *
 * Polling starts at once and goes on until the socket has proved itself, then the socket takes over; when the socket falls, polling
 * goes on from the same cursor in mid-answer. Both may deliver the same event: the reducer ignores what it has seen.
 * Nothing runs while the program is hidden; `show` resumes every turn from its cursor.
 */

const { frames } = require('../core/protocol');
const { fromApi, problemOf } = require('../core/errors');
const { backoff } = require('../core/backoff');
const { Socket } = require('./socket');

/**
 * @typedef {''|'socket'|'poll'|'reconnecting'} LinkName
 * @typedef {{ turn: string, cursor(): number, gap(): boolean, live(): boolean, onEvents(events: import('../core/protocol').TurnEvent[]): void,
 *   onLink(link: LinkName): void, onGone(problem: import('../core/errors').Problem): void }} Follower
 * @typedef {{ follower: Follower, polling: boolean, failures: number, cancel: (() => void) | null, stopped: boolean, told: LinkName,
 *   quiet: number, seen: number }} Watch
 */

const POLL_SECONDS = 10;
const IDLE_SOCKET = 90000;
/** A hole in the numbers that a socket does not close by itself within this time is asked for again. */
const GAP_PATIENCE = 1500;
/** So many times GAP_PATIENCE without an event, and the turn is looked at by polling. */
const QUIET_TICKS = 8;

class Transport {
  /**
   * @param {{ cloud: import('./cloud').Cloud, api: import('./api').Api, clock: import('./clock').Clock, random: () => number }} parts
   */
  constructor(parts) {
    this.parts = parts;
    this.visible = true;
    this.online = true;
    /** @type {Watch[]} */ this.watches = [];
    this.failures = 0;
    /** no socket before this moment */
    this.notBefore = 0;
    /** @type {(() => void) | null} */ this.retry = null;
    /** @type {(() => void) | null} */ this.idle = null;
    this.socket = new Socket(parts, {
      onOpen: () => this.socketOpen(),
      onFrame: (frame) => this.frame(frame),
      onClosed: (code) => this.socketClosed(code)
    });
  }

  /** @param {Follower} follower @returns {() => void} stops following */
  follow(follower) {
    /** @type {Watch} */ const watch = { follower, polling: false, failures: 0, cancel: null, stopped: false, told: '', quiet: 0, seen: -1 };
    this.watches.push(watch);
    this.run(watch);
    return () => this.drop(watch);
  }

  /** Gets a socket ready before it is needed. */
  prepare() {
    const { clock } = this.parts;
    if (!this.visible || !this.online || this.socket.state !== 'idle') return;
    const wait = this.notBefore - clock.now();
    if (wait <= 0) this.socket.open();
    else if (!this.retry) {
      this.retry = clock.after(wait, () => {
        this.retry = null;
        if (this.watches.length) this.prepare();
      });
    }
    this.idleCheck();
  }

  hide() {
    this.visible = false;
    this.suspend();
  }

  show() {
    if (this.visible) return;
    this.visible = true;
    this.failures = 0;
    this.notBefore = 0;
    this.resume();
  }

  /** @param {boolean} online */
  network(online) {
    if (online === this.online) return;
    this.online = online;
    if (online) this.resume();
    else this.suspend();
  }

  suspend() {
    if (this.retry) this.retry();
    this.retry = null;
    this.socket.close();
    this.watches.forEach((watch) => {
      if (watch.cancel) watch.cancel();
      watch.cancel = null;
      this.tell(watch, 'reconnecting');
    });
  }

  resume() {
    if (!this.visible || !this.online) return;
    this.watches.slice().forEach((watch) => {
      watch.failures = 0;
      this.run(watch);
    });
  }

  /** @param {Watch} watch */
  run(watch) {
    if (!this.visible || !this.online || watch.stopped) {
      this.tell(watch, 'reconnecting');
      return;
    }
    if (this.socket.state === 'open') this.subscribe(watch);
    else {
      this.prepare();
      this.poll(watch);
    }
  }

  /** @param {Watch} watch */
  subscribe(watch) {
    this.tell(watch, 'socket');
    this.socket.send(frames.resume(watch.follower.turn, watch.follower.cursor()));
    this.guardGap(watch);
  }

  /** @param {Watch} watch */
  guardGap(watch) {
    if (watch.cancel) watch.cancel();
    watch.cancel = this.parts.clock.after(GAP_PATIENCE, () => {
      watch.cancel = null;
      if (watch.stopped || this.socket.state !== 'open') return;
      const cursor = watch.follower.cursor();
      watch.quiet = cursor === watch.seen ? watch.quiet + 1 : 0;
      watch.seen = cursor;
      if (watch.quiet >= QUIET_TICKS) {
        // The last event may be the one that was lost: a look by the other link settles it.
        watch.quiet = 0;
        this.poll(watch);
      }
      if (watch.follower.gap()) this.subscribe(watch);
      else this.guardGap(watch);
    });
  }

  /** @param {Watch} watch */
  async poll(watch) {
    if (watch.polling || watch.stopped) return;
    watch.polling = true;
    const { api, clock, random } = this.parts;
    let wait = 0;
    try {
      const slice = await api.events(watch.follower.turn, watch.follower.cursor(), POLL_SECONDS);
      watch.failures = 0;
      if (this.socket.state !== 'open') this.tell(watch, 'poll');
      if (!watch.stopped) watch.follower.onEvents(slice.events);
      if (!slice.events.length) wait = 300;
    } catch (error) {
      const problem = problemOf(error);
      if (problem.kind !== 'retry' && problem.code !== 'unknown') {
        this.gone(watch, problem);
        return;
      }
      watch.failures += 1;
      if (watch.failures > 1) this.tell(watch, 'reconnecting');
      wait = Math.max(Math.min(problem.delay, 3000), backoff(watch.failures - 1, 400, 8000, random));
    } finally {
      watch.polling = false;
    }
    if (watch.stopped || !watch.follower.live() || this.socket.state === 'open' || !this.visible || !this.online) return;
    if (watch.cancel) watch.cancel();
    watch.cancel = clock.after(wait, () => {
      watch.cancel = null;
      this.run(watch);
    });
  }

  /** @param {Watch} watch @param {import('../core/errors').Problem} problem */
  gone(watch, problem) {
    if (watch.stopped) return;
    this.drop(watch);
    watch.follower.onGone(problem);
  }

  socketOpen() {
    this.failures = 0;
    this.watches.slice().forEach((watch) => this.subscribe(watch));
    this.idleCheck();
  }

  /** @param {ReturnType<import('../core/protocol').readFrame>} frame */
  frame(frame) {
    if (frame.op !== 'event' && frame.op !== 'error') return;
    const watch = this.watches.find((one) => one.follower.turn === frame.turn);
    if (!watch) return;
    if (frame.op === 'event') watch.follower.onEvents([frame.event]);
    else {
      const problem = fromApi(frame.error);
      if (problem.kind === 'retry') {
        if (watch.cancel) watch.cancel();
        watch.cancel = this.parts.clock.after(Math.max(500, problem.delay), () => this.run(watch));
      }
      else this.gone(watch, problem);
    }
  }

  /** @param {number} code */
  socketClosed(code) {
    const { clock, random } = this.parts;
    this.failures += 1;
    // 1012: the instance leaves and another is there already. 4429: too many or too slow, polling is the better link for a while.
    const first = code === 1012 || code === 4401 ? 200 : code === 4429 ? 30000 : 1500;
    this.notBefore = clock.now() + backoff(this.failures - 1, first, 120000, random);
    this.watches.slice().forEach((watch) => {
      if (watch.cancel) watch.cancel();
      watch.cancel = null;
      this.run(watch);
    });
  }

  /** A socket nobody needs is closed after a while: it costs the service memory. */
  idleCheck() {
    if (this.idle) this.idle();
    this.idle = this.parts.clock.after(IDLE_SOCKET, () => {
      this.idle = null;
      if (this.watches.length) this.idleCheck();
      else this.socket.close();
    });
  }

  /** @param {Watch} watch */
  drop(watch) {
    watch.stopped = true;
    if (watch.cancel) watch.cancel();
    watch.cancel = null;
    this.watches = this.watches.filter((one) => one !== watch);
  }

  /** @param {Watch} watch @param {LinkName} link */
  tell(watch, link) {
    if (watch.told === link || watch.stopped) return;
    watch.told = link;
    watch.follower.onLink(link);
  }
}

module.exports = { Transport };
