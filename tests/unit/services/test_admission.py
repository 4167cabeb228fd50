"""Slots: never more than the bound, first come first served, nobody is forgotten."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunliao.errors import QueueFull
from yunliao.services.admission import Slots


def test_waits_in_order_and_tells_the_place() -> None:
    slots = Slots(max_live=1, max_queue=2)
    first, second, third = (slots.enter(name) for name in "abc")
    assert first.is_set()
    assert not second.is_set()
    assert (slots.position("a"), slots.position("b"), slots.position("c")) == (0, 1, 2)
    slots.leave("a")
    assert second.is_set()
    assert not third.is_set()
    assert slots.position("c") == 1


def test_a_full_queue_refuses_with_a_time_to_wait() -> None:
    slots = Slots(max_live=1, max_queue=1)
    slots.enter("a")
    slots.check_room()
    slots.enter("b")
    with pytest.raises(QueueFull) as caught:
        slots.check_room()
    assert caught.value.retry_after


def test_one_who_gives_up_waiting_frees_its_place_in_the_line() -> None:
    slots = Slots(max_live=1, max_queue=5)
    slots.enter("a")
    slots.enter("b")
    third = slots.enter("c")
    slots.leave("b")
    assert slots.position("c") == 1
    slots.leave("a")
    assert third.is_set()


@given(st.integers(1, 4), st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=80))
def test_bounds_hold_and_no_place_is_lost(max_live: int, steps: list[tuple[bool, int]]) -> None:
    slots = Slots(max_live=max_live, max_queue=100)
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
