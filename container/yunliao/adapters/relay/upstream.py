"""One upstream of the pool: what it offers, how busy it is, how well it does."""

import threading
from collections.abc import Callable

import msgspec

from yunliao.adapters.relay.breaker import Breaker, Permit, State
from yunliao.adapters.relay.client import HttpRelay
from yunliao.ports import Clock


class Standing(msgspec.Struct, frozen=True):
    """An upstream as an operator wants to see it. `waits`: seconds until it may be asked again."""

    name: str
    state: State
    live: int
    max_live: int
    waits: float


class Upstream:
    """Thread-safe. `models`: the public ids it serves. A smaller `priority` is asked first; among equals the share is
    by `weight`. `max_live` answers at once, 0 for no limit. `domestic`: its servers are in mainland China."""

    def __init__(
        self,
        relay: HttpRelay,
        clock: Clock,
        *,
        models: frozenset[str],
        priority: int = 1,
        weight: float = 1.0,
        max_live: int = 0,
        domestic: bool = False,
        changed: Callable[[str, str], None] = lambda name, state: None,
    ) -> None:
        self.relay = relay
        self.name = relay.name
        self.models = models
        self.priority = priority
        self.weight = weight
        self.max_live = max_live
        self.domestic = domestic
        self.breaker = Breaker(clock, lambda state: changed(self.name, state))
        self._clock = clock
        self._lock = threading.Lock()
        self._live = 0
        self._rests_until = 0.0

    @property
    def full(self) -> bool:
        """Whether it answers as much as it may."""
        return 0 < self.max_live <= self._live

    @property
    def rests(self) -> float:
        """Seconds until its own Retry-After is over."""
        return max(0.0, self._rests_until - self._clock.monotonic())

    def rest(self, seconds: float) -> None:
        """It asked to be left alone for so long."""
        with self._lock:
            self._rests_until = max(self._rests_until, self._clock.monotonic() + seconds)

    def admit(self, *, insist: bool = False) -> "Place | None":
        """A place for one answer; None when it is full or its breaker is open."""
        with self._lock:
            if self.full:
                return None
            permit = self.breaker.permit(insist=insist)
            if permit is None:
                return None
            self._live += 1
        return Place(self, permit)

    def standing(self) -> Standing:
        """How it stands now."""
        waits = max(self.breaker.waits, self.rests)
        return Standing(self.name, self.breaker.state, self._live, self.max_live, round(waits, 1))

    def _left(self) -> None:
        with self._lock:
            self._live -= 1


class Place:
    """One answer of an upstream; ends once, with what is to be said of the upstream."""

    def __init__(self, upstream: Upstream, permit: Permit) -> None:
        self.upstream = upstream
        self._permit = permit
        self._lock = threading.Lock()
        self._ended = False

    def end(self, outcome: str) -> bool:
        """`success`, `failure` or anything else; False when it had ended before."""
        with self._lock:
            if self._ended:
                return False
            self._ended = True
        self.upstream._left()
        report = {"success": self._permit.success, "failure": self._permit.failure}
        report.get(outcome, self._permit.cancel)()
        return True
