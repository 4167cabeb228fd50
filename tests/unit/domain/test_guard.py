"""The guard's rules one at a time."""

import itertools

import pytest

from yunliao.domain.edges import joins
from yunliao.domain.guard import NEVER, PLAIN, Guard, GuardPolicy, Waited, Wants
from yunliao.domain.normalise import form
from yunliao.domain.verdict import PASS, Verdict

RISKY = Verdict(suggest="risky", layer="wechat", label=20001)
REVIEW = Verdict(suggest="review", layer="wechat", label=20002)
TEXT = "云聊在微信里运行，先检查再显示，所以首字会稍等一下。" * 40


def drain(guard: Guard, now: int = 0) -> int:
    windows = guard.windows(now)
    for window in windows:
        guard.resolve(window.index, PASS, now)
    return len(windows)


def test_the_first_window_is_small_and_its_tail_is_held() -> None:
    guard = Guard(GuardPolicy(), None)
    guard.feed(TEXT[:60], 0)
    (window,) = guard.windows(0)
    assert 24 < len(window.text) <= 60
    assert guard.release() == ""
    guard.resolve(0, PASS, 5)
    shown = guard.release()
    assert shown and TEXT.startswith(shown)
    significant = [char for char in window.text[len(shown) :] if char not in "，。"]
    assert len(window.text) - len(shown) >= 24 and len(significant) >= 20


def test_a_window_ends_at_a_sentence_where_one_does() -> None:
    guard = Guard(GuardPolicy(), None)
    guard.feed("这是第一句话，它写得稍微长一些，好让窗口装得下它的全部字词内容。" + "接下来的一句没有写完" * 2, 0)
    (window,) = guard.windows(0)
    assert window.text.endswith("内容。")


def test_windows_overlap_and_grow() -> None:
    guard = Guard(GuardPolicy(), None)
    windows = []
    for at in range(0, len(TEXT), 5):
        guard.feed(TEXT[at : at + 5], 0)
        windows += guard.windows(0)
    sizes = [len(window.text) for window in windows]
    assert sizes == sorted(sizes) and sizes[-1] > 3 * sizes[0]
    for one, next_ in itertools.pairwise(windows):
        assert any(next_.text.startswith(one.text[-size:]) for size in range(min(48, len(one.text)), len(one.text) + 1))


def test_everything_at_once_needs_few_windows() -> None:
    guard = Guard(GuardPolicy(), None)
    guard.feed("字" * 10_000, 0)
    guard.finish(0)
    windows = guard.windows(0)
    assert len(windows) <= 6 and all(len(window.text) <= 2500 for window in windows)


def test_a_pause_cuts_a_smaller_window() -> None:
    guard = Guard(GuardPolicy(max_wait_ms=1000), None)
    guard.feed("一" * 30, 0)
    assert guard.windows(999) == []
    assert [window.text for window in guard.windows(1000)] == ["一" * 30]
    guard.feed("二", 1000)
    assert guard.windows(1999) == []
    assert [window.text[-1] for window in guard.windows(2000)] == ["二"]


def test_a_pause_does_not_cut_what_would_show_nothing() -> None:
    guard = Guard(GuardPolicy(), None)
    guard.feed("一" * 24, 0)
    assert guard.windows(60_000) == []
    guard.finish(60_000)
    assert drain(guard, 60_000) == 1
    assert guard.release() == "一" * 24


def test_pressure_widens_windows() -> None:
    wide = [Guard(GuardPolicy(), None), Guard(GuardPolicy(), None, lambda: 4.0)]
    counts = []
    for guard in wide:
        count = 0
        for at in range(0, len(TEXT), 5):
            guard.feed(TEXT[at : at + 5], at * 20)
            count += drain(guard, at * 20)
        counts.append(count)
    assert counts[1] * 2 < counts[0]


