"""Bounded concurrency: so many turns run at once, the others wait in order of arrival and know their place.

Fair because a user has at most one live turn: first come, first served lets nobody hold two places in the line. With
`SharedSeats` the bound holds over all instances (domain/seats.py), else over this one.
"""

import math
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress

from yunliao.domain.seats import Seats, hold
from yunliao.errors import QueueFull, StoreUnavailable
from yunliao.ports import Clock, Registers
from yunliao.services.register import SharedRecord

LOOK = 0.2
"""Seconds between two looks for a free seat while somebody waits."""
SOONEST, LATEST = 2.0, 60.0
"""Seconds: bounds of what is told to those who find no room."""
PACE = 30.0
"""Seconds over which the pace is taken at which places come free."""
PROMISED = 0.75
"""Of the places that come free, so many are promised: with all of them, whoever comes unasked would find none, and be
sent after the others, for as long as those who were sent away in a rush keep coming back."""


class SharedSeats:
    """This instance's part of the places that all instances share."""

    def __init__(self, registers: Registers, clock: Clock, *, instance: str, limit: int, lease_seconds: float) -> None:
        self._record = SharedRecord(registers, "seats", Seats(), clock)
        self._clock = clock
        self._instance = instance
        self._limit = limit
        self._lease_ms = int(lease_seconds * 1000)
        self._have = 0
        self._until = 0
        self.beat = lease_seconds / 3
        """Seconds between two renewals."""

    @property
    def have(self) -> int:
        """Seats that are surely this instance's now."""
        return self._have if self._clock.now_ms() < self._until else 0

    def keep(self, running: int) -> None:
        """Be sure of no more than `running` seats until `ask` has answered: it may give the others back, also where its
        answer is lost."""
        self._have = min(self._have, running)

    def ask(self, *, running: int, demand: int) -> None:
        """Hold as many of `demand` seats as are free and fair, and renew them. Raises `StoreUnavailable`."""
        self.keep(running)
        now = self._clock.now_ms()
        until = now + self._lease_ms

        def decide(seats: Seats) -> tuple[Seats, int]:
            return hold(seats, self._instance, running=running, demand=demand, limit=self._limit, now=now, until=until)

        self._have = self._record.change(decide)
        self._until = until

    def pause(self, seconds: float) -> None:
        """Wait before the next look."""
        self._clock.sleep(seconds)


class Promises:
    """When those who found no room may come back: one after the other, somewhat slower than places come free. The same
    time for all would bring all of them back at once, to be refused again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._freed: deque[float] = deque()
        self._promised = 0.0

    def freed(self) -> None:
        """A place was given back."""
        self._freed.append(self._clock.monotonic())
        self._forget()

    def next(self) -> float:
        """Seconds until the next one may come back."""
        now = self._forget()
        each = (now - self._freed[0]) / len(self._freed) / PROMISED if self._freed else SOONEST
        self._promised = max(self._promised, now + SOONEST) + each
        if self._promised > now + LATEST:  # a second lap: all at the end of the first would come at once
            self._promised = now + SOONEST + min(each, LATEST - SOONEST)
        return self._promised - now

    def _forget(self) -> float:
        """Leave out what was freed too long ago to tell the pace; the time now."""
        now = self._clock.monotonic()
        while self._freed and self._freed[0] < now - PACE:
            self._freed.popleft()
        return now


class Slots:
    """`max_live` places here (no more than the seats this instance holds) and a queue of at most `max_queue`."""

    def __init__(
        self,
        *,
        max_live: int,
        max_queue: int,
        clock: Clock,
        seats: SharedSeats | None = None,
        spawn: Callable[[Callable[[], None]], None] | None = None,
        strained: Callable[[], bool] = lambda: False,
    ) -> None:
        """`strained` says that a turn could not be served now although there is a place."""
        self._strained = strained
        self._promises = Promises(clock)
        self._max_live = max_live
        self._max_queue = max_queue
        self._seats = seats
        self._spawn = spawn
        self._held: set[str] = set()
        self._waiting: OrderedDict[str, threading.Event] = OrderedDict()
        self._lock = threading.Lock()
        self._attending = False
        self._moved = threading.Event()

    @property
    def depth(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Whether one more turn would find no place to wait in, or could not be served."""
        # With shared seats everybody waits for a moment, so one who waits is not yet a queue.
        least = 0 if self._seats is None else 1
        taken = self._seats is not None or len(self._held) >= self._max_live
        return (taken and len(self._waiting) >= max(least, self._max_queue)) or self._strained()

    def check_room(self) -> None:
        """Raises `QueueFull` when there is none, and promises a time to come back."""
        if self.full:
            with self._lock:
                raise QueueFull(retry_after=math.ceil(self._promises.next()))

    def enter(self, turn_id: str) -> threading.Event:
        """Join; the event is set when the turn holds a place (at once if there is one)."""
        granted = threading.Event()
        with self._lock:
            self._waiting[turn_id] = granted
            self._grant()
            begin = self._seats is not None and not self._attending
            self._attending = self._attending or begin
        if begin and self._spawn:
            self._spawn(self._attend)
        self._moved.set()
        return granted

    def leave(self, turn_id: str) -> None:
        """Give back the place, or the place in the line; harmless when there is neither."""
        with self._lock:
            self._waiting.pop(turn_id, None)
            if turn_id in self._held:
                self._held.remove(turn_id)
                self._promises.freed()
            self._grant()
        self._moved.set()

    def position(self, turn_id: str) -> int:
        """1 is next; 0 for a turn that does not wait."""
        with self._lock:
            return next((place for place, waiting in enumerate(self._waiting, 1) if waiting == turn_id), 0)

    @property
    def _places(self) -> int:
        return self._max_live if self._seats is None else min(self._max_live, self._seats.have)

    def _grant(self) -> None:
        while self._waiting and len(self._held) < self._places:
            next_id, granted = self._waiting.popitem(last=False)
            self._held.add(next_id)
            granted.set()

    def _attend(self) -> None:
        """Hold seats for those here, until nobody is here any more."""
        seats = self._seats
        while seats is not None:
            self._moved.clear()
            with self._lock:
                running = len(self._held)
                demand = min(self._max_live, running + len(self._waiting))
                seats.keep(running)
            with suppress(StoreUnavailable):  # what was not given back ends by itself
                seats.ask(running=running, demand=demand)
            with self._lock:
                self._grant()
                waiting = bool(self._waiting)
                if demand == 0 and not self._held and not waiting:
                    self._attending = False
                    return
            if waiting:
                seats.pause(LOOK)
            else:
                self._moved.wait(seats.beat)
