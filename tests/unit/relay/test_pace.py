"""When a stream is looked at again."""

import pytest

from yunliao.adapters.relay.pace import CLOSE, GUESSED, LEAST, PIECE, SHARE, SOONEST, UNKNOWN, Pace
from yunliao.ports import Wanted

LONGEST = 2.0
WITHIN = 1.2


def pace_of(chars_a_second: float) -> Pace:
    made = Pace(LONGEST)
    made.came(1, 10.0)  # whatever came first says nothing about the speed
    made.came(int(chars_a_second), 11.0)
    return made


def test_before_the_speed_is_known_it_looks_soon() -> None:
    made = Pace(LONGEST)
    made.came(500, 10.0)
    assert made.pause(Wanted(40, True, WITHIN)) == UNKNOWN
    assert made.pause(Wanted(40, False, WITHIN)) == WITHIN


def test_the_expected_time_passes_at_once() -> None:
    assert pace_of(300).pause(Wanted(120, False, WITHIN)) == pytest.approx(120 / 300)
    assert pace_of(300).pause(Wanted(30, True, WITHIN)) == pytest.approx(SHARE * (30 - PIECE) / 300)


def test_what_is_checked_anyway_is_not_read_later() -> None:
    assert pace_of(10).pause(Wanted(300, False, WITHIN)) == WITHIN
    assert pace_of(10).pause(Wanted(300, False, 0.3)) == 0.3


def test_a_pause_is_never_longer_than_the_longest() -> None:
    assert pace_of(10).pause(Wanted(300, False, 60.0)) == LONGEST
    assert pace_of(10).pause(Wanted(300, True, 60.0)) == GUESSED


def test_the_first_text_is_not_missed_by_a_pause() -> None:
    assert pace_of(100).pause(Wanted(2, True, WITHIN)) == 0.0
    assert CLOSE > 2 / 100
    assert pace_of(100).pause(Wanted(0, True, WITHIN)) == SOONEST  # nothing more is expected


def test_later_text_is_read_no_faster_than_it_is_written() -> None:
    assert pace_of(10_000).pause(Wanted(1, False, WITHIN)) == LEAST
    assert pace_of(10_000).pause(Wanted(0, False, WITHIN)) == LEAST


def test_looks_before_the_first_window_are_few() -> None:
    """Two characters every 20 ms, 40 wanted: a look for every piece would be twenty."""
    made, now, had, looks = Pace(LONGEST), 0.0, 0, 0
    while had < 40:
        looks += 1
        arrived = int(now / 0.02 + 1e-9) * 2 + 2
        made.came(arrived - had, now)
        had = arrived
        now += made.pause(Wanted(40 - had, True, WITHIN)) or 0.02
    assert looks <= 9
    assert now <= 0.42
