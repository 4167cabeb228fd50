"""Several upstreams as one relay: choice by priority, weight and health, failover before the first text.

Up to the first text everything happens within one limit of the first byte. An upstream that refuses, or cannot be
reached, may be asked again after a pause with jitter, never before its Retry-After is over, and after the others. One
that answered 200 and then said nothing, or let its time pass, is not asked again: the generation may have been paid
for. After the first text a failure is the caller's, who may go on from what it has (services/run.py).
"""

import random
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from urllib.parse import urlsplit

import msgspec

from yunliao.adapters.relay.refusals import MAX_RETRY_AFTER
from yunliao.adapters.relay.trial import Batch, Race, Trial
from yunliao.adapters.relay.upstream import Standing, Upstream
from yunliao.errors import OverseasConsentRequired, RelayOverloaded, RelayRefused, RelayTimeout, TurnFailed
from yunliao.ports import Clock, Metrics, RelayEvent, RelayRequest, RelayStream
from yunliao.ports_operators import RelayFailure, UpstreamView

TRIES = 3
"""How often one upstream is asked for one answer."""
STEP = 0.1
"""Seconds between two looks at whether a full upstream has a place."""
FAILURES = 10
"""Failures of an upstream that are kept for an operator to see."""
SWITCHED_OFF_SECONDS = 60
"""When to ask again while every upstream that has the model is switched off."""


class PoolPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds. `first_byte`: until something is said, all upstreams and pauses together. `hedge_after`: after so long
    without a word another upstream is asked as well; 0 = never."""

    first_byte: float = 60.0
    hedge_after: float = 0.0


class RelayPool:
    """Implements `ports.Relay` and `ports_operators.Upstreams`."""

    def __init__(
        self,
        upstreams: Sequence[Upstream],
        *,
        policy: PoolPolicy,
        clock: Clock,
        metrics: Metrics,
        chance: Callable[[], float] = random.random,
        off: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        """`chance` gives numbers from 0 to 1, for weights and jitter. `off`: names of upstreams that an operator
        switched off; asked for once a generation."""
        self.upstreams = tuple(upstreams)
        self.policy = policy
        self.clock = clock
        self.metrics = metrics
        self.chance = chance
        self.off = off
        self._failures: dict[str, deque[RelayFailure]] = {one.name: deque(maxlen=FAILURES) for one in self.upstreams}

    def __repr__(self) -> str:
        return f"RelayPool({', '.join(upstream.name for upstream in self.upstreams)})"

    def stream(self, request: RelayRequest) -> "PooledStream":
        """See `ports.Relay.stream`."""
        return PooledStream(self, request)

    def standings(self) -> list[Standing]:
        """How every upstream stands."""
        return [upstream.standing() for upstream in self.upstreams]

    def listed(self) -> list[UpstreamView]:
        """See `ports_operators.Upstreams.listed`."""
        return [self._view(upstream) for upstream in self.upstreams]

    def attempt(self, name: str, request: RelayRequest, first_byte: float) -> RelayStream:
        """See `ports_operators.Upstreams.attempt`."""
        return {one.name: one for one in self.upstreams}[name].relay.stream(request, first_byte=first_byte)

    def failed(self, name: str, code: str) -> None:
        """Remember that an upstream failed with that code."""
        self._failures[name].appendleft(RelayFailure(self.clock.now_ms(), code))

    def summary(self) -> str:
        """One line for `/readyz`, which anybody may read: numbers, no names."""
        off = self.off()
        closed = sum(
            1 for one in self.upstreams if one.breaker.state == "closed" and not one.rests and one.name not in off
        )
        return f"{closed} of {len(self.upstreams)} upstreams in order"

    def close(self) -> None:
        """Close the connections that wait."""
        for upstream in self.upstreams:
            upstream.relay.close()

    def _view(self, upstream: Upstream) -> UpstreamView:
        stands = upstream.standing()
        return UpstreamView(
            name=upstream.name,
            host=urlsplit(upstream.relay.url).netloc,
            models=sorted(upstream.models),
            priority=upstream.priority,
            weight=upstream.weight,
            domestic=upstream.domestic,
            state=stands.state,
            live=stands.live,
            max_live=stands.max_live,
            waits=stands.waits,
            recent=list(self._failures[upstream.name]),
        )

    def order(self, upstreams: Sequence[Upstream]) -> list[Upstream]:
        """By priority; within one priority at random by weight, without repetition."""
        keyed = []
        for upstream in upstreams:
            draw = max(self.chance(), 1e-9)
            keyed.append((upstream.priority, -(draw ** (1.0 / upstream.weight)), upstream.name, upstream))
        return [item[3] for item in sorted(keyed, key=lambda item: item[:3])]


class PooledStream:
    """Implements `ports.RelayStream`; can be iterated once."""

    def __init__(self, pool: RelayPool, request: RelayRequest) -> None:
        self.upstream = ""
        self._pool = pool
        self._request = request
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._live: list[Trial] = []
        # Nothing below looks at any other upstream: neither failover nor a hedge leaves the country without permission.
        offering = [
            one for one in pool.upstreams if request.model in one.models and (one.domestic or not request.domestic_only)
        ]
        off = pool.off() if offering else ()
        self._offering = [one for one in offering if one.name not in off]
        self._switched_off = len(offering) > len(self._offering)
        self._asked: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        self._spent: set[str] = set()
        self._failure: TurnFailed | None = None
        self._give_up = 0.0

    def close(self) -> None:
        """See `ports.RelayStream.close`."""
        self._closed.set()
        with self._lock:
            live = list(self._live)
        for trial in live:
            trial.close()

    def __iter__(self) -> Iterator[list[RelayEvent]]:
        self._give_up = self._pool.clock.monotonic() + self._pool.policy.first_byte
        if not self._offering:
            raise self._nobody()
        try:
            while not self._closed.is_set() and self._still():
                trial = self._begin()
                if trial is None:
                    continue
                spoken = self._hedged(trial) if self._pool.policy.hedge_after else self._alone(trial)
                if spoken is not None:
                    winner, batch = spoken
                    self.upstream = winner.upstream.name
                    yield from self._following(winner, batch)
                    return
        except TurnFailed:
            if not self._closed.is_set():
                raise
        finally:
            self._leave()

    def _nobody(self) -> TurnFailed | OverseasConsentRequired:
        """Why no upstream can be asked."""
        if self._switched_off:
            return RelayOverloaded("switched off by an operator", retry_after=SWITCHED_OFF_SECONDS)
        if any(self._request.model in one.models for one in self._pool.upstreams):
            return OverseasConsentRequired()
        return RelayRefused("no upstream offers the model")

    def _following(self, winner: Trial, batch: Batch) -> Iterator[Batch]:
        try:
            yield from winner.following(batch)
        except TurnFailed as failed:
            if not self._closed.is_set() and not winner.ours(failed):
                self._pool.failed(self.upstream, failed.code)
            raise

    def _still(self) -> bool:
        return self._request.still is None or self._request.still()

    # --- choosing -------------------------------------------------------------------------------------------------

    def _begin(self, *, hedge: bool = False) -> Trial | None:
        """A trial at the best upstream there is; None after a pause, when it is worth looking again. Raises the last
        failure when there is nothing left to try. For a hedge only what is free at once counts."""
        now = self._pool.clock.monotonic()
        usable = [one for one in self._offering if one.name not in self._spent and self._tries(one) < TRIES]
        if now >= self._give_up or not usable:
            raise self._failure or RelayTimeout("no room in time")
        waits = {one.name: max(self._not_before.get(one.name, 0.0) - now, one.rests) for one in usable}
        ready = [one for one in usable if waits[one.name] <= 0 and not (hedge and self._tries(one))]
        for upstream in self._preferred(ready):
            place = upstream.admit()
            if place is not None:
                return self._enter(Trial(place, self._request, self._share(upstream), self._pool.metrics.relay_attempt))
        if hedge:
            return None
        pause = min((wait for wait in waits.values() if wait > 0), default=0.0)
        if any(one.full for one in ready):
            pause = min(pause, STEP) if pause else STEP
        if pause and now + pause < self._give_up:
            self._closed.wait(pause)
            return None
        if not self._asked:
            # Every breaker is open: to refuse everybody would help nobody, so the one that comes back first is asked
            # once.
            for upstream in sorted((one for one in usable if not one.rests), key=lambda one: one.breaker.waits):
                place = upstream.admit(insist=True)
                if place is not None:
                    self._spent.update(one.name for one in usable)
                    share = self._give_up - now
                    return self._enter(Trial(place, self._request, share, self._pool.metrics.relay_attempt))
        raise self._failure or RelayOverloaded("all upstreams rest", retry_after=max(1, min(60, round(max(pause, 5)))))

    def _tries(self, upstream: Upstream) -> int:
        return self._asked.get(upstream.name, 0)

    def _preferred(self, ready: list[Upstream]) -> list[Upstream]:
        """The untried before the tried, the one to avoid last, else in the pool's order."""
        ordered = self._pool.order(ready)
        return sorted(ordered, key=lambda one: (one.name == self._request.avoid, self._tries(one)))

    def _share(self, upstream: Upstream) -> float:
        """Seconds this upstream gets until its first byte: what is left, divided among those not yet asked."""
        others = [one for one in self._offering if one is not upstream and one.name not in self._spent]
        untried = sum(1 for one in others if not self._tries(one) and one.breaker.state == "closed")
        return max(0.05, self._give_up - self._pool.clock.monotonic()) / (1 + untried)

    def _enter(self, trial: Trial) -> Trial:
        name = trial.upstream.name
        self._asked[name] = self._asked.get(name, 0) + 1
        with self._lock:
            self._live.append(trial)
        if self._closed.is_set():
            trial.close()
        return trial

    def _leave(self, trial: Trial | None = None) -> None:
        """Nobody needs it any more (none: any of them)."""
        with self._lock:
            leaving = list(self._live) if trial is None else [trial]
            self._live = [one for one in self._live if one not in leaving]
        for one in leaving:
            one.close()
            one.end("stopped")

    # --- asking ---------------------------------------------------------------------------------------------------

    def _alone(self, trial: Trial) -> tuple[Trial, Batch] | None:
        """What one upstream says first; None when it failed in a way that leaves something to try."""
        try:
            batch = trial.first()
        except TurnFailed:
            self._failed(trial)
            return None
        return (trial, batch) if batch else None

    def _hedged(self, trial: Trial) -> tuple[Trial, Batch] | None:
        """As `_alone`, with a second upstream asked as well when the first one is silent for too long."""
        race, metrics = Race(), self._pool.metrics
        race.enter(trial)
        second: Trial | None = None
        try:
            heard = race.wait(self._pool.policy.hedge_after)
            if heard is None and not self._closed.is_set() and self._still():
                second = self._second()
                if second is not None:
                    race.enter(second)
            while True:
                heard = heard or race.wait()
                assert heard is not None  # noqa: S101  every trial is heard of once
                spoke, batch = heard
                if batch:
                    if second is not None:
                        metrics.relay_hedge("won" if spoke is second else "lost")
                    return spoke, batch
                if spoke.failure is not None:
                    self._failed(spoke, race.running)
                if not race.running:
                    if second is not None:
                        metrics.relay_hedge("failed")
                    return None
                heard = None
        finally:
            race.finish()

    def _second(self) -> Trial | None:
        try:
            return self._begin(hedge=True)
        except TurnFailed:
            return None

    def _failed(self, trial: Trial, running: Sequence[Trial] = ()) -> None:
        """Note what a failed trial means for the next one. Raises its failure when none is worth while."""
        failure, refused, name = trial.failure, trial.attempt.refused, trial.upstream.name
        assert failure is not None  # noqa: S101  only called for a failed trial
        self._leave(trial)
        if self._failure is None or failure.code != "relay_unreachable":
            self._failure = failure  # of several failures an upstream that answered has more to say
        if trial.ours(failure):
            raise failure
        if not self._closed.is_set():
            self._pool.failed(name, failure.code)
        if refused is None or not refused.retryable:
            self._spent.add(name)
            return
        if refused.wait:
            trial.upstream.rest(refused.wait)
        if refused.wait > MAX_RETRY_AFTER:
            self._spent.add(name)
            return
        jitter = (0.2 + 0.3 * self._pool.chance()) * 2 ** (self._asked[name] - 1)
        self._not_before[name] = self._pool.clock.monotonic() + max(refused.wait, jitter)
