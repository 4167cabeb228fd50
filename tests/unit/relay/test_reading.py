"""However the bytes of an answer are cut, and whichever of the short cuts they take, the events are the same."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from yunliao.adapters.relay.reading import Reading
from yunliao.adapters.relay.sse import SseDecoder
from yunliao.domain.events import Usage
from yunliao.errors import TurnFailed
from yunliao.ports import RelayFinish, RelayReasoning, RelayText


def chunk(**fields: object) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode()


def delta(**fields: object) -> bytes:
    return chunk(choices=[{"index": 0, "delta": fields}])


TEXT = [delta(content=word) for word in ("云", "聊 ", "a", "\n\ndata: ", "\u2028", "好。")]
OTHER = [
    delta(content=""),
    delta(content=None),
    delta(role="assistant"),
    delta(content=[{"type": "text", "text": "块"}, {"type": "image"}]),
    delta(reasoning_content="想"),
    delta(reasoning="想", content="说"),
    chunk(choices=[{"delta": {"content": "一"}}, {"delta": {"content": "二"}}]),
    chunk(choices=[{"delta": {"content": "用"}}], usage={"prompt_tokens": 3, "completion_tokens": 4}),
    chunk(choices=[{"delta": {"content": "零"}}], usage=None),
    chunk(choices=[{"message": {"content": "全"}}]),
    chunk(choices=[{"delta": {"content": "完"}, "finish_reason": "stop"}]),
    chunk(choices=[{"delta": {}, "finish_reason": "length"}]),
    chunk(choices=[], usage={"prompt_tokens": 3, "completion_tokens": 4}),
    chunk(choices=[]),
    chunk(error={"code": "429"}),
    chunk(object="error", message="m", code=1),
    chunk(error={"code": "content_filter"}),
    chunk(choices=[{"delta": {"content": 5}}]),
    b"[DONE]",
    b"  ",
    b"",
    b"null",
    b"{",
    b'{"choices":[{"delta":{"content":"x"}}]},{"choices":[]}',
]
FORMS = [
    "data: %s\n\n",
    "data:%s\n\n",
    "data: %s\r\n\r\n",
    "data: %s\r\r",
    "event: x\ndata: %s\n\n",
    ": c\n\ndata: %s\n\n",
]
FORMS += ["id: 1\ndata: %s\n\n", "data: %s\n\n\n", "data: %s\n\n: ping\n\n", "event: error\ndata: %s\n\n"]

events = st.one_of(st.sampled_from(TEXT), st.sampled_from(TEXT), st.sampled_from(OTHER))
forms = st.one_of(st.just(FORMS[0]), st.just(FORMS[0]), st.sampled_from(FORMS))


def told(pieces: list[bytes]) -> tuple[str, str, list[tuple[str, Usage | None]], str]:
    """Text, reasoning, finishes, and the failure, of an answer that comes in these pieces."""
    reading, batches, failure = Reading(), [], ""
    try:
        for piece in pieces:
            batches.append(reading.feed(piece))
            if reading.failure:
                raise reading.failure
            if reading.ended:
                break
        batches.extend(reading.finish())
    except TurnFailed as failed:
        failure = type(failed).__name__
    all_ = [event for batch in batches for event in batch]
    return (
        "".join(event.delta for event in all_ if isinstance(event, RelayText)),
        "".join(event.delta for event in all_ if isinstance(event, RelayReasoning)),
        [(event.reason, event.usage) for event in all_ if isinstance(event, RelayFinish)],
        failure,
    )


@settings(max_examples=400)
@given(st.lists(st.tuples(events, forms), min_size=1, max_size=8), st.data())
@example([(TEXT[0], FORMS[0])], None)
def test_the_short_cuts_change_nothing(said: list[tuple[bytes, str]], data: st.DataObject | None) -> None:
    stream = b"".join(form.encode().replace(b"%s", event) for event, form in said)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=6))) if data else []
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    byte_by_byte = told([stream[at : at + 1] for at in range(len(stream))])
    assert told([stream]) == byte_by_byte
    assert told(pieces) == byte_by_byte


def decoded(pieces: list[bytes]) -> list[bytes]:
    decoder = SseDecoder()
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.finish()


LINES = [
    b"data: a",
    b"data:",
    b"data: ",
    b"data",
    b"data:  b",
    b"event: error",
    b"event: x",
    b"error: e",
    b"",
    b"",
    b"",
]
LINES += [b": c", b'{"bare":1}', b"data: [DONE]", b"\xef\xbb\xbfdata: d", b"id: 1", b"data: x\xe2\x80\xa8y"]


@settings(max_examples=500)
@given(
    st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from([b"\n", b"\n", b"\n", b"\r", b"\r\n"])), max_size=12),
    st.data(),
)
def test_any_lines_in_any_pieces_give_the_same_data(said: list[tuple[bytes, bytes]], data: st.DataObject) -> None:
    stream = b"".join(line + end for line, end in said)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    byte_by_byte = decoded([stream[at : at + 1] for at in range(len(stream))])
    assert decoded([stream]) == byte_by_byte
    assert decoded(pieces) == byte_by_byte


@pytest.mark.parametrize("bad", [b"{", chunk(error={"code": "x"})])
def test_what_came_before_a_failure_is_kept(bad: bytes) -> None:
    stream = b"".join(b"data: " + event + b"\n\n" for event in (TEXT[0], TEXT[1], bad, TEXT[2]))
    assert told([stream])[0] == "云聊 "
