"""Whole micro-credits, rounded up line by line, never above the bound that was set aside."""

import pathlib
import random

import pytest

from yunliao.domain.events import Usage
from yunliao.domain.ledger.prices import Limits, ModelPrice, answer_room, bound, cost, lines
from yunliao.prices import PricesWrong, check_models, parse_prices

PRICE = ModelPrice(input=2_000_000, output=8_000_000)


def test_lines_name_what_is_paid_for() -> None:
    usage = Usage(input_tokens=10, cached_tokens=4, output_tokens=7, reasoning_tokens=2)
    found = lines(ModelPrice(input=3_000_000, cached=1, output=1_000_000, reasoning=2_000_000, image=9), usage, 2)
    assert [(line.what, line.count, line.amount) for line in found] == [
        ("input", 6, 18),
        ("cached_input", 4, 1),
        ("output", 5, 5),
        ("reasoning", 2, 4),
        ("image", 2, 18),
    ]


def test_reasoning_counted_beside_the_output_is_not_taken_from_it() -> None:
    usage = Usage(output_tokens=5, reasoning_tokens=9)
    assert [(line.what, line.count) for line in lines(PRICE, usage)] == [("output", 5), ("reasoning", 9)]


def test_more_cached_than_asked_is_not_paid_twice() -> None:
    assert [line.count for line in lines(PRICE, Usage(input_tokens=5, cached_tokens=50))] == [5]


def test_the_bound_holds_for_every_usage_within_it() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    for _ in range(3_000):
        price = ModelPrice(
            input=dice.choice((0, 1, 999_999, dice.randrange(10**9))),
            output=dice.choice((0, 3, dice.randrange(10**9))),
            cached=dice.choice((None, 0, dice.randrange(10**7))),
            reasoning=dice.choice((None, 0, dice.randrange(10**9))),
        )
        asked, answered = dice.randrange(20_000), dice.randrange(5_000)
        usage = Usage(
            input_tokens=dice.randint(0, asked),
            output_tokens=(out := dice.randint(0, answered)),
            reasoning_tokens=dice.randint(0, out),
            cached_tokens=dice.randint(0, asked),
        )
        assert cost(price, usage) <= bound(price, input_tokens=asked, answer_tokens=answered)


def test_the_limit_of_a_turn_shortens_the_answer_or_refuses() -> None:
    limits = Limits(turn=10_000)
    room = answer_room(PRICE, limits, input_tokens=1_000, answer_tokens=4_000)
    assert 0 < room < 4_000
    assert bound(PRICE, input_tokens=1_000, answer_tokens=room) <= 10_000 + 1
    assert answer_room(PRICE, limits, input_tokens=4_999, answer_tokens=4_000) == 0
    assert answer_room(PRICE, limits, input_tokens=90_000, answer_tokens=4_000) == 0
    assert answer_room(PRICE, Limits(), input_tokens=90_000, answer_tokens=4_000) == 4_000
    assert answer_room(ModelPrice(input=0, output=0), limits, input_tokens=9**9, answer_tokens=4_000) == 4_000


GOOD = '{"version": "v1", "models": {"m": {"input": 1, "output": 2}}}'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not valid JSON"),
        ("/nowhere/prices.json", "nor the path"),
        ('{"version": "v1", "models": {}}', "wrong at .models"),
        ('{"version": "v 1", "models": {"m": {"input": 1, "output": 2}}}', "wrong at .version"),
        ('{"version": "v1", "models": {"m": {"input": 1.5, "output": 2}}}', ".input"),
        ('{"version": "v1", "models": {"m": {"input": -1, "output": 2}}}', ".input"),
        ('{"version": "v1", "models": {"m": {"input": 1}}}', "output"),
        ('{"version": "v1", "models": {"m": {"input": 1, "output": 2, "inptu": 3}}}', "inptu"),
        (GOOD[:-1] + ', "limits": {"turn": 9, "service_day": 8}}', "wrong at .limits"),
        (GOOD[:-1] + ', "limits": {"warn": 7}}', ".warn"),
        (GOOD[:-1] + ', "plans": {"free": {"daily": "much"}}}', ".daily"),
    ],
)
def test_a_mistake_in_the_table_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(PricesWrong) as caught:
        parse_prices(text)
    assert told in str(caught.value)


def test_the_example_is_one() -> None:
    table = parse_prices(str(pathlib.Path(__file__).parents[3] / "docs" / "prices.example.json"))
    check_models(table, ["demo-chat", "demo-reasoner"])
    assert table.limits.turn > bound(table.models["demo-reasoner"], input_tokens=1_000, answer_tokens=100)


def test_a_table_from_a_file_and_a_model_without_a_price(tmp_path: object) -> None:
    file = tmp_path / "prices.json"  # type: ignore[operator]
    file.write_text("\ufeff" + GOOD)
    table = parse_prices(str(file))
    assert table.models["m"].output == 2 and table.allowances() == {"free": 0}
    check_models(table, ["m"])
    with pytest.raises(PricesWrong, match="no price for 1"):
        check_models(table, ["m", "other"])
