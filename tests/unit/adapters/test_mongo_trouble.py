"""During an outage one call at a time looks whether it is over; after it leases get time to be renewed."""

import pytest

from yunliao.adapters.store.mongo.trouble import PAUSE, TIMEOUTS, Trouble
from yunliao.errors import StoreUnavailable


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def trouble(clock: Clock) -> Trouble:
    return Trouble(clock)


def passes(trouble: Trouble) -> bool:
    try:
        trouble.check()
    except StoreUnavailable:
        return False
    return True


def test_without_trouble_every_call_goes(trouble: Trouble) -> None:
    assert all(passes(trouble) for _ in range(10))
    assert trouble.settled(1_000)


def test_in_trouble_one_call_a_pause_looks(trouble: Trouble, clock: Clock) -> None:
    trouble.began(clock())
    assert not passes(trouble)
    looks = 0
    for _ in range(1_000):
        clock.now += 0.01
        looks += passes(trouble)
    assert 10 / PAUSE[1] - 2 <= looks <= 10 / PAUSE[0] + 1
    trouble.over(clock())
    assert all(passes(trouble) for _ in range(10))


def test_one_slow_call_is_no_outage_but_several_in_a_row_are(trouble: Trouble, clock: Clock) -> None:
    for _ in range(5):
        for _ in range(TIMEOUTS - 1):
            trouble.timed_out(clock())
        assert passes(trouble)
        trouble.over(clock())
    for _ in range(TIMEOUTS):
        trouble.timed_out(clock())
    assert not passes(trouble)


def test_it_is_settled_some_time_after_the_last_outage(trouble: Trouble, clock: Clock) -> None:
    trouble.began(clock())
    assert not trouble.settled(0)
    trouble.over(clock())
    assert trouble.settled(0)
    clock.now += 5.9
    trouble.over(clock())  # later answers do not begin the time anew
    assert not trouble.settled(6)
    clock.now += 0.2
    assert trouble.settled(6)


def test_a_call_that_set_out_before_the_outage_was_over_tells_nothing_new(trouble: Trouble, clock: Clock) -> None:
    early = clock()
    trouble.began(early)
    clock.now += 5
    trouble.over(clock())
    trouble.began(early)
    for _ in range(TIMEOUTS):
        trouble.timed_out(early)
    assert all(passes(trouble) for _ in range(10))
    clock.now += 1
    trouble.began(clock())
    assert not passes(trouble)
