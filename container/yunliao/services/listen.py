"""Reading a turn's events from any cursor, on any instance, by any transport (P5)."""

import threading
from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from yunliao.errors import NotFound
from yunliao.ports import Clock, EventRow, Turns
from yunliao.services.engine import Engine, open_event
from yunliao.services.following import Following
from yunliao.services.live_log import Listener, Numbered, is_end
from yunliao.services.people import Owner

TURNS_KNOWN = 5_000
"""Turns whose user is remembered."""
LEASE_PAUSE = 0.2
"""Least time between two looks at a lease that ran out, seconds: whoever took the turn over needs a moment."""
ACCEPTED = 1
"""The number of the event that every turn begins with; who has seen no more waits for the first words."""
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
        self._lock = threading.Lock()
        self._users: OrderedDict[str, str] = OrderedDict()

    def read(self, owner: Owner, turn_id: str, after: int, wait: float, *, gather: float = 0.0) -> Slice:
        """Events with seq > `after`. Waits up to `wait` seconds for the first one; `gather` seconds more let further
        ones come along, which spares a poller requests, but never while the first words are waited for. Raises
        `NotFound` for what is not the caller's."""
        self._check(owner, turn_id)
        began = self._clock.monotonic()
        deadline = began + wait
        while True:
            piece = self._here(turn_id, after, began, deadline, gather)
            piece = piece or self._elsewhere(owner, turn_id, after, deadline, gather)
            if piece is not None:
                return piece

    def subscribe(self, owner: Owner, turn_id: str, after: int, listener: Listener) -> bool:
        """Have `listener` told of a turn of the caller's that runs here, from the cursor on (`LiveLog.subscribe`).
        False when it cannot be: `read` has the events, or knows why not. Asks no store."""
        log = self._engine.log_of(turn_id)
        ours = log is not None and self._engine.user_of(turn_id) == owner.user_id
        return ours and log is not None and log.subscribe(after, listener)

    def _check(self, owner: Owner, turn_id: str) -> None:
        """A turn never changes hands: asked once, not with every read."""
        user_id = self._users.get(turn_id)
        if user_id is None:
            user_id = self._engine.user_of(turn_id) or self._stored_user(turn_id)
            with self._lock:
                self._users[turn_id] = user_id
                while len(self._users) > TURNS_KNOWN:
                    self._users.popitem(last=False)
        if user_id != owner.user_id:
            raise NotFound

    def _stored_user(self, turn_id: str) -> str:
        turn = self._turns.get(turn_id)
        if turn is None:
            raise NotFound
        return turn.user_id

    def _elsewhere(self, owner: Owner, turn_id: str, after: int, deadline: float, gather: float) -> Slice | None:
        """From the instance that runs the turn, by way of the store; None if there is more to wait for."""
        began = self._clock.monotonic()
        left = max(0.0, deadline - began)
        seen = self._following.read(turn_id, after, left)
        head = seen.head
        if head is None:
            return Slice(turn_id, [], after, False)
        if head.last_seq > after:
            if gather and after > ACCEPTED and head.live and self._clock.monotonic() - began < LONG_SECONDS:
                self._clock.sleep(min(gather, left))
                seen = self._following.read(turn_id, after, 0)
            piece = self._opened(owner, turn_id, after, seen.rows or self._stored(turn_id, after))
            if piece is not None:
                return piece
        if not head.live:
            return Slice(turn_id, [], after, False)
        if self._engine.left:
            return Slice(turn_id, [], after, True)  # who asks again reaches an instance that can take it over
        left = max(0.0, deadline - self._clock.monotonic())
        if head.lease_until < self._clock.now_ms():
            turn = self._turns.get(turn_id)
            taken = turn is not None and self._engine.take_over(turn)
            if not taken and left > 0:
                self._clock.sleep(min(left, LEASE_PAUSE))
        return Slice(turn_id, [], after, True) if left <= 0 else None

    def _here(self, turn_id: str, after: int, began: float, deadline: float, gather: float) -> Slice | None:
        """From this instance's memory; None if the turn does not run here, or no longer."""
        log = self._engine.log_of(turn_id)
        if log is None or not log.covers(after):
            return None
        left = max(0.0, deadline - self._clock.monotonic())
        events = log.wait(after, timeout=left, limit=EVENTS_A_READ)
        soon = self._clock.monotonic() - began < LONG_SECONDS
        if events and gather and soon and log.had_words(after) and not log.closed:
            log.wait(after + EVENTS_A_READ, timeout=min(gather, left), limit=1)
            events = log.after(after, limit=EVENTS_A_READ)
        return self._slice(turn_id, after, events) if events or not log.closed else None

    def _stored(self, turn_id: str, after: int) -> Sequence[EventRow]:
        return self._turns.events(turn_id, after=after, limit=EVENTS_A_READ)

    def _opened(self, owner: Owner, turn_id: str, after: int, rows: Sequence[EventRow]) -> Slice | None:
        if not rows:  # long ended: its events have expired
            return None
        events = [Numbered(row.seq, open_event(owner, turn_id, row)) for row in rows[:EVENTS_A_READ]]
        return self._slice(turn_id, after, events)

    @staticmethod
    def _slice(turn_id: str, after: int, events: list[Numbered]) -> Slice:
        if not events:
            return Slice(turn_id, [], after, True)
        return Slice(turn_id, events, events[-1].seq, not is_end(events[-1]))
