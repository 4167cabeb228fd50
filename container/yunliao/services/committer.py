"""The group commit: what all live turns of this instance have to say is made durable in one step, then shown (P5).

A first text is committed at once, together with all else that is ready; otherwise commits are at least `PACE` apart, so
that hundreds of answers cost a handful of writes a second. Only turns that have something to say are looked at; time
itself makes windows due, and for that all are looked at every `TICK`. The same commits renew the leases of all live
turns, three times in a lease and no more often: a lease that every event renewed would always be a whole one, and its
owner's death be felt for as long.
"""

import logging
import threading
from collections.abc import Callable, Iterable

from yunliao.errors import StoreUnavailable
from yunliao.ports import Clock, Metrics, Turns, TurnWrite
from yunliao.services.run import Run

log = logging.getLogger("yunliao.commit")

PACE = 0.25
"""Seconds between two commits while busy: a phone that gets a line at a time draws no faster."""
TICK = 0.25
"""Seconds between two looks at what time has made due: places in the line, windows that waited long enough."""
LET_GO = 2.0
"""Longest wait, in seconds, for a write that is under way when turns are let go: the process has to end."""
RETRY = 0.5
"""Seconds between two tries while the store does not answer."""


class Committer:
    """Runs on one thread of its own from `start` to `close`."""

    def __init__(
        self,
        *,
        turns: Turns,
        clock: Clock,
        metrics: Metrics,
        owner: str,
        lease_seconds: float,
        runs: Callable[[], Iterable[Run]],
        ended: Callable[[Run], None],
    ) -> None:
        self._turns = turns
        self._clock = clock
        self._metrics = metrics
        self._owner = owner
        self._lease_ms = int(lease_seconds * 1000)
        self._beat = lease_seconds / 3
        self._runs = runs
        self._ended = ended
        self._ready: dict[int, Run] = {}
        """By identity: a turn that was lost and taken over again has two runs, and each has its say."""
        self._ready_lock = threading.Lock()
        self._tick_at = 0.0
        self._woken = threading.Event()
        self._urgent = threading.Event()
        self._closed = False
        self._beat_at = 0.0
        self._lease_until = 0
        self._step_lock = threading.Lock()

    def wake(self, run: Run, urgent: bool = False) -> None:
        """A turn may have something to commit; `urgent` does not wait for the pace."""
        with self._ready_lock:
            self._ready[id(run)] = run
        self._rouse(urgent)

    def begin(self) -> None:
        """There are live turns again."""
        self._rouse(False)

    def _rouse(self, urgent: bool) -> None:
        if urgent:
            self._urgent.set()
        self._woken.set()

    def close(self) -> None:
        """Let the loop end after its current step."""
        self._closed = True
        self._rouse(True)

    def let_go(self, runs: Iterable[Run]) -> None:
        """End the leases of these turns, after what is being written now, which may renew them. Raises
        `StoreUnavailable`: then they run out by themselves."""
        quiet = self._step_lock.acquire(timeout=LET_GO)
        try:
            writes = [TurnWrite(turn_id=run.turn.id) for run in runs]
            self._turns.commit(writes, owner=self._owner, lease_until=self._clock.now_ms())
        finally:
            if quiet:
                self._step_lock.release()

    def loop(self) -> None:
        """Commit until `close`."""
        while not self._closed:
            if any(True for _ in self._runs()):
                self._urgent.wait(PACE)
            else:
                self._woken.wait()
            self._woken.clear()
            self._urgent.clear()
            try:
                self.step()
            except StoreUnavailable:
                self._wait()
            except Exception as fault:  # one write that cannot be made must not end the loop of all others
                log.error("commit_fault kind=%s", type(fault).__name__)
                self._wait()

    def _wait(self) -> None:
        self._metrics.store_failed()
        self._clock.sleep(RETRY)

    def step(self) -> None:
        """One commit of all that is due. Raises `StoreUnavailable`; nothing is lost, the next step tries again."""
        with self._step_lock:
            now = self._clock.monotonic()
            ready = self._due(now)
            try:
                self._commit(ready, now)
            except BaseException:
                with self._ready_lock:
                    self._ready = ready | self._ready
                raise

    def _due(self, now: float) -> dict[int, Run]:
        """What is to be looked at now."""
        if now - self._tick_at >= TICK:
            self._tick_at = now
            for run in self._runs():
                if run.tick():
                    self.wake(run)
        with self._ready_lock:
            ready, self._ready = self._ready, {}
        return ready

    def _commit(self, ready: dict[int, Run], now: float) -> None:
        beat = now - self._beat_at >= self._beat
        pairs = [(run, write) for run in ready.values() if (write := run.collect()) is not None]
        if beat:
            written = {write.turn_id for _, write in pairs}
            pairs += [(run, TurnWrite(turn_id=run.turn.id)) for run in self._runs() if run.turn.id not in written]
        if beat and pairs:
            self._lease_until = self._clock.now_ms() + self._lease_ms
        # Endings touch more than their turn and take longer: no first text waits for them.
        self._write([(run, write) for run, write in pairs if write.ending is None])
        if beat and pairs:
            self._beat_at = now
        self._write([(run, write) for run, write in pairs if write.ending is not None])

    def _write(self, pairs: list[tuple[Run, TurnWrite]]) -> None:
        if not pairs:
            return
        began, lease_until = self._clock.monotonic(), self._lease_until
        result = self._turns.commit([write for _, write in pairs], owner=self._owner, lease_until=lease_until)
        self._metrics.commit(sum(len(write.rows) for _, write in pairs), self._clock.monotonic() - began)
        for run, write in pairs:
            lost = run.turn.id in result.lost
            if run.committed(lost=lost, lease_until=lease_until):
                self.wake(run)
            if lost or write.ending is not None:
                self._ended(run)
        self._stop(result.stops)

    def _stop(self, turn_ids: frozenset[str]) -> None:
        if turn_ids:
            for run in self._runs():
                if run.turn.id in turn_ids:
                    run.stop()
