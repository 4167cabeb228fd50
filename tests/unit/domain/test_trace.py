"""`traceparent`: taken only in the standard's form, handed on within the same trace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunliao.domain.trace import header_for, trace_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
GOOD = f"00-{TRACE}-00f067aa0ba902b7-01"


def test_a_trace_goes_on_with_a_span_of_ours() -> None:
    assert header_for(trace_of(GOOD), "b7ad6b7169203331") == f"00-{TRACE}-b7ad6b7169203331-01"
    assert trace_of(header_for(trace_of(GOOD), "b7ad6b7169203331")) == trace_of(GOOD)


@pytest.mark.parametrize(
    "header",
    [
        "", "00", GOOD.upper(), GOOD[:-1], GOOD + "-more", GOOD.replace("00-", "ff-", 1), f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01", GOOD + "\r\nX-Evil: 1", GOOD.replace("4", "g", 1), f"{GOOD}, {GOOD}",
    ],
)  # fmt: skip
def test_what_is_not_of_the_form_is_no_trace(header: str) -> None:
    assert trace_of(header) == ""


def test_a_later_version_may_say_more() -> None:
    assert trace_of(GOOD.replace("00-", "01-", 1) + "-more") == f"{TRACE}-01"


@given(st.text(max_size=80))
def test_nothing_else_comes_out_of_it_than_hex(header: str) -> None:
    assert set(trace_of(header)) <= set("0123456789abcdef-")
