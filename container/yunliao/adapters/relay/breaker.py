"""A circuit breaker for one upstream: closed, open, half-open.

What becomes of a stream is known at its end, so permission and report are apart: `permit` gives a `Permit` or None, and
whoever holds one reports once. Reports of calls that began before the breaker opened no longer count.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Literal

from yunliao.ports import Clock

State = Literal["closed", "open", "half-open"]

IN_A_ROW = 5
"""Failures in a row that open it."""
WINDOW = 20
"""Outcomes looked at for a share."""
SHARE = 0.5
"""Share of failures in a full window that opens it."""
FIRST_OPEN = 10.0
"""Seconds it stays open at first; twice as long after each failed trial."""
LONGEST_OPEN = 120.0


class Permit:
    """One call that is under way; the first report counts."""

    def __init__(self, breaker: "Breaker", epoch: int, trial: bool) -> None:
        self.trial = trial
        self._breaker = breaker
        self._epoch = epoch
        self._reported = False

    def success(self) -> None:
        """The upstream did its work."""
        self._report(True)

    def failure(self) -> None:
        """It did not."""
        self._report(False)

    def cancel(self) -> None:
        """Nothing can be said: stopped by the user, lost a race, a request no upstream would take."""
        self._report(None)

    def _report(self, good: bool | None) -> None:
        if not self._reported:
            self._reported = True
            self._breaker._reported(self._epoch, self.trial, good)


class Breaker:
    """Thread-safe. `changed(state)` is called, outside the lock, after each change."""

    def __init__(self, clock: Clock, changed: Callable[[State], None] = lambda state: None) -> None:
        self._clock = clock
        self._changed = changed
        self._lock = threading.Lock()
        self._state: State = "closed"
        self._recent: deque[bool] = deque(maxlen=WINDOW)
        self._in_a_row = 0
        self._open_seconds = FIRST_OPEN
        self._opens_at = 0.0
        self._trying = False
        self._epoch = 0

    @property
    def state(self) -> State:
        """The state now; an open breaker whose time is over is half-open."""
        with self._lock:
            if self._state == "open" and self._clock.monotonic() >= self._opens_at:
                return "half-open"
            return self._state

    @property
    def waits(self) -> float:
        """Seconds until an open breaker lets a trial through; 0 for the other states."""
        with self._lock:
            return max(0.0, self._opens_at - self._clock.monotonic()) if self._state == "open" else 0.0

    def permit(self, *, insist: bool = False) -> Permit | None:
        """Permission for one call. None while open, and while half-open with a trial under way. `insist`: nothing else
        is left, so it is let through, as a trial if there is none."""
        turned = False
        with self._lock:
            if self._state == "open" and (insist or self._clock.monotonic() >= self._opens_at):
                self._state, self._trying, turned = "half-open", False, True
            if self._state == "closed":
                permit = Permit(self, self._epoch, trial=False)
            elif self._state == "half-open" and not self._trying:
                self._trying = True
                permit = Permit(self, self._epoch, trial=True)
            elif insist:
                permit = Permit(self, -1, trial=False)
            else:
                return None
        if turned:
            self._changed("half-open")
        return permit

    def _reported(self, epoch: int, trial: bool, good: bool | None) -> None:
        with self._lock:
            before = self._state
            if epoch == self._epoch and trial == (before == "half-open") and before != "open":
                self._count(trial, good)
            after = self._state
        if after != before:
            self._changed(after)

    def _count(self, trial: bool, good: bool | None) -> None:
        if trial:
            self._trying = False
        if good is None:
            return
        if trial and good:
            self._state, self._open_seconds, self._epoch = "closed", FIRST_OPEN, self._epoch + 1
            self._recent.clear()
            self._in_a_row = 0
            return
        self._recent.append(good)
        if good:
            self._in_a_row = 0
            return
        self._in_a_row += 1
        full = len(self._recent) == WINDOW
        if trial or self._in_a_row >= IN_A_ROW or (full and self._recent.count(False) >= SHARE * WINDOW):
            if trial:
                self._open_seconds = min(self._open_seconds * 2, LONGEST_OPEN)
            self._state, self._epoch = "open", self._epoch + 1
            self._opens_at = self._clock.monotonic() + self._open_seconds
            self._recent.clear()
            self._in_a_row = 0
