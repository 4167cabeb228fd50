"""The SSE decoder: however the bytes are cut the events are the same, and only CR, LF and CRLF end a line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunliao.adapters.relay.sse import MAX_LINE, SseDecoder
from yunliao.errors import RelayMalformed


def decode(chunks: list[bytes]) -> list[bytes]:
    decoder = SseDecoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)]


STREAM = (
    b'\xef\xbb\xbf: hello\r\n\r\ndata: {"a": 1}\n\nevent: x\rdata:two\rdata:  lines\r\r'
    + "data: 分隔\u2028符\u0085与\x0b字\n\nid: 3\ndata\n\ndata: [DONE]\r\n\r\ndata: never finished".encode()
)
EVENTS = [b'{"a": 1}', b"two\n lines", "分隔\u2028符\u0085与\x0b字".encode(), b"", b"[DONE]"]


def test_one_piece() -> None:
    assert decode([STREAM]) == EVENTS


@pytest.mark.parametrize("cut", range(len(STREAM)))
def test_cut_at_every_byte(cut: int) -> None:
    assert decode([STREAM[:cut], STREAM[cut:]]) == EVENTS


def test_byte_by_byte() -> None:
    assert decode([STREAM[i : i + 1] for i in range(len(STREAM))]) == EVENTS


@given(st.lists(st.text(st.characters(exclude_characters="\r\n")), max_size=6), st.data())
def test_any_events_in_any_pieces(texts: list[str], data: st.DataObject) -> None:
    ends = data.draw(st.lists(st.sampled_from([b"\n", b"\r", b"\r\n"]), min_size=len(texts), max_size=len(texts)))
    stream = b"".join(
        b"data: " + text.encode("utf-8", "replace") + end + end for text, end in zip(texts, ends, strict=True)
    )
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert decode(pieces) == [text.encode("utf-8", "replace") for text in texts]


def test_a_line_without_end_is_refused() -> None:
    decoder = SseDecoder()
    with pytest.raises(RelayMalformed):
        for _ in range(MAX_LINE // 1000 + 2):
            decoder.feed(b"x" * 1000)


def test_an_event_of_endless_lines_is_refused() -> None:
    decoder = SseDecoder()
    with pytest.raises(RelayMalformed):
        for _ in range(MAX_LINE // 1000 + 2):
            decoder.feed(b"data: " + b"x" * 1000 + b"\n")
