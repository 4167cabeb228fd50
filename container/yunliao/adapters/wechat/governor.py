"""The quota of msg_sec_check, shared out so that it is never exceeded and no check is ever skipped for it.

platform.md §5.1: 4,000 calls a minute and 2,000,000 a day per appid. This governor counts for one instance; one that
counts over all instances can take its place behind `Governor`.
"""

import threading
from collections import deque
from typing import Protocol

from yunliao.ports import Clock

PER_MINUTE = 4_000
PER_DAY = 2_000_000
DAY_MS = 86_400_000
CHINA_MS = 8 * 3_600_000
"""UTC+8: WeChat's days begin at midnight in China."""
EASY = 0.5
"""Up to this part of the quota there is no pressure; at `HARD` it is full."""
HARD = 0.9
LONGEST_WAIT = 5.0
"""Seconds a call may wait for its place; people wait behind it."""


class QuotaSpent(Exception):
    """No place within a bearable time. `seconds` until one may come."""

    def __init__(self, seconds: float, *, daily: bool) -> None:
        super().__init__("moderation quota spent")
        self.seconds = seconds
        self.daily = daily


class Governor(Protocol):
    """Gives out calls of one appid's quota."""

    @property
    def pressure(self) -> float:
        """From 0 (plenty) to 1 (nearly spent): the larger, the larger the windows should be."""
        ...

    def acquire(self) -> None:
        """Take one call, waiting briefly for it. Raises `QuotaSpent`."""
        ...

    def too_fast(self) -> None:
        """WeChat said that the minute is used up (44991): others share the quota, so take it as full."""
        ...

    def spent_today(self) -> None:
        """WeChat said that the day is used up (45009): nothing more until midnight in China."""
        ...


class LocalGovernor:
    """A `Governor` for one instance, with its `share` of the quota (1.0 where there is only one). Thread-safe."""

    def __init__(
        self, clock: Clock, *, per_minute: int = PER_MINUTE, per_day: int = PER_DAY, share: float = 1.0
    ) -> None:
        self._clock = clock
        self._per_minute = max(1, int(per_minute * share))
        self._per_day = max(1, int(per_day * share))
        self._lock = threading.Lock()
        self._seconds: deque[list[int]] = deque()
        """[second, calls] of the last minute, oldest first."""
        self._minute = 0
        self._day = -1
        self._today = 0
        self._closed_until = 0
        self._slow_until = 0

    @property
    def pressure(self) -> float:
        with self._lock:
            now = self._clock.now_ms()
            self._forget(now)
            if now < max(self._slow_until, self._closed_until):
                return 1.0
            used = max(self._minute / self._per_minute, self._today / self._per_day)
        return min(1.0, max(0.0, (used - EASY) / (HARD - EASY)))

    def acquire(self) -> None:
        waited = 0.0
        while True:
            with self._lock:
                now = self._clock.now_ms()
                pause, daily = self._pause(now)
                if pause <= 0:
                    self._count(now)
                    return
            if daily or waited + pause > LONGEST_WAIT:
                raise QuotaSpent(pause, daily=daily)
            waited += pause
            self._clock.sleep(pause)

    def too_fast(self) -> None:
        with self._lock:
            self._slow_until = self._clock.now_ms() + 60_000

    def spent_today(self) -> None:
        with self._lock:
            self._closed_until = next_midnight(self._clock.now_ms())

    def _pause(self, now: int) -> tuple[float, bool]:
        """Seconds until a call may be made, and whether it is the day that is spent."""
        self._forget(now)
        if now < self._closed_until:
            return (self._closed_until - now) / 1000, True
        if self._today >= self._per_day:
            return (next_midnight(now) - now) / 1000, True
        if self._minute >= self._per_minute:
            return (self._seconds[0][0] + 61) - now / 1000, False
        return 0.0, False

    def _count(self, now: int) -> None:
        second = now // 1000
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append([second, 0])
        self._seconds[-1][1] += 1
        self._minute += 1
        self._today += 1

    def _forget(self, now: int) -> None:
        while self._seconds and self._seconds[0][0] <= now // 1000 - 61:
            self._minute -= self._seconds.popleft()[1]
        day = (now + CHINA_MS) // DAY_MS
        if day != self._day:
            self._day, self._today = day, 0


def next_midnight(now_ms: int) -> int:
    """The next midnight in China, Unix milliseconds."""
    return ((now_ms + CHINA_MS) // DAY_MS + 1) * DAY_MS - CHINA_MS
