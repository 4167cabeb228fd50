"""Chunks of every dialect, and the table of endings (P6)."""

import itertools

import pytest

from yunliao.adapters.relay.chunks import Piece, classify, decode
from yunliao.adapters.relay.client import endpoint
from yunliao.adapters.relay.endings import Evidence, judge
from yunliao.adapters.relay.refusals import retry_after
from yunliao.domain.events import Usage
from yunliao.errors import ContextTooLong, RelayEmpty, RelayInterrupted, RelayMalformed, RelayOverloaded, RelayReported


@pytest.mark.parametrize(
    ("data", "piece"),
    [
        (b'{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}', Piece()),
        (b'{"choices":[{"delta":{"content":"\xe4\xbd\xa0"}}],"usage":null}', Piece(text="你")),
        (b'{"choices":[{"delta":{"content":null,"reasoning_content":"hm"}}]}', Piece(reasoning="hm")),
        (b'{"choices":[{"delta":{"reasoning":"hm"}}]}', Piece(reasoning="hm")),
        (b'{"choices":[{"delta":{"content":[{"type":"text","text":"a"},{"type":"image"}]}}]}', Piece(text="a")),
        (b'{"choices":[{"delta":{},"finish_reason":"stop"}]}', Piece(finish="stop")),
        (b'{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}', Piece(usage=Usage(input_tokens=3, output_tokens=4))),
        (
            b'{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":2},'
            b'"completion_tokens_details":{"reasoning_tokens":1}}}',
            Piece(usage=Usage(input_tokens=3, output_tokens=4, cached_tokens=2, reasoning_tokens=1)),
        ),
        (b'{"choices":[],"prompt_filter_results":[{"prompt_index":0}]}', Piece()),
        (b'{"id":"x","object":"chat.completion","choices":[{"message":{"content":"all"},"finish_reason":"stop"}]}', Piece(text="all", finish="stop")),
        (b'{"choices":[{"delta":{"tool_calls":[{"id":"c"}]}}]}', Piece()),
    ],
)  # fmt: skip
def test_dialects(data: bytes, piece: Piece) -> None:
    assert decode(data) == piece


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"choices": 5}', b'{"choices":[{"delta":{"content":5}}]}', b"\xff"]
)
def test_what_is_no_chunk(data: bytes) -> None:
    with pytest.raises(RelayMalformed):
        decode(data)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "This model's maximum context length is 4096", "code": "context_length_exceeded"}, ContextTooLong),
        ({"type": "rate_limit_error"}, RelayOverloaded),
        ({"message": "canary words of the prompt"}, RelayReported),
        ("a plain string with canary", RelayReported),
    ],
)
def test_errors_inside_a_stream_are_named_and_never_repeated(error: object, kind: type[Exception]) -> None:
    failure = classify(error)
    assert isinstance(failure, kind)
    assert "canary" not in f"{failure} {failure.detail}"


def test_the_table_of_endings() -> None:
    for text, reasoning, finish, done in itertools.product(
        (True, False), (True, False), ("", "stop", "length", "content_filter", "tool_calls"), (True, False)
    ):
        evidence = Evidence(text=text, reasoning=reasoning, finish=finish, done=done)
        if finish == "length":
            assert judge(evidence) == "length"
        elif finish == "content_filter":
            assert judge(evidence) == "blocked"
        elif finish and text:
            assert judge(evidence) == "complete"
        elif not finish and (text or reasoning):
            with pytest.raises(RelayInterrupted):
                judge(evidence)
        else:
            with pytest.raises(RelayEmpty):
                judge(evidence)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://a.example", "https://a.example/v1/chat/completions"),
        ("https://a.example/", "https://a.example/v1/chat/completions"),
        ("https://a.example/v1", "https://a.example/v1/chat/completions"),
        ("https://a.example/api/v3/", "https://a.example/api/v3/chat/completions"),
        ("https://a.example/x/chat/completions", "https://a.example/x/chat/completions"),
        ("https://a.example/openai/d?api-version=1", "https://a.example/openai/d/chat/completions?api-version=1"),
    ],
)
def test_addresses(given: str, url: str) -> None:
    assert endpoint(given) == url


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("3", 3),
        ("0.5", 0.5),
        ("-4", 0),
        ("9999", 300),
        ("soon", 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
    ],
)
def test_retry_after(header: str | None, seconds: float) -> None:
    assert retry_after(header) == seconds
