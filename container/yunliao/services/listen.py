"""Reading a turn's events from any cursor, on any instance, by any transport (P5)."""

import msgspec

from yunliao.domain.turn import Turn
from yunliao.errors import NotFound
from yunliao.ports import Clock, Turns
from yunliao.services.engine import Engine, open_event
from yunliao.services.live_log import Numbered
from yunliao.services.people import Owner

POLL_SECONDS = 0.15
"""Pause between looks at the store for a turn that another instance runs; seen text is at most this much later."""
LONG_SECONDS = 1.0
"""A reader that has waited so long gets the first event at once: a pause has ended, or the answer begins."""
EVENTS_A_READ = 200
"""Events of one answer: far below the platform's 1 MB even when each is large."""


class Slice(msgspec.Struct, frozen=True):
    """Events after a cursor. `live` is False once the terminal event is among these or before them."""

    turn_id: str
    events: list[Numbered]
    cursor: int
    live: bool


class Listen:
    """One reader for long-poll, SSE and sockets."""

    def __init__(self, *, turns: Turns, engine: Engine, clock: Clock) -> None:
        self._turns = turns
        self._engine = engine
        self._clock = clock

    def read(self, owner: Owner, turn_id: str, after: int, wait: float, *, gather: float = 0.0) -> Slice:
        """Events with seq > `after`. Waits up to `wait` seconds for the first one; `gather` seconds more let further
        ones come along, which spares a poller requests. Raises `NotFound` for what is not the caller's."""
        turn = self._turns.get(turn_id)
        if turn is None or turn.user_id != owner.user_id:
            raise NotFound
        began = self._clock.monotonic()
        deadline = began + wait
        while True:
            events = self._here(turn_id, after, began, deadline, gather)
            if events is not None:
                return self._slice(turn_id, after, events)
            rows = self._turns.events(turn_id, after=after, limit=EVENTS_A_READ)
            if rows:
                return self._slice(turn_id, after, [Numbered(r.seq, open_event(owner, turn_id, r)) for r in rows])
            if turn is None or not turn.live:  # as it was before the rows were read: nothing can be missing
                return Slice(turn_id, [], after, False)
            turn = self._turns.get(turn_id)
            if turn is None or not turn.live:
                continue  # it ended meanwhile, and its last events came after the look
            if self._engine.left:
                return Slice(turn_id, [], after, True)  # who asks again reaches an instance that can take it over
            self._take_over_if_dead(turn)
            if self._clock.monotonic() >= deadline:
                return Slice(turn_id, [], after, True)
            self._clock.sleep(self._pause(turn))

    def _here(self, turn_id: str, after: int, began: float, deadline: float, gather: float) -> list[Numbered] | None:
        """From this instance's memory; None when the turn does not run here, or has left while we waited."""
        log = self._engine.log_of(turn_id)
        if log is None or not log.covers(after):
            return None
        left = max(0.0, deadline - self._clock.monotonic())
        events = log.wait(after, timeout=left, limit=EVENTS_A_READ)
        if events and gather and self._clock.monotonic() - began < LONG_SECONDS and not log.closed:
            log.wait(after + EVENTS_A_READ, timeout=min(gather, left), limit=1)
            events = log.after(after, limit=EVENTS_A_READ)
        return events if events or not log.closed else None

    def _take_over_if_dead(self, turn: Turn) -> None:
        if turn.lease_until < self._clock.now_ms():
            self._engine.take_over(turn)

    def _pause(self, turn: Turn) -> float:
        """Awake when the lease ends: whoever waits for a dead instance's answer has waited long enough by then."""
        left = (turn.lease_until + 1 - self._clock.now_ms()) / 1000
        return min(POLL_SECONDS, left) if left > 0 else POLL_SECONDS

    @staticmethod
    def _slice(turn_id: str, after: int, events: list[Numbered]) -> Slice:
        if not events:
            return Slice(turn_id, [], after, True)
        return Slice(turn_id, events, events[-1].seq, not events[-1].body.startswith(b'{"type":"end"'))
