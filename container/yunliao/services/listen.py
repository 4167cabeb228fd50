"""Reading a turn's events from any cursor, on any instance, by any transport (P5)."""

import msgspec

from yunliao.errors import NotFound
from yunliao.ports import Clock, Turns
from yunliao.services.engine import Engine, open_event
from yunliao.services.following import Following
from yunliao.services.live_log import Numbered
from yunliao.services.people import Owner

LEASE_PAUSE = 0.2
"""Least time between two looks at a lease that ran out, seconds: whoever took the turn over needs a moment."""
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

    def __init__(self, *, turns: Turns, engine: Engine, following: Following, clock: Clock) -> None:
        self._turns = turns
        self._engine = engine
        self._following = following
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
            piece = self._here(turn_id, after, began, deadline, gather) or self._stored(owner, turn_id, after)
            if piece is not None:
                return piece
            turn = self._turns.get(turn_id)
            if turn is None:
                return Slice(turn_id, [], after, False)
            if not turn.live:  # if it ended between the two looks its last events are there now
                return self._stored(owner, turn_id, after) or Slice(turn_id, [], after, False)
            if self._engine.left:
                return Slice(turn_id, [], after, True)  # who asks again reaches an instance that can take it over
            if turn.lease_until < self._clock.now_ms():
                self._engine.take_over(turn)
            left = deadline - self._clock.monotonic()
            if left <= 0:
                return Slice(turn_id, [], after, True)
            lease = (turn.lease_until + 1 - self._clock.now_ms()) / 1000
            self._following.wait(turn_id, after, min(left, max(LEASE_PAUSE, lease)))

    def _here(self, turn_id: str, after: int, began: float, deadline: float, gather: float) -> Slice | None:
        """From this instance's memory; None if the turn does not run here, or no longer."""
        log = self._engine.log_of(turn_id)
        if log is None or not log.covers(after):
            return None
        left = max(0.0, deadline - self._clock.monotonic())
        events = log.wait(after, timeout=left, limit=EVENTS_A_READ)
        if events and gather and self._clock.monotonic() - began < LONG_SECONDS and not log.closed:
            log.wait(after + EVENTS_A_READ, timeout=min(gather, left), limit=1)
            events = log.after(after, limit=EVENTS_A_READ)
        return self._slice(turn_id, after, events) if events or not log.closed else None

    def _stored(self, owner: Owner, turn_id: str, after: int) -> Slice | None:
        """From the store; None if there is nothing after the cursor."""
        rows = self._turns.events(turn_id, after=after, limit=EVENTS_A_READ)
        if not rows:
            return None
        return self._slice(turn_id, after, [Numbered(r.seq, open_event(owner, turn_id, r)) for r in rows])

    @staticmethod
    def _slice(turn_id: str, after: int, events: list[Numbered]) -> Slice:
        if not events:
            return Slice(turn_id, [], after, True)
        return Slice(turn_id, events, events[-1].seq, not events[-1].body.startswith(b'{"type":"end"'))
