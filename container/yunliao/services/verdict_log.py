"""The verdict log: who, when, which layer, what it said, and the ids to ask the platform by; never the text
(platform.md §12: kept at least six months). Passes are only counted."""

import threading
from collections import Counter, deque
from collections.abc import Callable
from typing import Literal, Protocol

from yunliao.domain.turn import Turn
from yunliao.domain.verdict import Verdict
from yunliao.errors import StoreUnavailable
from yunliao.ports import Clock
from yunliao.ports_records import VerdictEntry, Verdicts

DAY_MS = 86_400_000
FLUSH_COUNT = 200
FLUSH_SECONDS = 15.0
KEPT = 5_000
"""Entries kept in memory while the store does not answer; without the store no message is accepted either."""

Place = Literal["question", "answer"]


class VerdictSink(Protocol):
    """Who is told of verdicts."""

    def passed(self, place: Place) -> None:
        """A text passed."""
        ...

    def judged(self, turn: Turn, place: Place, verdict: Verdict, request_id: str) -> None:
        """A text of this turn was blocked. Never fails."""
        ...

    def undecided(self, turn: Turn, place: Place, request_id: str) -> None:
        """No layer came to a decision, and the turn failed closed. Never fails."""
        ...


class Unheard:
    """A `VerdictSink` that keeps nothing."""

    def passed(self, place: Place) -> None: ...
    def judged(self, turn: Turn, place: Place, verdict: Verdict, request_id: str) -> None: ...
    def undecided(self, turn: Turn, place: Place, request_id: str) -> None: ...


class VerdictLog:
    """Writes each verdict at once; while the store does not answer they wait here, bounded, for the next."""

    def __init__(
        self, *, verdicts: Verdicts, clock: Clock, followers: tuple[Callable[[VerdictEntry], None], ...] = ()
    ) -> None:
        """`followers` are told of each entry after it was written (cool-down, review queue); they may be told twice."""
        self._verdicts = verdicts
        self._clock = clock
        self._followers = followers
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._waiting: deque[VerdictEntry] = deque(maxlen=KEPT)
        self._passes: Counter[tuple[int, str]] = Counter()
        self._flushed_at = clock.monotonic()

    def passed(self, place: Place) -> None:
        """See `VerdictSink.passed`: counted here, written now and then."""
        with self._lock:
            self._passes[self._clock.now_ms() // DAY_MS, place] += 1
            due = self._passes.total() >= FLUSH_COUNT or self._clock.monotonic() - self._flushed_at > FLUSH_SECONDS
        if due:
            self.flush()

    def judged(self, turn: Turn, place: Place, verdict: Verdict, request_id: str) -> None:
        """See `VerdictSink.judged`."""
        if verdict.suggest == "pass":
            return
        self._add(
            VerdictEntry(
                # The same turn taken over by another instance meets the same verdict: one entry.
                id=f"{turn.id}-{place}-{verdict.layer}",
                at=self._clock.now_ms(),
                user_id=turn.user_id,
                turn_id=turn.id,
                place=place,
                layer=verdict.layer,
                suggest=verdict.suggest,
                label=verdict.label,
                trace_id=verdict.trace_id,
                request_id=request_id,
            )
        )

    def undecided(self, turn: Turn, place: Place, request_id: str) -> None:
        """See `VerdictSink.undecided`."""
        self._add(
            VerdictEntry(
                id=f"{turn.id}-{place}-none",
                at=self._clock.now_ms(),
                user_id=turn.user_id,
                turn_id=turn.id,
                place=place,
                layer="none",
                suggest="none",
                label=0,
                request_id=request_id,
            )
        )

    def flush(self) -> None:
        """Write what waits; what cannot be written waits on. Never fails."""
        if not self._flushing.acquire(blocking=False):
            return
        try:
            self._write()
        except StoreUnavailable:
            return
        finally:
            self._flushing.release()

    def _add(self, entry: VerdictEntry) -> None:
        with self._lock:
            self._waiting.append(entry)
        self.flush()

    def _write(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    break
                entry = self._waiting[0]
            self._verdicts.add(entry)
            for follow in self._followers:
                follow(entry)
            with self._lock:
                if self._waiting and self._waiting[0] is entry:
                    self._waiting.popleft()
        with self._lock:
            counts, self._passes = self._passes, Counter()
            self._flushed_at = self._clock.monotonic()
        try:
            if counts:
                self._verdicts.count_passes(counts)
        except StoreUnavailable:
            with self._lock:
                self._passes.update(counts)
            raise
