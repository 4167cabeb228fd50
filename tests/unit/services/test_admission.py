"""Slots: never more than the bound, first come first served, nobody is forgotten."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from yunliao.errors import QueueFull, StoreUnavailable
from yunliao.ports import Register, Registers
from yunliao.services.admission import SharedSeats, Slots


def test_waits_in_order_and_tells_the_place() -> None:
    slots = Slots(max_live=1, max_queue=2, clock=FakeClock())
    first, second, third = (slots.enter(name) for name in "abc")
    assert first.is_set()
    assert not second.is_set()
    assert (slots.position("a"), slots.position("b"), slots.position("c")) == (0, 1, 2)
    slots.leave("a")
    assert second.is_set()
    assert not third.is_set()
    assert slots.position("c") == 1


def test_a_full_queue_refuses_with_a_time_to_wait() -> None:
    slots = Slots(max_live=1, max_queue=1, clock=FakeClock())
    slots.enter("a")
    slots.check_room()
    slots.enter("b")
    with pytest.raises(QueueFull) as caught:
        slots.check_room()
    assert caught.value.retry_after


def test_one_who_gives_up_waiting_frees_its_place_in_the_line() -> None:
    slots = Slots(max_live=1, max_queue=5, clock=FakeClock())
    slots.enter("a")
    slots.enter("b")
    third = slots.enter("c")
    slots.leave("b")
    assert slots.position("c") == 1
    slots.leave("a")
    assert third.is_set()


@given(st.integers(1, 4), st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=80))
def test_bounds_hold_and_no_place_is_lost(max_live: int, steps: list[tuple[bool, int]]) -> None:
    slots = Slots(max_live=max_live, max_queue=100, clock=FakeClock())
    inside: dict[str, object] = {}
    for enters, number in steps:
        name = str(number)
        if enters and name not in inside:
            inside[name] = slots.enter(name)
        elif not enters:
            slots.leave(name)
            inside.pop(name, None)
        running = [name for name, granted in inside.items() if granted.is_set()]  # type: ignore[attr-defined]
        assert len(running) <= max_live
        assert len(running) == min(max_live, len(inside))
        assert slots.depth == len(inside) - len(running)


class Forgetful(Registers):
    """Registers whose answers get lost while `lost`: what was to be written is written."""

    def __init__(self) -> None:
        self._inner = MemoryStore().registers
        self.lost = False

    def read(self, name: str) -> Register:
        if self.lost:
            raise StoreUnavailable("away")
        return self._inner.read(name)

    def swap(self, name: str, *, version: int, value: bytes) -> bool:
        done = self._inner.swap(name, version=version, value=value)
        if self.lost:
            raise StoreUnavailable("away")
        return done


def seats(registers: Registers, clock: FakeClock, name: str) -> SharedSeats:
    return SharedSeats(registers, clock, instance=name, limit=2, lease_seconds=6)


def test_seats_that_may_have_been_given_back_are_not_used() -> None:
    registers, clock = Forgetful(), FakeClock()
    one, other = seats(registers, clock, "one"), seats(registers, clock, "other")
    one.ask(running=0, demand=2)
    assert one.have == 2
    registers.lost = True
    with pytest.raises(StoreUnavailable):
        one.ask(running=0, demand=0)
    registers.lost = False
    other.ask(running=0, demand=2)
    assert one.have + other.have == 2


def test_while_seats_are_asked_for_none_is_given_out_that_may_be_lost() -> None:
    registers, clock = Forgetful(), FakeClock()
    held = seats(registers, clock, "one")
    held.ask(running=0, demand=2)
    slots = Slots(max_live=2, max_queue=9, clock=FakeClock(), seats=held, spawn=lambda task: None)
    assert slots.enter("a").is_set()
    held.keep(1)
    assert not slots.enter("b").is_set()
    held.ask(running=1, demand=2)
    slots.enter("c")
    assert slots.position("b") == 0


def test_nobody_attends_to_seats_that_nobody_uses_though_the_store_is_away() -> None:
    registers, clock = Forgetful(), FakeClock()
    attending: list[threading.Thread] = []

    def spawn(task: object) -> None:
        attending.append(threading.Thread(target=task, daemon=True))  # type: ignore[arg-type]
        attending[-1].start()

    slots = Slots(max_live=2, max_queue=9, clock=FakeClock(), seats=seats(registers, clock, "one"), spawn=spawn)
    assert slots.enter("a").wait(30)
    registers.lost = True
    slots.leave("a")
    attending[0].join(30)
    assert not attending[0].is_alive()
    registers.lost = False
    assert slots.enter("b").wait(30)


class AwayRegisters:
    """A store that is not to be had."""

    def __init__(self) -> None:
        self.asked = 0

    def read(self, name: str) -> Register:
        self.asked += 1
        raise StoreUnavailable

    def swap(self, name: str, *, version: int, value: bytes) -> bool:
        raise StoreUnavailable


def test_when_the_last_one_leaves_nobody_goes_on_asking_a_store_that_is_away() -> None:
    registers, tasks = AwayRegisters(), []
    held = SharedSeats(registers, FakeClock(), instance="i", limit=3, lease_seconds=6)
    slots = Slots(max_live=3, max_queue=3, clock=FakeClock(), seats=held, spawn=tasks.append)
    granted = slots.enter("a")
    slots.leave("a")
    (attend,) = tasks
    attend()  # returns
    assert registers.asked and not granted.is_set()
    slots.enter("b")
    assert len(tasks) == 2  # somebody is here again, so is the asking


def test_those_who_find_no_room_are_told_to_come_back_one_after_the_other() -> None:
    clock = FakeClock()
    slots = Slots(max_live=4, max_queue=0, clock=clock)
    for number in range(20):  # four places, each for a second: four come free every second
        slots.enter(str(number))
        clock.advance(0.25)
        slots.leave(str(number))
    for name in "abcd":
        slots.enter(name)
    told = []
    for _ in range(40):
        with pytest.raises(QueueFull) as caught:
            slots.check_room()
        told.append(caught.value.retry_after or 0)
    assert told == sorted(told)
    assert max(told.count(second) for second in set(told)) <= 4  # no more in one second than places come free
    assert 14 <= told[-1] <= 18  # of which one in four is left to who comes unasked: forty take 13 seconds, not ten


def test_nobody_is_sent_away_for_longer_than_a_minute_and_an_old_crowd_is_forgotten() -> None:
    clock = FakeClock()
    slots = Slots(max_live=1, max_queue=0, clock=clock)
    slots.enter("a")
    told = []
    for _ in range(1000):
        with pytest.raises(QueueFull) as caught:
            slots.check_room()
        told.append(caught.value.retry_after or 0)
    assert min(told) >= 1 and max(told) <= 60
    assert max(told.count(second) for second in set(told)) <= 1000 / 20  # spread over the minute, not all at its end
    clock.advance(3600)
    with pytest.raises(QueueFull) as caught:
        slots.check_room()
    assert (caught.value.retry_after or 0) <= 5


def test_a_free_place_is_no_use_while_nothing_could_be_checked() -> None:
    strained = [True]
    slots = Slots(max_live=5, max_queue=5, clock=FakeClock(), strained=lambda: strained[0])
    with pytest.raises(QueueFull) as caught:
        slots.check_room()
    assert caught.value.retry_after
    strained[0] = False
    slots.check_room()
