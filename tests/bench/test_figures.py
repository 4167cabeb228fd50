"""How the bench reckons: percentiles, ratios, what meets a target, the tables' places, the words of the upstream."""

import math
import pathlib

import pytest
from bench import pages, report, script, soak, targets
from bench.ask import WINDOW, Heard
from bench.load import Result
from bench.soak import Moment


def result(cpu: float, answers: int = 10, first: tuple[float, ...] = (), window: tuple[float, ...] = ()) -> Result:
    return Result(answers=answers, cpu=cpu, first=list(first), window=list(window))


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([5], 0.5, 5),
        ([5], 0.99, 5),
        ([1, 2, 3, 4], 0.5, 2),
        ([4, 3, 2, 1], 0.5, 2),
        (range(1, 101), 0.99, 99),
        (range(1, 101), 1, 100),
        (range(1, 101), 0, 1),
        (range(1, 1001), 0.99, 990),
    ],
)
def test_a_percentile_is_one_of_the_values(values: list[float], share: float, expected: float) -> None:
    assert report.percentile(values, share) == expected


def test_no_values_have_no_percentile() -> None:
    assert math.isnan(report.percentile([], 0.5))


def test_a_ratio_compares_round_with_round() -> None:
    # The machine was twice as slow in the second round and ten times in the third: the ratio is the same.
    mine = [result(1), result(2), result(10)]
    peer = [result(2), result(4), result(20)]
    assert report.ratio(mine, peer) == 0.5


def test_a_system_without_answers_is_no_cheap_one() -> None:
    assert result(1, answers=0).cpu_per_1000 == math.inf
    assert report.ratio([result(1, answers=0)], [result(1)]) == math.inf


def test_first_text_is_compared_with_the_moment_asked_for() -> None:
    direct = [result(0, first=(0.2, 0.2), window=(0.6, 0.6))]
    mine = [result(1, first=(0.61, 0.7))]
    assert report.over(mine, direct, 0.5, "window") == pytest.approx(0.01)
    assert report.over(mine, direct, 0.5, "first") == pytest.approx(0.41)
    assert report.over(mine, direct, 0.99, "window") == pytest.approx(0.1)


def test_spread_shows_the_ends_only_where_they_differ() -> None:
    assert report.spread([1.0, 1.0]) == "1.0"
    assert report.spread([3, 1, 2], 0) == "2 (1-3)"


