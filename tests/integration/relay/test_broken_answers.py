"""Answers that go wrong on the wire (P6): cut anywhere, stalled, forged, malformed; what had come is kept."""

import json

import pytest

from tests.fakes.scripted_upstream import DONE, END, Peer, answer, chunk, frame, framed, head, say
from tests.integration.relay.conftest import PATIENT, REQUEST, Heard
from yunliao.adapters.http.line import Limits
from yunliao.adapters.relay.dialects import Dialect

LONG = "".join(f"第{i}句，说得慢一点。" for i in range(40))
SHORT = answer("你", "好😀")
LAST_WORD = SHORT.index(b'"stop"')


def texts_within(body: bytes) -> str:
    """The text of the events that are whole in these bytes, by a decoder that knows nothing of ours."""
    text = ""
    for event in body.split(b"\n\n")[:-1]:
        data = event.removeprefix(b"data: ")
        if data != b"[DONE]":
            for choice in json.loads(data)["choices"]:
                text += choice["delta"].get("content", "")
    return text


def judge_cut(heard: Heard, received: bytes) -> None:
    """Every cut is told truly: complete only when the finish reason had come whole."""
    assert heard.text == texts_within(received)
    if b'"stop"' in received and b"\n\n" in received[LAST_WORD:]:
        assert heard.end == "complete"
    elif heard.text:
        assert heard.end == "relay_interrupted"
    else:
        assert heard.end in ("relay_interrupted", "relay_empty")


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("percent", range(0, 100, 10))
@pytest.mark.parametrize("how", ["fin", "rst"])
def test_a_long_answer_cut_at_every_tenth(upstream, relay, framing: str, percent: int, how: str) -> None:
    body = answer(*(LONG[i : i + 9] for i in range(0, len(LONG), 9)))
    data = framed(framing, body, size=200)
    start = data.index(b"\r\n\r\n") + 4
    cut = start + (len(data) - start) * percent // 100

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(data[:cut])
        if how == "rst":
            peer.reset()

    heard = Heard(relay(upstream(script)).stream(REQUEST))
    assert LONG.startswith(heard.text)
    if how == "fin":  # a reset may overtake bytes that were sent before it
        received = data[start:cut] if framing != "chunked" else dechunked(data[start:cut])
        assert heard.text == texts_within(received)
    assert heard.end in ("relay_interrupted", "relay_empty")
    assert heard.end == "relay_interrupted" or not heard.text


def dechunked(data: bytes) -> bytes:
    """The payload of these frames; of the last one what is there."""
    payload = b""
    while b"\r\n" in data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        payload, data = payload + data[:length], data[length + 2 :]
    return payload


@pytest.mark.parametrize("framing", ["length", "close"])
def test_a_short_answer_cut_at_every_byte(upstream, relay, framing: str) -> None:
    """One client, one connection a cut; inside a character, a name, a terminator."""
    cuts = range(len(SHORT))
    frame_head = head(framing=str(len(SHORT)) if framing == "length" else "close")
    up = upstream(*(say(frame_head + SHORT[:cut]) for cut in cuts))
    client = relay(up)
    for cut in cuts:
        judge_cut(Heard(client.stream(REQUEST)), SHORT[:cut])
    assert client.connections.idle == 0 or framing == "length"  # after [DONE] a short body is found out when taken


def test_frames_cut_at_every_byte(upstream, relay) -> None:
    body = frame(SHORT[:60]) + frame(SHORT[60:]) + END
    up = upstream(*(say(head() + body[:cut]) for cut in range(len(body))))
    client = relay(up)
    for cut in range(len(body)):
        judge_cut(Heard(client.stream(REQUEST)), dechunked(body[:cut]))


TWO = chunk("一") + chunk("二")
STOP = chunk(finish="stop")


