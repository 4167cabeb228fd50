"""The quota of msg_sec_check, shared out over all instances so that it is never exceeded and no check is skipped.

platform.md §5.1: 4,000 calls a minute and 2,000,000 a day per appid. Calls are taken from the shared record in small
blocks (domain/quota.py): one write of the store for a block, not for a call.
"""

import threading

import msgspec

from yunliao.domain.quota import BLOCK_MS, Grant, Limits, Used, grant, next_midnight, share_used
from yunliao.errors import StoreUnavailable
from yunliao.ports import Clock, QuotaSpent, Registers
from yunliao.services.patience import patiently
from yunliao.services.register import SharedRecord

PER_MINUTE = 4_000
PER_DAY = 2_000_000
EASY = 0.5
"""Up to this part of the quota there is no pressure; at `HARD` it is full."""
HARD = 0.9
LONGEST_WAIT = 5.0
"""Seconds a call may wait for its place; people wait behind it."""
BLOCK = (4, 200)
"""Calls in the smallest and the largest block."""
STORE_AWAY = 1.0
"""Seconds after which to try again when the count cannot be known, and no longer is waited: fails closed."""


PRESSURE_MS = 250
"""How long a figure for the pressure holds, milliseconds: every window asks for it."""


class SharedGovernor:
    """A `ports.Governor` for all instances that use the same registers. Thread-safe."""

    def __init__(
        self, registers: Registers, clock: Clock, *, per_minute: int = PER_MINUTE, per_day: int = PER_DAY
    ) -> None:
        self._clock = clock
        self._limits = Limits(per_minute, per_day)
        self._record = SharedRecord(registers, "moderation-quota", Used(), clock)
        self._lock = threading.Lock()
        self._used = Used()
        self._left = 0
        self._block = BLOCK[0]
        self._valid_until = 0
        self._pressure = 0.0
        self._pressure_of: Used | None = None
        self._pressure_until = 0

    @property
    def pressure(self) -> float:
        now = self._clock.now_ms()
        if self._pressure_of is not self._used or now >= self._pressure_until:
            used = share_used(self._used, self._limits, now)
            self._pressure = min(1.0, max(0.0, (used - EASY) / (HARD - EASY)))
            self._pressure_of, self._pressure_until = self._used, now + PRESSURE_MS
        return self._pressure

    def acquire(self) -> None:
        """See `ports.Governor.acquire`. While the count cannot be known nothing of the answer can be shown either, so
        an outage of the store is waited out instead of failing what was accepted."""
        waited = 0.0
        while True:
            try:
                pause, daily = patiently(self._take_one, self._clock)
            except StoreUnavailable:
                raise QuotaSpent(STORE_AWAY, daily=False) from None
            if pause <= 0:
                return
            if daily or waited + pause > LONGEST_WAIT:
                raise QuotaSpent(pause, daily=daily)
            waited += pause
            self._clock.sleep(pause)

    def too_fast(self) -> None:
        self._say(slow_until=self._clock.now_ms() + 60_000)

    def spent_today(self) -> None:
        self._say(closed_until=next_midnight(self._clock.now_ms()))

    def _take_one(self) -> tuple[float, bool]:
        """One call taken (0.0), else as `_refill`. Raises `StoreUnavailable`."""
        with self._lock:
            now = self._clock.now_ms()
            pause, daily = (0.0, False) if self._left > 0 and now < self._valid_until else self._refill(now)
            if pause <= 0:
                self._left -= 1
            return pause, daily

    def _refill(self, now: int) -> tuple[float, bool]:
        """Seconds until a call may be made, and whether it is the day that is spent."""
        used_up = self._left <= 0
        self._block = min(BLOCK[1], self._block * 2) if used_up and now < self._valid_until else BLOCK[0]
        given = self._record.change(lambda used: self._take(used, now))
        self._left, self._valid_until = given.calls, now + BLOCK_MS
        return (0.0 if given.calls else given.wait_ms / 1000), given.daily

    def _take(self, used: Used, now: int) -> tuple[Used, Grant]:
        self._used, given = grant(used, self._block, self._limits, now)
        return self._used, given

    def _say(self, **until: int) -> None:
        def told(used: Used) -> tuple[Used, None]:
            later = {name: max(value, getattr(used, name)) for name, value in until.items()}
            self._used = msgspec.structs.replace(used, **later)
            return self._used, None

        with self._lock:
            self._left = 0
            try:
                self._record.change(told)
            except StoreUnavailable:
                told(self._used)  # at least this instance knows
