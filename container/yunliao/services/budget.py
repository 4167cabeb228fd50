"""The most the whole service may cost on a day: a stop for the operator's bill, shared by all instances.

Every turn takes its upper bound before it is accepted and gives back at its end what it did not cost. An instance takes
blocks of the shared record (domain/ledger/budget.py), so a turn rarely writes it.
"""

import threading
from collections.abc import Callable

from yunliao.domain.ledger.account import day_of
from yunliao.domain.ledger.budget import BLOCK_PART, Budget, give_back, take
from yunliao.domain.quota import next_midnight
from yunliao.errors import ServiceBudgetExhausted
from yunliao.ports import Clock, Registers
from yunliao.services.register import SharedRecord

KEPT_BLOCKS = 2
"""Blocks an instance keeps of what turns gave back; more goes back to the others."""


class ServiceBudget:
    """This instance's part of the day's limit. Thread-safe."""

    def __init__(
        self,
        registers: Registers,
        clock: Clock,
        *,
        limit: int,
        warn: float,
        used: Callable[[float], None],
        told: Callable[[str, float], None],
    ) -> None:
        """`limit` in micro-credits. `used` hears what part of it is taken; `told` hears `warning` and `exhausted`, each
        once a day."""
        self._record = SharedRecord(registers, "service-budget", Budget(), clock)
        self._clock = clock
        self._limit = limit
        self._warn = warn
        self._used = used
        self._told = told
        self._said: set[tuple[int, str]] = set()
        self._lock = threading.Lock()
        self._pool = 0
        self._day = -1

    def take(self, amount: int) -> None:
        """Raises `ServiceBudgetExhausted` when the day has no room for it, `StoreUnavailable` when that is unknown."""
        with self._lock:
            now = self._today()
            if amount > self._pool:
                want = amount - self._pool
                part = self._record.change(lambda budget: take(budget, want, self._limit, now))
                if part.day > self._day:
                    self._day, self._pool = part.day, 0
                self._pool += part.amount
                self._say(part.part, refused=amount > self._pool)
                if amount > self._pool:
                    raise ServiceBudgetExhausted(retry_after=max(1, (next_midnight(now) - now) // 1000))
            self._pool -= amount

    def settle(self, taken: int, cost: int, at: int) -> None:
        """A turn that took `taken` at the time `at` cost so much. Raises `StoreUnavailable`; then what was to be given
        back stays counted."""
        with self._lock:
            self._today()
            if day_of(at) != self._day:
                return  # it counted for another day
            self._pool += taken - cost
            kept = KEPT_BLOCKS * (self._limit // BLOCK_PART)
            if self._pool < 0 or self._pool > kept:
                spare, self._pool = (self._pool, 0) if self._pool < 0 else (self._pool - kept, kept)
                self._return(spare)

    def close(self) -> None:
        """Leave nothing taken that is not needed. Raises `StoreUnavailable`."""
        with self._lock:
            spare, self._pool = self._pool, 0
            if spare:
                self._return(spare)

    def _today(self) -> int:
        """The time; with a new day what was left of the last one is gone."""
        now = self._clock.now_ms()
        if day_of(now) > self._day:
            self._day, self._pool = day_of(now), 0
        return now

    def _return(self, amount: int) -> None:
        day, now = self._day, self._clock.now_ms()
        self._record.change(lambda budget: (give_back(budget, amount, day, now), None))

    def _say(self, part: float, *, refused: bool) -> None:
        self._used(part)
        state = "exhausted" if refused else "warning" if part >= self._warn else ""
        if state and (self._day, state) not in self._said:
            self._said = {one for one in self._said if one[0] == self._day} | {(self._day, state)}
            self._told(state, part)
