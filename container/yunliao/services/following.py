"""Following turns that other instances run, for all listeners of this instance together.

Where the store can tell what changes (`Turns.watch`), one such stream carries what every turn gains, and listeners get
it from memory. Where it cannot, or as long as it fails, one look at the store for all followed turns together, ten
times a second, tells which went on. Nobody listening: no stream and no look. docs/storage.md has the figures.
"""

import threading
from collections.abc import Callable, Mapping

from yunliao.errors import StoreUnavailable
from yunliao.ports import Clock, Head, Turns, Watch
from yunliao.services.followed import Followed, Seen

PAUSE = 0.1
"""Seconds between two looks: what a listener on another instance sees is at most about this much later."""
KEEP = 3.0
"""Seconds a turn is followed after its last listener left: most come back with the next cursor at once."""
STALE = 1.5
"""Seconds without a sign of the look-out after which a listener looks for itself."""
REOPEN = 10.0
"""Seconds until a stream that cannot be had, or failed, is asked for again."""
COUNTED = 5.0
"""Seconds over which a stream's worth is judged."""
WORTH = 0.1
"""Least share of a busy stream that is for listeners here: below it looks cost less, for us and for the server."""
BUSY = 2_000
"""Changes in that time that make a stream busy."""


class Following:
    """The instance's look-out."""

    def __init__(self, *, turns: Turns, clock: Clock, spawn: Callable[[Callable[[], None]], None]) -> None:
        self._turns = turns
        self._clock = clock
        self._spawn = spawn
        self._lock = threading.Lock()
        self._followed: dict[str, Followed] = {}
        self._looking = False
        self._closed = False
        self._sign = 0.0

    def close(self) -> None:
        """Wake all who wait, now and from now on: this instance is leaving."""
        self._closed = True
        with self._lock:
            followed = list(self._followed.values())
        for one in followed:
            one.wake()

    def read(self, turn_id: str, after: int, timeout: float) -> Seen:
        """Waits at most `timeout` seconds until the turn has an event after `after`, has ended, or its lease has run
        out; then how it stands, and those events as far as they are in memory. Raises `StoreUnavailable` when it cannot
        be seen."""
        deadline = self._clock.monotonic() + timeout
        followed = self._join(turn_id)
        try:
            if followed.head is None:
                self._look_at({turn_id: followed})
            while True:
                left = 0.0 if self._closed else max(0.0, deadline - self._clock.monotonic())
                seen = followed.wait(after, min(left, STALE), now=self._clock.now_ms)
                if seen is not None:
                    return seen
                if self._closed or deadline <= self._clock.monotonic():
                    return Seen(followed.head, ())
                if self._clock.monotonic() - self._sign > STALE:
                    self._look_at({turn_id: followed})
        finally:
            self._leave(followed)

    def _join(self, turn_id: str) -> Followed:
        with self._lock:
            followed = self._followed.setdefault(turn_id, Followed())
            followed.listeners += 1
            start = not self._looking
            self._looking = True
        if start:
            self._sign = self._clock.monotonic()
            self._spawn(self._look_out)
        return followed

    def _leave(self, followed: Followed) -> None:
        with self._lock:
            followed.listeners -= 1
            followed.left_at = self._clock.monotonic()

    def _still(self) -> dict[str, Followed]:
        """What is followed now; nothing ends the look-out."""
        with self._lock:
            past = self._clock.monotonic() - KEEP
            for turn_id, followed in list(self._followed.items()):
                if not followed.listeners and followed.left_at < past:
                    del self._followed[turn_id]
            self._looking = bool(self._followed)
            return dict(self._followed)

    def _look_at(self, followed: Mapping[str, Followed]) -> None:
        """One look; raises `StoreUnavailable`."""
        heads = self._turns.heads(followed)
        for turn_id, one in followed.items():
            one.looked(heads.get(turn_id))

    # --- the look-out ------------------------------------------------------------------------------------------------

    def _look_out(self) -> None:
        watch: Watch | None = None
        open_at = 0.0
        counts = _Counts(self._clock)
        try:
            while followed := self._still():
                if watch is None and self._clock.monotonic() >= open_at:
                    watch, open_at = self._open(followed), self._clock.monotonic() + REOPEN
                    counts = _Counts(self._clock)
                if watch is None:
                    self._poll(followed)
                elif not self._carry(watch, counts) or counts.mostly_for_others:
                    self._shut(watch, followed)
                    watch = None
                self._sign = self._clock.monotonic()
        finally:
            if watch is not None:
                watch.close()

    def _open(self, followed: Mapping[str, Followed]) -> Watch | None:
        """A stream, and one look at what happened before it."""
        watch: Watch | None = None
        try:
            watch = self._turns.watch()
            if watch is not None:
                self._look_at(followed)
        except StoreUnavailable:
            self._shut(watch, followed)
            return None
        return watch

    def _shut(self, watch: Watch | None, followed: Mapping[str, Followed]) -> None:
        """What follows leaves a gap in memory: from here the store is read."""
        for one in followed.values():
            one.forget()
        if watch is not None:
            watch.close()

    def _carry(self, watch: Watch, counts: "_Counts") -> bool:
        """Hand on what changes, for a moment; False if the stream failed."""
        until = self._clock.monotonic() + PAUSE
        while self._clock.monotonic() < until:
            try:
                changes = watch.next()
            except StoreUnavailable:
                return False
            for change in changes:
                followed = self._followed.get(change.turn_id)  # may have been joined just now
                if followed is not None:
                    followed.progressed(change)
                counts.count(followed is not None)
        return True

    def _poll(self, followed: Mapping[str, Followed]) -> None:
        try:
            self._look_at(followed)
        except StoreUnavailable as failed:
            for one in followed.values():
                one.failed(failed)
        self._clock.sleep(PAUSE)


class _Counts:
    """How much of a stream was for listeners here, over the last while."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since = clock.monotonic()
        self._all = self._ours = 0
        self.mostly_for_others = False

    def count(self, ours: bool) -> None:
        self._all += 1
        self._ours += ours
        if self._clock.monotonic() - self._since >= COUNTED:
            self.mostly_for_others = self._all > BUSY and self._ours < self._all * WORTH
            self._since, self._all, self._ours = self._clock.monotonic(), 0, 0


__all__ = ["Following", "Head", "Seen"]
