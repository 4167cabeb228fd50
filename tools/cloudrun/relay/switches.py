"""The demo relay's switches: its pace, and every fault a relay is known for. `match` looks into the last message.

A single request can also carry them: header `X-Demo-Switches: {"cut_at_percent": 30}`, or a model name such as
`demo-chat+cut_at_percent=30+cut_how=close`.
"""

import json

from cloudrun.switches import Switch, SwitchError

RELAY_SWITCHES = (
    Switch("first_token_ms", 200, "time before the first byte of an answer"),
    Switch("tokens_per_second", 60.0, "pace of an answer; 0 = as fast as possible"),
    Switch("chunk_tokens", 1, "tokens in one chunk"),
    Switch("chunk_characters", 0, "characters in one chunk, instead of tokens; 0 = by tokens"),
    Switch("answer", "", "say exactly this instead of composing an answer"),
    Switch("reasoning", "", "think exactly this first; model `demo-reasoner` always thinks something"),
    Switch("api_key", "", "the only key that is taken; empty = any that is not empty"),
    Switch("status", 200, "answer with this error status: 400 (context too long), 401, 429, 500, 503, …"),
    Switch("retry_after", -1.0, "`Retry-After` seconds on an error status; -1 = no header"),
    Switch("refuse", False, "close connections as they are accepted"),
    Switch("hang", False, "take the request and never send a byte"),
    Switch("stall_after_chunks", -1, "say nothing more after this many text chunks; -1 = off"),
    Switch("cut_after_bytes", -1, "end the connection after this many bytes of the body; -1 = off"),
    Switch("cut_at_percent", -1, "end the connection after this share of the answer's text; -1 = off"),
    Switch(
        "cut_how",
        "reset",
        "a cut is a TCP `reset`, a `close` inside the chunked body, or a proper `end` of it",
        ("reset", "close", "end"),
    ),
    Switch(
        "error_after_chunks",
        -1,
        'send `{"error": …}` in the 200 stream after this many text chunks, then end; -1 = off',
    ),
    Switch("empty", "", "an empty 200: no `body`, or a proper `stream` without text", ("", "body", "stream")),
    Switch(
        "forged_done_after_chunks", -1, "send a `[DONE]` without finish_reason after this many text chunks; -1 = off"
    ),
    Switch("no_done", False, "leave out `[DONE]`"),
    Switch("no_finish", False, "leave out the chunk with finish_reason"),
    Switch("finish_reason", "", "finish with this reason (`content_filter`, …)"),
    Switch("malformed_after_chunks", -1, "send broken JSON after this many text chunks, then go on; -1 = off"),
    Switch("split_bytes", 0, "write the body in pieces of this many bytes, also inside characters; 0 = off"),
    Switch("crlf", False, "lines end in CR LF"),
    Switch("comments", False, "a comment line before every chunk"),
    Switch("heartbeat_ms", 0, "while nothing is said (start, stall) send a comment this often; 0 = off"),
    Switch("huge_line_bytes", 0, "send one chunk whose line is at least this long; 0 = off"),
    Switch("json_answer", False, "answer a stream request with one JSON object"),
    Switch("usage", "asked", "usage in a stream: when `asked` for, `always`, `never`", ("asked", "always", "never")),
    Switch("flagged_phrases", ["违禁演示词", "forbidden-demo"], "/v1/moderations flags input with one of these"),
    Switch("record_bodies", False, "keep the bodies of requests for /__sim/requests"),
)
BY_NAME = {switch.name: switch for switch in RELAY_SWITCHES}


def of_model(model: str) -> tuple[str, dict[str, object]]:
    """The plain model name and the switches written behind it. Raises `SwitchError`."""
    name, *parts = model.split("+")
    values: dict[str, object] = {}
    for part in parts:
        key, _, raw = part.partition("=")
        if key not in BY_NAME:
            raise SwitchError(f"no switch is called {key!r}")
        values[key] = raw if isinstance(BY_NAME[key].default, str) else of_json(raw or "true")
    return name, values


def of_json(raw: str) -> object:
    """A value written as JSON. Raises `SwitchError`."""
    try:
        return json.loads(raw)
    except ValueError:
        raise SwitchError("a switch's value is not JSON") from None