def test_text_waits_no_longer_than_usual_when_the_pressure_has_gone() -> None:
    wide = [10.0]
    guard = Guard(GuardPolicy(), None, lambda: wide[0])
    guard.feed("字" * 30, 0)
    assert guard.windows(0) == []
    wide[0] = 1.0
    assert guard.due_ms == 1_200  # whoever looks when time is up finds the window
    assert len(guard.windows(1_200)) == 1


def test_verdicts_out_of_order_release_in_order() -> None:
    guard = Guard(GuardPolicy(), None)
    for at in range(0, 400, 10):
        guard.feed(TEXT[at : at + 10], 0)
    windows = guard.windows(0)
    for at in range(400, 800, 10):
        guard.feed(TEXT[at : at + 10], 0)
        windows += guard.windows(0)
    assert len(windows) >= 2 and guard.pending
    for window in windows[:0:-1]:
        guard.resolve(window.index, PASS, 0)
        assert guard.release() == ""
    guard.resolve(0, PASS, 0)
    assert len(guard.release()) > 300 and not guard.pending


@pytest.mark.parametrize("verdict", [RISKY, REVIEW])
def test_a_block_ends_release_for_good(verdict: Verdict) -> None:
    guard = Guard(GuardPolicy(), None)
    guard.feed(TEXT[:300], 0)
    assert drain(guard) >= 1
    guard.feed(TEXT[300:900], 0)
    windows = guard.windows(0)
    guard.resolve(windows[-1].index, verdict, 0)
    assert guard.blocked == verdict and guard.settled and guard.release() == "" and not guard.pending
    guard.resolve(windows[0].index, PASS, 0)
    guard.feed("再来", 0)
    guard.finish(0)
    assert guard.release() == "" and guard.windows(10_000) == []


def test_a_flood_of_ignorable_characters_stays_small_and_is_shown_whole() -> None:
    guard = Guard(GuardPolicy(), None)
    text = "一" * 30 + "\u200b" * 20_000 + "二" * 60
    for at in range(0, len(text), 100):
        guard.feed(text[at : at + 100], 0)
    guard.finish(0)
    windows = guard.windows(0)
    assert sum(len(window.text) for window in windows) < 300
    for window in windows:
        guard.resolve(window.index, PASS, 0)
    assert guard.release() == text


def test_trailing_blank_lines_cost_no_call() -> None:
    guard = Guard(GuardPolicy(max_wait_ms=0), None)
    guard.feed("一" * 40, 0)
    assert drain(guard) == 1
    guard.feed("\n\n", 1)
    guard.finish(1)
    assert guard.windows(1) == [] and guard.settled
    assert guard.release().endswith("\n\n")


def test_an_empty_stream_is_settled_when_finished() -> None:
    guard = Guard(GuardPolicy(), None)
    assert not guard.settled
    guard.finish(0)
    assert guard.settled and guard.windows(0) == [] and guard.release() == ""


@pytest.mark.parametrize("cluster", ["👩‍👩‍👧‍👦", "❤️", "👍🏽", "🇨🇳", "e\u0301", "각", "1\ufe0f\u20e3"])
def test_a_joined_sequence_is_not_cut(cluster: str) -> None:
    text = ("字" + cluster) * 60
    guard, edges = Guard(GuardPolicy(hold=5, overlap=5, first_chars=7), None), {0}
    shown = ""
    for char in text:
        guard.feed(char, 0)
        drain(guard)
        shown += guard.release()
        edges.add(len(shown))
    whole = {0}
    for index in range(60):
        whole |= {index * (len(cluster) + 1) + 1, (index + 1) * (len(cluster) + 1)}
    assert edges <= whole and len(edges) > 3


def test_halves_of_a_surrogate_pair_are_joined_and_lone_ones_replaced() -> None:
    guard = Guard(GuardPolicy(), None)
    for piece in ("好\ud83d", "\ude00，\ude00坏\ud83d", "完\ud83d"):
        guard.feed(piece, 0)
    guard.finish(0)
    drain(guard)
    assert guard.release() == "好😀，\ufffd坏\ufffd完\ufffd"


