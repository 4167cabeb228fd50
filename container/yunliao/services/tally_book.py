"""Counts what happens on this instance by the hour, in memory, and keeps it in the store every few seconds.

What is written is the whole count of this instance's hour, never a difference: a write whose outcome is unknown is
simply written again. A crash loses the last `FLUSH` seconds, nothing else. What no turn's log line tells also goes to
the log, now and then and as whole counts, so that log lines alone give the same figures.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

import msgspec

from yunliao.domain.tally import HOUR_MS, Kept, Standing, Tally, hour_of
from yunliao.errors import StoreUnavailable
from yunliao.ports import Clock, TurnLog
from yunliao.ports_tallies import Tallies, TallyRecord

FLUSH = 3.0
"""Seconds between two writes while something happens."""
HEARTBEAT = 30.0
"""Seconds after which an instance where nothing happens is heard of again."""
SAID = 60.0
"""Seconds between two log lines about an hour."""
KEPT_HOURS = 20
"""Hours kept in memory, so that they can wait while the store does not answer; a day is settled a day after its end
(services/summary.py)."""

Fields = Mapping[str, str | int | float | bool | None]


class Hour:
    """One hour's counts, and how much of them was written and said. `changes` counts all, `aside` what no turn's line
    tells."""

    def __init__(self, live: int) -> None:
        self.tally = Tally(live_max=live)
        self.changes = self.aside = 1 if live else 0
        self.written = self.said = 0


class TallyBook:
    """Implements `ports_tallies.TallySink`. Thread-safe. `told` hears of what goes to the log: when the hour began, a
    number that grows with it, and its counts; `queued` tells how many wait."""

    def __init__(
        self,
        *,
        tallies: Tallies,
        clock: Clock,
        instance: str,
        spawn: Callable[[Callable[[], None]], None],
        told: Callable[[int, int, Tally], None] = lambda hour, version, tally: None,
    ) -> None:
        self.queued: Callable[[], int] = lambda: 0
        self._tallies = tallies
        self._clock = clock
        self.instance = instance
        self._spawn = spawn
        self._told = told
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._ending = threading.Event()
        self._hours: dict[int, Hour] = {}
        self._standing = Standing()
        self._moved = False
        self._begun = False
        self._version = 0
        self._written_at = self._said_at = clock.monotonic()

    # --- counting --------------------------------------------------------------------------------------------------

    def turn(self, at: int, fields: Fields) -> None:
        """A turn ended, with the fields of its log line."""
        self._count(lambda tally: tally.turn(fields), at=at, aside=False)

    def live_turns(self, count: int) -> None:
        """So many are live now."""
        with self._lock:
            self._standing.live = count
            self._moved = True
            hour = self._hour(self._clock.now_ms())
            if count > hour.tally.live_max:
                hour.tally.live_max = count
                hour.changes += 1
                hour.aside += 1
        self._begin()

    def moderation(self, layer: str, outcome: str, seconds: float) -> None:
        """A check."""
        self._count(lambda tally: tally.check(layer, outcome, seconds * 1000))

    def relay_attempt(self, upstream: str, outcome: str) -> None:
        """An upstream was asked."""
        self._count(lambda tally: tally.asked(upstream, outcome))

    def relay_state(self, upstream: str, state: str) -> None:
        """A breaker."""
        with self._lock:
            self._standing.breakers[upstream] = state
            self._moved = True

    def store_failed(self) -> None:
        """A commit was not taken."""

        def count(tally: Tally) -> None:
            tally.store_failures += 1

        self._count(count)

    def started(self, seconds: float) -> None:
        """This instance is ready."""
        self._count(lambda tally: tally.start(seconds * 1000))

    def takeover(self) -> None:
        """A turn was taken over."""

        def count(tally: Tally) -> None:
            tally.takeovers += 1

        self._count(count)

    def credits_refused(self, code: str) -> None:
        """A message was refused."""
        self._count(lambda tally: tally.refuse(code))

    def service_day(self, part: float) -> None:
        """So much of the daily limit is taken."""
        with self._lock:
            self._standing.day_part = part
            self._moved = True

    # --- keeping ---------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Write what changed. Raises `StoreUnavailable`; what was not written is with the next call."""
        with self._flushing:
            for hour, changes, record in self._due():
                self._tallies.put(record)
                hour.written = changes

    def say(self) -> None:
        """Tell the log what it has not heard."""
        self._said_at = self._clock.monotonic()
        with self._lock:
            news = [(began, hour.aside, msgspec.json.encode(hour.tally.aside())) for began, hour in self._unsaid()]
        for began, version, aside in news:
            self._told(began, version, msgspec.json.decode(aside, type=Tally))

    def close(self) -> None:
        """The instance ends: write and say the rest. Never fails."""
        self._ending.set()
        with self._lock:
            begun, self._standing.gone, self._moved = self._begun, True, True
        if begun:
            with suppress(StoreUnavailable):
                self.flush()
            self.say()

    def _loop(self) -> None:
        while not self._ending.wait(FLUSH):
            with suppress(StoreUnavailable):  # it is written with the next
                self.flush()
            if self._clock.monotonic() - self._said_at >= SAID:
                self.say()

    def _count(self, change: Callable[[Tally], None], *, at: int | None = None, aside: bool = True) -> None:
        with self._lock:
            hour = self._hour(self._clock.now_ms() if at is None else at)
            change(hour.tally)
            hour.changes += 1
            hour.aside += aside
        self._begin()

    def _hour(self, at: int) -> Hour:
        # An hour is never begun a second time: what would be written then would be less than what is there.
        oldest = max(self._hours, default=0) - KEPT_HOURS * HOUR_MS
        began = max(hour_of(at), oldest)
        hour = self._hours.get(began)
        if hour is None:
            hour = self._hours[began] = Hour(self._standing.live)
            for old in [one for one in self._hours if one < began - KEPT_HOURS * HOUR_MS]:
                del self._hours[old]
        return hour

    def _begin(self) -> None:
        """The loop runs from the first count on: a command of the operator has none."""
        if self._begun:
            return
        with self._lock:
            begin, self._begun = not self._begun, True
        if begin:
            self._spawn(self._loop)

    def _due(self) -> list[tuple[Hour, int, TallyRecord]]:
        """What is to be written. The running hour also shows how the instance stands, and that it is there."""
        with self._lock:
            if not self._begun:
                return []
            now = self._clock.now_ms()
            self._standing.queued, before = self.queued(), self._standing.queued
            beat = self._clock.monotonic() - self._written_at >= HEARTBEAT
            running = self._hour(now)
            if beat or self._moved or self._standing.queued != before:
                running.changes += 1
            self._moved = False
            self._version = max(self._version + 1, now)
            due = [(began, hour) for began, hour in self._hours.items() if hour.changes != hour.written]
            if due:
                self._written_at = self._clock.monotonic()
            return [(hour, hour.changes, self._record(began, hour)) for began, hour in due]

    def _record(self, began: int, hour: Hour) -> TallyRecord:
        body = msgspec.json.encode(Kept(tally=hour.tally, now=self._standing))
        return TallyRecord(span="instance", at=began, source=self.instance, version=self._version, body=body)

    def _unsaid(self) -> list[tuple[int, Hour]]:
        unsaid = [(began, hour) for began, hour in self._hours.items() if hour.said != hour.aside]
        for _, hour in unsaid:
            hour.said = hour.aside
        return unsaid


class CountedTurns:
    """Implements `ports.TurnLog`: the line of an ended turn, counted, and with the instance and the moment `at` (Unix
    milliseconds) of the count."""

    def __init__(self, log: TurnLog, book: TallyBook, clock: Clock) -> None:
        self._log = log
        self._book = book
        self._clock = clock

    def turn(self, **fields: str | int | float | bool | None) -> None:
        """See `ports.TurnLog.turn`."""
        at = self._clock.now_ms()
        self._book.turn(at, fields)
        self._log.turn(at=at, instance=self._book.instance, **fields)