def test_the_first_window_is_there_when_its_last_character_came(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter((1.0, 2.0, 3.0))
    monkeypatch.setattr("bench.ask.time.monotonic", lambda: next(clock))
    heard = Heard(asked=0.0)
    heard.take("一" * (WINDOW - 1))
    heard.take("")
    assert heard.window == 0
    heard.take("二")
    heard.take("三")
    assert heard.window == 2.0
    assert heard.updates == [1.0, 2.0, 3.0]


def test_only_the_right_text_counts() -> None:
    found = Result()
    heard = Heard(asked=1.0, updates=[1.5, 2.5], parts=["a", "b"])
    found.count(heard, "ab")
    found.count(heard, "abc")
    assert (found.answers, found.first, found.gaps, found.wrong) == (1, [0.5], [1.0], {"another text": 1})


def test_who_was_to_be_asked_earlier_has_waited_since_then() -> None:
    found = Result()
    found.count(Heard(asked=1.0, updates=[1.5], parts=["a"]), "a", 0.25)
    assert found.first == [1.25]


def test_every_row_of_the_targets_is_filled() -> None:
    figures = dict.fromkeys((one.figure for one in targets.TARGETS), 1.0)
    rows = targets.table(figures)
    assert len(rows) == len(targets.TARGETS) + 2
    assert not [row for row in rows if "not measured" in row]


@pytest.mark.parametrize(
    ("limit", "least", "value", "said"),
    [
        (0.45, False, 0.45, "met"),
        (0.45, False, 0.9, "missed by 2.00×"),
        (8, False, -3, "met"),
        (1000, True, 1000, "met"),
        (1000, True, 500, "missed by 2.00×"),
        (1000, True, 0, "missed, none held"),
        (10, False, math.nan, "not measured: no answer came"),
    ],
)
def test_a_target_is_met_or_missed_by_a_factor(limit: float, least: bool, value: float, said: str) -> None:
    assert targets.Target("x", "x", limit, least=least).verdict(value) == said


def test_what_was_not_measured_says_which_part_measures_it() -> None:
    assert "not measured in this run (part `streaming`)" in targets.table({})[2]


def test_figures_are_told_beside_a_number() -> None:
    assert targets.filled("p99 {a b:+,.1f} ms of {c:.0f}", {"a b": 1234.56, "c": 2}) == "p99 +1,234.6 ms of 2"


def test_a_table_goes_between_its_marks_and_nothing_else_changes() -> None:
    text = "before\n<!-- one -->\nold\n<!-- /one -->\nafter\n<!-- two -->\n<!-- /two -->\n"
    once = pages.placed(text, "one", ["a", "b"])
    assert once == "before\n<!-- one -->\na\nb\n<!-- /one -->\nafter\n<!-- two -->\n<!-- /two -->\n"
    assert pages.placed(once, "one", ["a", "b"]) == once
    assert pages.placed(text, "three", ["a"]) == text


def test_a_mark_that_is_not_closed_loses_nothing() -> None:
    with pytest.raises(ValueError, match="/one"):
        pages.placed("<!-- one -->\nold\n", "one", ["a"])


def test_both_pages_have_a_place_for_every_table(tmp_path: pathlib.Path) -> None:
    docs = pathlib.Path(__file__).parents[2] / "docs"
    names = {"targets", "starts", "imports", "streaming", "arrivals", "check", "growth", "stored", "overload", "soak"}
    for page in ("performance.md", "performance.zh-CN.md"):
        text = (docs / page).read_text("utf-8")
        assert names == {name for name in names if pages.placed(text, name, ["said"]) != text}
    for page in pages.PAGES:
        (tmp_path / page).write_text("<!-- soak -->\n<!-- /soak -->", "utf-8")
    pages.write({"soak": ["a row"]}, {"line.svg": "<svg/>"}, tmp_path)
    assert all("<!-- soak -->\na row\n<!-- /soak -->" in (tmp_path / page).read_text("utf-8") for page in pages.PAGES)
    assert (tmp_path / "images" / "line.svg").read_text("utf-8") == "<svg/>"


def test_the_same_question_has_the_same_words() -> None:
    assert script.number_of(script.question(1234)) == 1234
    assert script.answer(7, 200) == "".join(script.tokens(7, 200)) == script.answer(7, 200)
    assert len(script.tokens(script.WARM, 200)) == script.SHORT
    assert len({script.answer(number, 50) for number in range(len(script.WORDS))}) == len(script.WORDS)


def moment(minutes: float, own: float, left: int = 0) -> Moment:
    return Moment(minutes, 10, own + 20, own, 17, 3, 9, 80_000, left, left, left, 6)


def test_the_slope_leaves_the_first_third_and_the_rest_after_the_load_out() -> None:
    filling = [moment(minute, 50 + 5 * minute) for minute in range(1, 10)]
    flat = [moment(minute, 100) for minute in range(10, 31)]
    assert soak.slope([moment(0, 40), *filling, *flat, moment(31, 500)]) == pytest.approx(0, abs=1e-9)
    leaking = [moment(minute, 100 + minute / 2) for minute in range(1, 31)]
    assert soak.slope([moment(0, 40), *leaking, moment(31, 500)]) == pytest.approx(30)


def test_the_soak_says_what_was_left() -> None:
    rows = soak.table([moment(0, 40), moment(1, 50), moment(2, 50), moment(3, 50, left=2)], Result(answers=9), 1, 3)
    assert "2 live turns, 2 listeners, 2 leases" in rows[-1]
    assert rows[1].count("|") == rows[2].count("|") == rows[0].count("|")
