"""Mending a cut answer: each character once, nothing that belongs to nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunliao.domain.joining import LOOK, RESTART, Joiner

SO_FAR = "第一，云聊把每一句话都先检查再显示。第二，断线以后从断处接着说"
NEXT = "，不会重复，也不会丢字。第三，随时可以停止。"


def joined(sent: str, size: int, *, mending: bool = True, so_far: str = SO_FAR) -> tuple[str, bool]:
    """What is added to the text, and whether the continuation was usable."""
    joiner = Joiner(so_far, mending=mending)
    got = "".join(joiner.feed(sent[at : at + size]) for at in range(0, len(sent), size)) + joiner.finish()
    return got, not joiner.unusable


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    "sent",
    [
        NEXT,
        "断线以后从断处接着说" + NEXT,
        SO_FAR + NEXT,
        "\n\n" + SO_FAR + NEXT,
        "……断线以后从断处接着说" + NEXT,
        "第二，断线以后从断处接着说" + NEXT,
        "好的，我继续：" + NEXT,
        "好的，我从断开处继续写。\n\n断线以后从断处接着说" + NEXT,
        "继续：" + NEXT,
        "Sure, let me continue from where I stopped:\n" + NEXT,
        "Continuing: " + NEXT,
    ],
)
def test_every_usual_way_to_go_on_adds_each_character_once(sent: str, size: int) -> None:
    assert joined(sent, size) == (NEXT, True)


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize(
    "sent",
    [
        "抱歉，我无法继续之前的回答。",
        "很抱歉，上一条回答已经结束，没有更多内容了。请问还有什么可以帮您？",
        "对不起，作为一个人工智能语言模型，我不能回答这个问题。",
        "我无法继续。",
        "I'm sorry, but I can't continue the previous answer.",
        "Sorry, I cannot assist with that request.",
        "I can’t continue.",
        "第一，云聊把每一句话都先检查再显示，这是第二次说，换了个说法。",
    ],
)
def test_refusals_and_new_starts_in_other_words_are_unusable(sent: str, size: int) -> None:
    assert joined(sent, size) == ("", False)


@pytest.mark.parametrize(
    ("so_far", "sent"),
    [
        ("帮你写了一封信：\n尊敬的老师：\n", "抱歉，我明天要去医院，不能参加班会。"),
        ("他说：“", "好的，明天见。”然后走了。"),
        ("Dear Ann,\n", "Sorry I missed your call yesterday."),
        ("当被问到时，他回答：", "当然可以。"),
        ("他跑得很快，", "……直到跑不动为止。"),
    ],
)
def test_words_that_only_look_like_it_stay(so_far: str, sent: str) -> None:
    assert joined(sent, 1, so_far=so_far) == (sent, True)


def test_a_sentence_begun_anew_however_short() -> None:
    assert joined("今天天气很好。", 1, so_far="先说天气。今天天气") == ("很好。", True)
    assert joined("An answer.", 2, so_far="It is so. An") == (" answer.", True)
    assert joined("10 more", 1, so_far="Count. 10") == ("10 more", True)  # digits may well be meant twice


def test_when_the_user_asked_to_go_on_nothing_is_judged() -> None:
    refusal = "抱歉，我无法继续之前的回答。"
    assert joined(refusal, 1, mending=False) == (refusal, True)


def test_an_ordinary_continuation_is_hardly_held() -> None:
    joiner = Joiner(SO_FAR, mending=True)
    assert joiner.feed("然后还") == "然后还"


def test_a_new_start_is_held_as_long_as_it_is_one() -> None:
    joiner = Joiner(SO_FAR * 20, mending=True)
    assert all(joiner.feed(char) == "" for char in SO_FAR * 20)
    assert joiner.feed("。完") == "。完"


@given(st.text(max_size=300), st.integers(1, 60))
def test_what_is_given_out_is_always_the_end_of_what_came(sent: str, size: int) -> None:
    got, usable = joined(sent, size)
    assert sent.endswith(got) and (usable or got == "")


@given(st.text("新的内容写在这里", min_size=1, max_size=LOOK), st.integers(0, len(SO_FAR)), st.integers(1, 9))
def test_a_repeated_end_of_any_length_and_then_something_new(tail: str, overlap: int, size: int) -> None:
    got, usable = joined(SO_FAR[len(SO_FAR) - overlap :] + tail, size)
    assert usable
    assert got == tail if overlap >= RESTART else got.endswith(tail)
