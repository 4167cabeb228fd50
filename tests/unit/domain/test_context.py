"""The context: newest exchanges first, pairs stay together, the system prompt always; and joins without repetition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunliao.domain.context import DoesNotFit, build, build_continuation, join_without_repetition
from yunliao.domain.joining import Joiner
from yunliao.domain.tokens import MESSAGE_TOKENS, estimate
from yunliao.domain.turn import HistoryTurn

TURNS = st.lists(
    st.builds(HistoryTurn, question=st.text(min_size=1, max_size=60), answer=st.text(min_size=1, max_size=60)),
    max_size=12,
)


@given(st.text(max_size=30), TURNS, st.text(min_size=1, max_size=40), st.integers(40, 400))
def test_it_fits_and_is_the_newest_end_of_the_history(
    system: str, history: list[HistoryTurn], question: str, room: int
) -> None:
    try:
        messages = build(system, history, question, window=room + 100, reserve=100)
    except DoesNotFit:
        assert estimate(system) + estimate(question) + 2 * MESSAGE_TOKENS > room
        return
    assert sum(estimate(message.content) + MESSAGE_TOKENS for message in messages) <= room
    assert (messages[-1].role, messages[-1].content) == ("user", question)
    rest = list(messages[:-1])
    if system:
        assert rest.pop(0).content == system
    assert [message.role for message in rest] == ["user", "assistant"] * (len(rest) // 2)
    kept = [HistoryTurn(question=a.content, answer=b.content) for a, b in zip(rest[::2], rest[1::2], strict=True)]
    assert kept == history[len(history) - len(kept) :]
    if len(kept) < len(history):
        lost = history[len(history) - len(kept) - 1]
        more = estimate(lost.question) + estimate(lost.answer) + 2 * MESSAGE_TOKENS
        assert sum(estimate(m.content) + MESSAGE_TOKENS for m in messages) + more > room


def test_a_continuation_ends_with_the_partial_answer_and_the_wish_to_go_on() -> None:
    messages = build_continuation("s", [], "q", "so far", window=1000, reserve=100)
    assert [message.role for message in messages] == ["system", "user", "assistant", "user"]
    assert messages[2].content == "so far"


CONFIRMED = "云聊把每一句话都先检查再显示，然后才会继续往下说第二件事情"


@pytest.mark.parametrize(
    ("continuation", "new"),
    [
        ("，还有第三件。", "，还有第三件。"),
        ("往下说第二件事情，还有第三件。", "，还有第三件。"),
        (CONFIRMED + "，还有第三件。", "，还有第三件。"),
        (CONFIRMED, ""),
        ("事情，还有", "事情，还有"),  # too short to be told from chance: better twice than lost
    ],
)
def test_repeated_words_are_cut_off(continuation: str, new: str) -> None:
    assert continuation[join_without_repetition(CONFIRMED, continuation) :] == new


@given(st.integers(0, len(CONFIRMED)), st.text(st.characters(codec="utf-8"), max_size=200), st.integers(1, 50))
def test_joining_in_any_pieces_gives_each_character_once(overlap: int, tail: str, size: int) -> None:
    sent = CONFIRMED[len(CONFIRMED) - overlap :] + tail
    joiner = Joiner(CONFIRMED)
    got = "".join(joiner.feed(sent[at : at + size]) for at in range(0, len(sent), size)) + joiner.finish()
    if overlap >= 8:
        assert got == tail or tail.startswith(got) or got == sent[join_without_repetition(CONFIRMED, sent) :]
    assert sent.endswith(got)


def test_a_continuation_that_repeats_nothing_is_hardly_held() -> None:
    joiner = Joiner(CONFIRMED)
    assert joiner.feed("，还") == "，还"
    joiner = Joiner(CONFIRMED)
    assert joiner.feed("事情") == ""  # these words may be a repetition
    assert joiner.feed("，还有") == "事情，还有"  # and were not


@given(st.integers(0, len(CONFIRMED)), st.text("云聊把每一句话，新的", max_size=150), st.integers(1, 9))
def test_deciding_early_decides_the_same(overlap: int, tail: str, size: int) -> None:
    sent = CONFIRMED[len(CONFIRMED) - overlap :] + tail
    joiner = Joiner(CONFIRMED)
    got = "".join(joiner.feed(sent[at : at + size]) for at in range(0, len(sent), size)) + joiner.finish()
    assert got == sent[join_without_repetition(CONFIRMED, sent) :]


@given(st.text(max_size=300))
def test_an_estimate_is_never_zero_for_text(text: str) -> None:
    assert (estimate(text) > 0) == bool(text)
    assert estimate(text + text) <= 2 * estimate(text)
