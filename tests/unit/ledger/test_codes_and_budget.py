"""Codes as people type them; the day's budget never exceeded."""

import random

import pytest

from yunliao.domain.ledger.budget import Budget, give_back, take
from yunliao.domain.ledger.codes import ALPHABET, LENGTH, digest, shown
from yunliao.domain.quota import DAY_MS

NOW = 1_700_000_000_000


def test_a_code_is_read_however_it_is_typed() -> None:
    code = shown(2**100 - 7)
    assert len(code) == LENGTH + 3 and set(code) <= set(ALPHABET) | {"-"}
    ways = (code, code.lower(), code.replace("-", ""), f" {code} ", code.replace("-", " "))
    assert len({digest(way) for way in ways}) == 1 and digest(code) is not None
    assert digest("O0IL1-00000-00000-00000") == digest("00111-00000-00000-00000")
    assert shown(5) != shown(6)


@pytest.mark.parametrize("typed", ["", "x", "U" * 20, "0" * 19, "0" * 21, "全" * 20])
def test_what_cannot_be_a_code_has_no_hash(typed: str) -> None:
    assert digest(typed) is None


def test_instances_together_never_take_more_than_the_limit() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    budget, out = Budget(), 0
    for _ in range(5_000):
        if dice.random() < 0.4 and out:
            back = dice.randint(0, out)
            budget, out = give_back(budget, back, budget.day, NOW), out - back
        else:
            want = dice.randint(1, 4_000)
            budget, part = take(budget, want, 100_000, NOW)
            assert part.amount == 0 or part.amount >= want
            out += part.amount
        assert budget.taken == out <= 100_000


def test_a_new_day_begins_with_nothing_taken_and_an_old_one_never_again() -> None:
    budget, _ = take(Budget(), 500, 1_000, NOW)
    assert take(budget, 600, 1_000, NOW)[1].amount == 0
    budget, part = take(budget, 600, 1_000, NOW + DAY_MS)
    assert part.amount == 600
    assert give_back(budget, 500, part.day - 1, NOW + DAY_MS) == budget
    assert take(budget, 600, 1_000, NOW)[1].amount == 0
