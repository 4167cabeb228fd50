"""The quota is never exceeded, and a check waits or fails, but is never skipped."""

from datetime import datetime, timedelta, timezone

import pytest

from tests.fakes.clock import FakeClock
from yunliao.adapters.wechat.governor import LONGEST_WAIT, LocalGovernor, QuotaSpent, next_midnight

CHINA = timezone(timedelta(hours=8))


def at(hour: int, minute: int = 0, second: int = 0) -> int:
    return int(datetime(2026, 11, 21, hour, minute, second, tzinfo=CHINA).timestamp() * 1000)


def test_a_full_minute_refuses_then_opens_again() -> None:
    clock = FakeClock(at(12))
    governor = LocalGovernor(clock, per_minute=10)
    for _ in range(10):
        governor.acquire()
    with pytest.raises(QuotaSpent) as spent:
        governor.acquire()
    assert not spent.value.daily and LONGEST_WAIT < spent.value.seconds <= 61
    clock.advance(57)
    governor.acquire()
    assert sum(clock.slept) <= LONGEST_WAIT and clock.slept


def test_no_minute_holds_more_than_its_quota() -> None:
    clock = FakeClock(at(12))
    governor, taken = LocalGovernor(clock, per_minute=30), []
    for _ in range(300):
        try:
            governor.acquire()
            taken.append(clock.now_ms())
        except QuotaSpent:
            clock.advance(1.7)
        clock.advance(0.4)
    for start in taken:
        assert sum(1 for when in taken if start <= when < start + 60_000) <= 30
    assert len(taken) > 60


def test_pressure_rises_before_the_quota_ends() -> None:
    governor = LocalGovernor(FakeClock(at(12)), per_minute=100)
    seen = []
    for _ in range(100):
        seen.append(governor.pressure)
        governor.acquire()
    assert seen[:50] == [0.0] * 50 and seen == sorted(seen) and 0 < seen[60] < 1 and seen[95] == 1.0


def test_a_full_day_opens_at_midnight_in_china() -> None:
    clock = FakeClock(at(23, 59, 30))
    governor = LocalGovernor(clock, per_day=3)
    for _ in range(3):
        governor.acquire()
    with pytest.raises(QuotaSpent) as spent:
        governor.acquire()
    assert spent.value.daily and spent.value.seconds == 30
    clock.advance(30)
    governor.acquire()


def test_a_share_is_a_part_of_both_limits() -> None:
    governor = LocalGovernor(FakeClock(at(12)), per_minute=100, share=0.05)
    for _ in range(5):
        governor.acquire()
    with pytest.raises(QuotaSpent):
        governor.acquire()


def test_midnight() -> None:
    assert next_midnight(at(0)) == next_midnight(at(23, 59, 59)) == at(0) + 86_400_000
