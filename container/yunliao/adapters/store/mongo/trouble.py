"""While the server is known to be away, calls fail at once and one at a time looks whether it is back.

Without this every request would wait out the whole time limit during an outage, and all of them would fall on the
server in the moment it returns. The pause between two looks is random, so that instances do not keep step.
"""

import random
import threading
import time
from collections.abc import Callable

from yunliao.errors import StoreUnavailable

PAUSE = (0.2, 0.6)
"""Shortest and longest time between two looks, seconds."""
TIMEOUTS = 3
"""Calls in a row that ran out of time until the server is taken to be away: one alone may be a slow query."""


class Trouble:
    """Shared by all calls of one store."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._away = False
        self._look_at = 0.0
        self._timeouts = 0
        self._back_at = float("-inf")
        self._answered = float("-inf")
        """When the newest call that was answered had begun."""

    @property
    def away(self) -> bool:
        """Whether the server is taken to be away."""
        return self._away

    def check(self) -> float:
        """Returns the time if the call may go to the server; raises `StoreUnavailable` if it would only wait there."""
        with self._lock:
            now = self._monotonic()
            if self._away:
                if now < self._look_at:
                    raise StoreUnavailable("mongodb: no answer; looking again shortly")
                self._look_at = now + random.uniform(*PAUSE)  # noqa: S311  only spreads load
            return now

    def began(self, since: float) -> None:
        """A call that set out at `since` found nobody there. News from before the outage that is over is none."""
        with self._lock:
            if since >= self._answered:
                self._begin()

    def timed_out(self, since: float) -> None:
        """A call that set out at `since` reached somebody, or seemed to, and had no answer in time."""
        with self._lock:
            if since >= self._answered:
                self._timeouts += 1
                if self._timeouts >= TIMEOUTS:
                    self._begin()

    def _begin(self) -> None:
        self._away = True
        self._look_at = self._monotonic() + random.uniform(*PAUSE)  # noqa: S311  only spreads load

    def over(self, since: float) -> None:
        """A call that set out at `since` was answered."""
        with self._lock:
            if self._away:
                self._back_at = self._monotonic()
            self._away = False
            self._timeouts = 0
            self._answered = max(self._answered, since)

    def settled(self, seconds: float) -> bool:
        """Whether the last outage, if there was one, is over for so long. Until then a lease that ran out says nothing
        about its owner: nobody could renew any."""
        return not self._away and self._monotonic() - self._back_at >= seconds
