"""Counts that add up, and percentiles as Prometheus computes them."""

import random
from datetime import datetime, timedelta, timezone

import msgspec
import pytest

from yunliao.domain.quota import DAY_MS
from yunliao.domain.tally import (
    HOUR_MS,
    OVER,
    SHORT_MS,
    WHOLE_MS,
    Histogram,
    Kept,
    Tally,
    day_of,
    hour_of,
    observe,
    percentile,
    summed,
)

LINE = {
    "reason": "failed",
    "code": "relay_timeout",
    "first_text_ms": 640,
    "total_ms": 2_100,
    "queued_ms": 3,
    "input_tokens": 40,
    "output_tokens": 7,
    "cost": 250,
}


def test_a_turn_is_counted_by_the_fields_of_its_line() -> None:
    tally = Tally()
    tally.turn(LINE)
    tally.turn({"reason": "complete", "first_text_ms": None, "total_ms": 700_000})
    assert tally.ended == {"failed": 1, "complete": 1}
    assert tally.errors == {"relay_timeout": 1}
    assert (tally.first_text, tally.whole, tally.queued) == ({800: 1}, {3_000: 1, OVER: 1}, {50: 1})
    assert (tally.input_tokens, tally.output_tokens, tally.cost) == (40, 7, 250)


def test_a_value_on_a_bound_counts_below_it_as_in_prometheus() -> None:
    histogram: Histogram = {}
    for milliseconds in (50, 51, 60_000, 60_001):
        observe(histogram, milliseconds, SHORT_MS)
    assert histogram == {50: 1, 100: 1, 60_000: 1, OVER: 1}


def test_percentiles_of_nothing_and_of_what_is_over_every_bound() -> None:
    assert percentile({}, 0.9, SHORT_MS) is None
    assert percentile({OVER: 5}, 0.5, SHORT_MS) == 60_000
    assert percentile({50: 10}, 0.5, SHORT_MS) == 25  # half of the way from 0
    assert percentile({600: 4}, 1.0, SHORT_MS) == 600


@pytest.mark.parametrize("seed", range(5))
def test_a_percentile_lies_in_the_bucket_of_the_true_one(seed: int) -> None:
    chance = random.Random(seed)
    values = sorted(chance.lognormvariate(7, 1) for _ in range(chance.randrange(1, 400)))
    histogram: Histogram = {}
    for value in values:
        observe(histogram, value, WHOLE_MS)
    for part in (0.5, 0.9, 0.99):
        true = values[max(0, -int(-part * len(values) // 1) - 1)]
        bound = next((one for one in WHOLE_MS if true <= one), WHOLE_MS[-1])
        below = max((one for one in WHOLE_MS if one < bound), default=0)
        told = percentile(histogram, part, WHOLE_MS)
        assert told is not None and below <= told <= bound, (seed, part, true, told)


def test_sums_do_not_depend_on_how_the_parts_are_taken_together() -> None:
    chance = random.Random(7)
    parts = []
    for _ in range(12):
        tally = Tally(store_failures=chance.randrange(3), takeovers=1, live_max=chance.randrange(9))
        tally.turn(LINE | {"total_ms": chance.randrange(90_000), "reason": chance.choice(["complete", "stopped"])})
        tally.check("wechat", chance.choice(["pass", "risky"]), chance.randrange(2_000))
        tally.asked("main", chance.choice(["success", "failure"]))
        tally.refuse("daily_limit")
        tally.start(1_200)
        parts.append(tally)
    whole = summed(parts)
    assert summed([summed(parts[:5]), summed(parts[5:])]) == whole
    assert whole.live_max == max(part.live_max for part in parts)
    assert summed(parts, together=True).live_max == sum(part.live_max for part in parts)
    assert (sum(whole.ended.values()), whole.cost, sum(whole.whole.values())) == (12, 12 * 250, 12)
    assert parts[0].ended != whole.ended  # the parts are left as they were


def test_what_is_kept_reads_back_also_without_and_with_fields_this_version_does_not_know() -> None:
    tally = Tally()
    tally.turn(LINE)
    tally.check("wechat", "pass", 3)
    body = msgspec.json.encode(Kept(tally=tally))
    assert msgspec.json.decode(body, type=Kept).tally == tally
    other = msgspec.json.encode({"tally": {"ended": {"complete": 2}, "of_tomorrow": [1]}, "more": 1})
    assert msgspec.json.decode(other, type=Kept).tally == Tally(ended={"complete": 2})


def test_bounds_of_another_version_add_up() -> None:
    old = Tally(first_text={700: 10})  # a bound there is none of here
    old.add(Tally(first_text={800: 10}))
    assert percentile(old.first_text, 0.5, SHORT_MS) == 700
    assert percentile(old.first_text, 1.0, SHORT_MS) == 800


def test_days_begin_at_midnight_in_china() -> None:
    midnight = int(datetime(2026, 9, 21, tzinfo=timezone(timedelta(hours=8))).timestamp() * 1000)
    assert day_of(midnight) == midnight
    assert day_of(midnight - 1) == midnight - DAY_MS
    assert day_of(midnight + DAY_MS - 1) == midnight
    assert hour_of(midnight + 90 * 60_000) == midnight + HOUR_MS