@pytest.mark.parametrize(
    ("body", "text", "end"),
    [
        (TWO + STOP + DONE, "一二", "complete"),
        (TWO + STOP, "一二", "complete"),
        (TWO + DONE, "一二", "relay_interrupted"),
        (TWO, "一二", "relay_interrupted"),
        (b"", "", "relay_empty"),
        (DONE, "", "relay_empty"),
        (b": only comments\n\n" + DONE, "", "relay_empty"),
        (STOP + DONE, "", "relay_empty"),
        (chunk(reasoning_content="想") + STOP + DONE, "", "relay_empty"),
        (chunk(reasoning_content="想"), "", "relay_interrupted"),
        (chunk(reasoning_content="想") + chunk(finish="length") + DONE, "", "length"),
        (TWO + chunk(finish="length") + DONE, "一二", "length"),
        (TWO + chunk("三", finish="content_filter"), "一二三", "blocked"),
        (TWO + chunk(finish="abort") + DONE, "一二", "relay_interrupted"),
        (TWO + STOP + chunk("三") + DONE, "一二三", "complete"),
        (TWO + STOP + DONE + chunk("四"), "一二", "complete"),
        (TWO + b"data: {broken\n\n" + STOP + DONE, "一二", "relay_malformed"),
        (TWO + b'data: {"choices":[{"delta":{"content":"\xe4\xbd"}}]}\n\n', "一二", "relay_malformed"),
        (TWO + b'data: {"error":{"message":"canary","code":500}}\n\n' + DONE, "一二", "relay_reported"),
        (TWO + b'event: error\ndata: {"message":"canary","code":"x"}\n\n', "一二", "relay_reported"),
        (TWO + b'data: {"error":{"code":"content_filter"}}\n\n', "一二", "blocked"),
        (b'{"error":{"message":"overloaded"}}', "", "relay_overloaded"),
        (b'{"error":{"code":"context_length_exceeded"}}', "", "context_too_long"),
        (b'{"choices":[{"message":{"content":"whole"}}]}', "whole", "relay_interrupted"),
        (b'{"not": "an answer"}', "", "relay_empty"),
        (b"{", "", "relay_malformed"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_endings(upstream, relay, body: bytes, text: str, end: str, framing: str) -> None:
    heard = Heard(relay(upstream(say(framed(framing, body)))).stream(REQUEST))
    assert (heard.text, heard.end) == (text, end)
    assert "canary" not in repr(heard.failure)


def test_text_after_a_finish_reason_and_then_a_cut_is_interrupted(upstream, relay) -> None:
    body = TWO + STOP + chunk("三")
    heard = Heard(relay(upstream(say(head(framing=str(len(body) + 50)) + body))).stream(REQUEST))
    assert (heard.text, heard.end) == ("一二三", "relay_interrupted")


def test_an_upstream_known_to_send_no_reason(upstream, relay) -> None:
    heard = Heard(
        relay(upstream(say(framed("length", TWO + DONE))), dialect=Dialect("openai", done_is_enough=True)).stream(
            REQUEST
        )
    )
    assert heard.end == "complete"


def test_a_web_page_instead_of_an_answer(upstream, relay) -> None:
    page = b"<!doctype html><p>canary"
    up = upstream(say(head(framing=str(len(page)), kind="text/html; charset=utf-8") + page))
    heard = Heard(relay(up).stream(REQUEST))
    assert heard.end == "relay_refused" and "canary" not in repr(heard.failure)


@pytest.mark.parametrize("data", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Ty"])
def test_what_is_not_http(upstream, relay, data: bytes) -> None:
    heard = Heard(relay(upstream(*[say(data)] * 3)).stream(REQUEST))
    assert heard.end in ("relay_unreachable", "relay_empty")


def test_a_line_without_end(upstream, relay) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(head(framing="close") + chunk("一"))
        while True:
            peer.send(b"x" * 65536)  # until the client has had enough

    heard = Heard(relay(upstream(script)).stream(REQUEST))
    assert (heard.text, heard.end) == ("一", "relay_malformed")


# --- limits: each met with the others out of reach -----------------------------------------------------------------


def limits(**short: float) -> Limits:
    values = {name: getattr(PATIENT, name) for name in PATIENT.__struct_fields__} | short
    return Limits(**values)


def stalls(*before: bytes):
    """A script that sends these and then nothing until the client leaves."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(*before)
        peer.wait_gone()

    return script


@pytest.mark.parametrize(
    "before", [(), (b"HTTP/1.1 200",), (head(),), (head(), b"a"), (head("500 Oops", framing="9") + b"canary",)]
)
def test_no_first_byte(upstream, relay, before: tuple[bytes, ...]) -> None:
    up = upstream(stalls(*before))
    heard = Heard(relay(up, limits=limits(first_byte=0.3)).stream(REQUEST))
    assert heard.end in ("relay_timeout", "relay_overloaded")
    assert (heard.end == "relay_overloaded") == (b"500" in b"".join(before))
    assert up.peers[0].gone.wait(30)


@pytest.mark.parametrize("framing", ["chunked", "close"])
def test_silence_in_the_answer(upstream, relay, framing: str) -> None:
    first = frame(chunk("一")) if framing == "chunked" else chunk("一")
    up = upstream(stalls(head(framing=framing) + first))
    heard = Heard(relay(up, limits=limits(silence=0.3)).stream(REQUEST))
    assert (heard.text, heard.end) == ("一", "relay_interrupted")
    assert up.peers[0].gone.wait(30)


def test_silence_before_any_text(upstream, relay) -> None:
    up = upstream(stalls(head() + frame(b": thinking\n\n")))
    assert Heard(relay(up, limits=limits(silence=0.3)).stream(REQUEST)).end == "relay_timeout"


def test_silence_after_the_reason_is_the_end(upstream, relay) -> None:
    up = upstream(stalls(head() + frame(chunk("一") + STOP)))
    heard = Heard(relay(up, limits=limits(silence=0.3)).stream(REQUEST))
    assert (heard.text, heard.end) == ("一", "complete")


def test_comments_after_the_reason_do_not_keep_an_answer_open(upstream, relay, monkeypatch) -> None:
    """As a gateway that pings for ever and never sends `[DONE]`."""
    monkeypatch.setattr("yunliao.adapters.relay.stream.FAREWELL_SECONDS", 0.3)

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(head() + frame(chunk("一") + STOP))
        while not peer.gone.wait(0.02):
            peer.send(frame(b": PING\n\n"))

    heard = Heard(relay(upstream(script)).stream(REQUEST))
    assert (heard.text, heard.end) == ("一", "complete")


@pytest.mark.parametrize("trickle", [frame(b": alive\n\n"), frame(chunk("一")), b"1", b"0"])
def test_the_total_limit_holds_however_bytes_trickle(upstream, relay, trickle: bytes) -> None:
    """Comments, texts, and digits of a chunk size that never ends."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(head() + frame(chunk("好")))
        while not peer.gone.wait(0.02):
            peer.send(trickle)

    heard = Heard(relay(upstream(script), limits=limits(total=0.6, silence=5)).stream(REQUEST))
    assert heard.text.startswith("好") and heard.end in ("relay_timeout", "relay_interrupted")


def test_a_trickling_header_does_not_stretch_the_first_byte(upstream, relay) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not peer.gone.wait(0.02):
            peer.send(b"x")

    heard = Heard(relay(upstream(script), limits=limits(first_byte=0.4)).stream(REQUEST))
    assert heard.end == "relay_timeout"


def test_keep_alives_are_life(upstream, relay) -> None:
    """With a silence limit shorter than the whole wait, comments carry an answer through."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(head())
        for _ in range(30):
            peer.send(frame(b": alive\n\n"))
            peer.gone.wait(0.1)
        peer.send(frame(answer("到了")) + END)

    heard = Heard(relay(upstream(script), limits=limits(silence=2.5)).stream(REQUEST))
    assert (heard.text, heard.end) == ("到了", "complete")
