"""The moderation quota over instances: never exceeded, and a check waits or fails, but is never skipped."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from yunliao.domain.quota import BUCKET_MS, WINDOW, Limits, Used, grant, next_midnight
from yunliao.errors import StoreUnavailable
from yunliao.ports import QuotaSpent, Register, Registers
from yunliao.services.governor import LONGEST_WAIT, SharedGovernor
from yunliao.services.patience import LONGEST

CHINA = timezone(timedelta(hours=8))
MINUTE = 60_000


def at(hour: int, minute: int = 0, second: int = 0) -> int:
    return int(datetime(2026, 11, 21, hour, minute, second, tzinfo=CHINA).timestamp() * 1000)


def governors(clock: FakeClock, count: int = 1, **limits: int) -> list[SharedGovernor]:
    registers = MemoryStore().registers
    return [SharedGovernor(registers, clock, **limits) for _ in range(count)]


def test_a_full_minute_refuses_then_opens_again() -> None:
    clock = FakeClock(at(12))
    (governor,) = governors(clock, per_minute=10)
    for _ in range(10):
        governor.acquire()
    with pytest.raises(QuotaSpent) as spent:
        governor.acquire()
    assert not spent.value.daily and 60 < spent.value.seconds <= (WINDOW + 1) * BUCKET_MS / 1000
    clock.advance(spent.value.seconds - LONGEST_WAIT + 1)
    governor.acquire()
    assert 0 < sum(clock.slept) <= LONGEST_WAIT


@given(
    st.integers(1, 4),
    st.integers(5, 40),
    st.lists(st.tuples(st.integers(0, 3), st.floats(0, 9)), min_size=1, max_size=250),
)
def test_no_minute_holds_more_than_its_quota_over_all_instances(
    instances: int, per_minute: int, calls: list[tuple[int, float]]
) -> None:
    clock = FakeClock(at(12))
    shared, taken = governors(clock, instances, per_minute=per_minute), []
    for number, pause in calls:
        try:
            shared[number % instances].acquire()
            taken.append(clock.now_ms())
        except QuotaSpent:
            clock.advance(1)
        clock.advance(pause)
    for start in taken:
        assert sum(1 for when in taken if start <= when < start + MINUTE) <= per_minute


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 20_000), st.integers(-4_000, 4_000)), max_size=120))
def test_no_minute_is_granted_more_than_its_quota_though_clocks_differ(asks: list[tuple[int, int, int]]) -> None:
    used, now, granted = Used(), at(12), []
    for want, pause, skew in asks:
        now += pause
        used, given_now = grant(used, want, Limits(100, 10_000), now + skew)
        granted.append((now, given_now.calls))
    for start, _ in granted:
        # A block may be used for some seconds after its grant: the window of the grants is a minute and that.
        assert sum(calls for when, calls in granted if start - 2_000 <= when < start + MINUTE) <= 100


def test_the_quota_can_be_used_up_to_the_last_call() -> None:
    clock = FakeClock(at(12))
    first, second = governors(clock, 2, per_minute=50)
    taken = 0
    with pytest.raises(QuotaSpent):
        while True:
            first.acquire()
            taken += 1
    assert taken == 50
    with pytest.raises(QuotaSpent):
        second.acquire()


def test_pressure_rises_before_the_quota_ends_and_is_seen_by_all() -> None:
    first, second = governors(FakeClock(at(12)), 2, per_minute=200)
    seen = []
    for _ in range(200):
        seen.append(first.pressure)
        first.acquire()
    assert seen[:50] == [0.0] * 50 and seen == sorted(seen) and seen[-1] == 1.0
    with pytest.raises(QuotaSpent):
        second.acquire()
    assert second.pressure == 1.0


def test_a_full_day_opens_at_midnight_in_china() -> None:
    clock = FakeClock(at(23, 59, 30))
    first, second = governors(clock, 2, per_day=3)
    for _ in range(3):
        first.acquire()
    with pytest.raises(QuotaSpent) as spent:
        second.acquire()
    assert spent.value.daily and spent.value.seconds == 30
    clock.advance(30)
    second.acquire()


def test_what_the_platform_says_of_the_day_is_known_to_all_instances() -> None:
    clock = FakeClock(at(20))
    first, second = governors(clock, 2)
    first.acquire()
    first.spent_today()
    for governor in (first, second):
        with pytest.raises(QuotaSpent) as spent:
            governor.acquire()
        assert spent.value.daily and governor.pressure == 1.0
    clock.advance(4 * 3600)
    second.acquire()


def test_a_minute_that_the_platform_calls_full_raises_the_pressure() -> None:
    clock = FakeClock(at(20))
    (governor,) = governors(clock)
    governor.acquire()
    assert governor.pressure == 0.0
    governor.too_fast()
    assert governor.pressure == 1.0
    clock.advance(61)
    assert governor.pressure == 0.0


class Away(Registers):
    """A store that is away until a time of the clock."""

    def __init__(self, clock: FakeClock, until: float) -> None:
        self._inner = MemoryStore().registers
        self._clock = clock
        self._until = until

    def _look(self) -> None:
        if self._clock.monotonic() < self._until:
            raise StoreUnavailable("away")

    def read(self, name: str) -> Register:
        self._look()
        return self._inner.read(name)

    def swap(self, name: str, *, version: int, value: bytes) -> bool:
        self._look()
        return self._inner.swap(name, version=version, value=value)


def test_without_the_store_no_call_is_given_out() -> None:
    clock = FakeClock(at(12))
    governor = SharedGovernor(Away(clock, float("inf")), clock)
    with pytest.raises(QuotaSpent) as spent:
        governor.acquire()
    assert not spent.value.daily
    assert sum(clock.slept) >= LONGEST
    governor.spent_today()
    assert governor.pressure == 1.0


def test_an_outage_of_the_store_is_waited_out() -> None:
    clock = FakeClock(at(12))
    governor = SharedGovernor(Away(clock, clock.monotonic() + 20), clock)
    governor.acquire()
    assert 20 <= sum(clock.slept) < LONGEST


def test_midnight() -> None:
    assert next_midnight(at(0)) == next_midnight(at(23, 59, 59)) == at(0) + 86_400_000
