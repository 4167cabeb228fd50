"""Identifiers: shape, order by time, no repetition."""

import re

import pytest

from tests.fakes.clock import FakeClock
from yunliao.adapters.ids import ALPHABET, SortableIds


def test_the_shape_is_prefix_and_26_characters_of_crockford_base_32() -> None:
    made = SortableIds(FakeClock()).new("turn")
    assert re.fullmatch(r"turn_[0-9A-HJKMNP-TV-Z]{26}", made)


def test_later_ids_sort_later() -> None:
    clock = FakeClock()
    ids, made = SortableIds(clock), []
    for _ in range(200):
        made.append(ids.new("msg"))
        clock.advance(0.001)
    assert made == sorted(made)


@pytest.mark.parametrize("now", [0, 1, 1_760_000_000_123, 2**48 - 1])
def test_the_first_ten_characters_are_the_time(now: int) -> None:
    made = SortableIds(FakeClock(now)).new("x").removeprefix("x_")
    number = 0
    for character in made[:10]:
        number = number * 32 + ALPHABET.index(character)
    assert number == now


def test_ids_of_one_millisecond_do_not_meet() -> None:
    ids = SortableIds(FakeClock())
    assert len({ids.new("x") for _ in range(20_000)}) == 20_000