def test_waiting_is_measured_from_arrival_to_release() -> None:
    guard = Guard(GuardPolicy(), None)
    assert guard.waited_ms == Waited(None, 0)
    guard.feed("一" * 60, 100)
    (window,) = guard.windows(100)
    guard.resolve(window.index, PASS, 350)
    assert guard.release()
    guard.finish(400)
    assert drain(guard, 900) == 0
    assert guard.release() and guard.waited_ms.first == 250
    assert guard.waited_ms.longest == 800


@pytest.mark.parametrize(
    "wrong",
    [
        {"hold": 0},
        {"hold": 50, "overlap": 40},
        {"first_chars": 24},
        {"max_chars": 2501},
        {"max_chars": 200},
        {"growth": 0.5},
        {"max_wait_ms": -1},
    ],
)
def test_a_policy_that_cannot_keep_the_promise_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"must|hold"):
        GuardPolicy(**wrong)  # type: ignore[arg-type]


def test_a_resumed_text_is_context_and_not_checked_anew() -> None:
    before, new = "前面已经看过的文字，" * 7, "现在接着往下写的新文字，一共要有三十多个字才够，所以再写一点点吧"
    guard = Guard(GuardPolicy(), None)
    guard.precede(before, 0)
    assert guard.windows(0) == []  # nothing to ask about yet
    guard.feed(new, 10)
    (window,) = guard.windows(10)
    assert window.text.endswith(new) and len(window.text) > len(new) + 40  # a phrase across the seam is seen whole
    guard.resolve(0, PASS, 20)
    shown = guard.release()
    assert shown.startswith(before) and len(shown) > len(before)
    guard.finish(30)
    drain(guard, 30)
    assert shown + guard.release() == before + new


@pytest.mark.parametrize(
    "new", ["花开。月小，风清！云走；" * 9, "短句。" * 30, "一整句没有停顿的话" * 9, "a, b. c; d! " * 20]
)
def test_the_first_window_of_a_resumed_text_always_shows_something(new: str) -> None:
    before = "前面已经看过的文字，" * 7
    guard = Guard(GuardPolicy(), None)
    guard.precede(before, 0)
    for place in range(0, len(new), 2):
        guard.feed(new[place : place + 2], place)
        if windows := guard.windows(place):
            guard.resolve(windows[0].index, PASS, place)
            assert len(guard.release()) > len(before)
            return
    raise AssertionError("no window")


def test_a_resumed_text_without_anything_new_is_settled_at_its_end() -> None:
    guard = Guard(GuardPolicy(), None)
    guard.precede("前面已经看过的文字，" * 7, 0)
    guard.finish(5)
    assert drain(guard, 5) == 0 and guard.settled


def test_a_phrase_across_the_seam_blocks() -> None:
    guard = Guard(GuardPolicy(), lambda text: RISKY if "坏词" in text else PASS)
    guard.precede("前面已经看过的文字，结尾是坏", 0)
    guard.feed("词出现了", 5)
    assert guard.blocked == RISKY and guard.release() == ""


def test_what_is_taken_whole_is_significant_and_joins_nothing() -> None:
    plain = [char for char in map(chr, range(0x110000)) if PLAIN.fullmatch(char)]
    assert len(plain) > 20_000
    assert all(form(char) and joins("字", char, False) == (False, False) for char in plain)


def test_the_first_window_waits_for_no_sentence() -> None:
    guard = Guard(GuardPolicy(), None)
    guard.feed("字" * 41, 0)
    (window,) = guard.windows(0)
    assert len(window.text) == 41
    guard.feed("字" * 90, 0)
    assert guard.windows(0) == []  # a later one does, for a while


def test_text_that_may_have_been_there_for_long_waits_no_longer() -> None:
    guard = Guard(GuardPolicy(), None)
    guard.feed("字" * 30, 5_000, 4_000)
    assert guard.wants(5_000) == Wants(10, 200)
    assert guard.due_ms == 5_200
    assert guard.windows(5_199) == []
    assert len(guard.windows(5_200)) == 1
    assert guard.due_ms == NEVER
    assert guard.wants(5_200) == Wants(80, 1_200)
