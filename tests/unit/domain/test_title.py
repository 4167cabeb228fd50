"""Titles: one line, bounded, never empty for visible text."""

from hypothesis import given
from hypothesis import strategies as st

from yunliao.domain.title import TITLE_CHARS, title_of


def test_the_first_sentence_without_marks() -> None:
    assert title_of("# 帮我写一封信。\n要短。") == "帮我写一封信。"
    assert title_of("What is `gevent`? Explain.") == "What is gevent ?"
    assert title_of("一" * 50) == "一" * (TITLE_CHARS - 1) + "…"


@given(st.text(max_size=200))
def test_bounded_and_on_one_line(text: str) -> None:
    title = title_of(text)
    assert len(title) <= TITLE_CHARS
    assert "\n" not in title
