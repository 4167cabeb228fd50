"""An outage of the store in mid-turn is waited out, as long as somebody needs the answer."""

import pytest

from tests.fakes.clock import FakeClock
from yunliao.errors import NotFound, StoreUnavailable
from yunliao.services.patience import LONGEST, patiently


class Store:
    """Away for so many seconds of the clock."""

    def __init__(self, clock: FakeClock, seconds: float) -> None:
        self._clock = clock
        self._until = clock.monotonic() + seconds
        self.asked = 0

    def read(self) -> str:
        self.asked += 1
        if self._clock.monotonic() < self._until:
            raise StoreUnavailable("away")
        return "here"


def test_what_is_there_is_not_waited_for() -> None:
    clock = FakeClock()
    assert patiently(Store(clock, 0).read, clock) == "here"
    assert clock.slept == []


def test_an_outage_is_waited_out() -> None:
    clock = FakeClock()
    store = Store(clock, LONGEST / 2)
    assert patiently(store.read, clock) == "here"
    assert store.asked > 10


def test_one_that_lasts_too_long_is_told() -> None:
    clock = FakeClock()
    with pytest.raises(StoreUnavailable):
        patiently(Store(clock, 10 * LONGEST).read, clock)
    assert LONGEST <= sum(clock.slept) < LONGEST + 1


def test_nothing_is_waited_for_that_nobody_needs() -> None:
    clock = FakeClock()
    with pytest.raises(StoreUnavailable):
        patiently(Store(clock, 5).read, clock, lambda: sum(clock.slept) >= 2)
    assert sum(clock.slept) == 2


def test_other_errors_pass() -> None:
    def gone() -> str:
        raise NotFound

    clock = FakeClock()
    with pytest.raises(NotFound):
        patiently(gone, clock)
    assert clock.slept == []
