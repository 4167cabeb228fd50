"""Answers as they should be: in every framing, in any pieces, handed on at once, and the connection kept."""

import re
import socket
import threading

import pytest

from tests.fakes.scripted_upstream import DONE, END, Peer, answer, chunk, frame, framed, head, say, serve, usage
from tests.integration.relay.conftest import REQUEST, Heard
from yunliao.domain.events import Usage
from yunliao.ports import RelayFinish, RelayText

TEXT = "第一句，😀 and\u2028more\u0085。"
FRAMINGS = ["length", "chunked", "close"]


@pytest.mark.parametrize("framing", FRAMINGS)
def test_an_answer_in_one_piece(upstream, relay, framing: str) -> None:
    heard = Heard(relay(upstream(say(framed(framing, answer("你", TEXT))))).stream(REQUEST))
    assert (heard.text, heard.end) == ("你" + TEXT, "complete")
    assert heard.finish == RelayFinish("complete", Usage(input_tokens=7, output_tokens=5))


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("size", [1, 7, 100])
def test_an_answer_in_small_sends(upstream, relay, framing: str, size: int) -> None:
    data = framed(framing, answer(TEXT, TEXT), size=3)
    heard = Heard(relay(upstream(say(*(data[i : i + size] for i in range(0, len(data), size))))).stream(REQUEST))
    assert (heard.text, heard.end) == (TEXT + TEXT, "complete")


def test_the_request(upstream, relay) -> None:
    up = upstream(say(framed("length", answer("x"))))
    Heard(relay(up).stream(REQUEST))
    (request,) = up.requests
    assert request.line == "POST /v1/chat/completions HTTP/1.1"
    assert request.headers["authorization"] == "Bearer sk-secret"
    assert request.headers["x-request-id"] == "turn_1"
    assert re.fullmatch("00-" + "ab" * 16 + "-[0-9a-f]{16}-00", request.headers["traceparent"])
    assert request.headers["accept-encoding"] == "identity"
    assert request.body == {
        "model": "m-1",
        "messages": [{"role": "user", "content": "你好"}],
        "stream": True,
        "max_tokens": 50,
        "stream_options": {"include_usage": True},
    }


def test_an_azure_like_address(upstream, relay) -> None:
    up = upstream(say(framed("length", answer("x"))))
    Heard(relay(f"{up.url}/openai/deployments/d?api-version=2024-10-21", headers={"x-team": "t"}).stream(REQUEST))
    (request,) = up.requests
    assert request.line == "POST /openai/deployments/d/chat/completions?api-version=2024-10-21 HTTP/1.1"
    assert (request.headers["api-key"], request.headers["x-team"]) == ("sk-secret", "t")
    assert "authorization" not in request.headers


def test_nothing_is_taken_from_the_environment(upstream, relay, monkeypatch, tmp_path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    up = upstream(say(framed("length", answer("x"))))
    assert Heard(relay(up).stream(REQUEST)).end == "complete"
    assert up.requests[0].headers["authorization"] == "Bearer sk-secret"


@pytest.mark.parametrize("framing", ["chunked", "close"])
@pytest.mark.parametrize("pace", [0.0, 0.01])
def test_every_text_is_handed_on_before_the_next_one_is_sent(upstream, relay, framing: str, pace: float) -> None:
    """The upstream says nothing more until the client has shown what came: held-up text would be a deadlock."""
    shown = [threading.Semaphore(0) for _ in range(4)]

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(head(framing=framing))
        for i in range(4):
            peer.send(frame(chunk(f"{i}。")) if framing == "chunked" else chunk(f"{i}。"))
            assert shown[i].acquire(timeout=30), f"text {i} was held up"
        last = chunk(finish="stop") + DONE
        peer.send(frame(last) + END if framing == "chunked" else last)

    text = ""
    for batch in relay(upstream(script), pace=pace).stream(REQUEST):
        for event in batch:
            if isinstance(event, RelayText):
                text += event.delta
                shown[int(event.delta[0])].release()
    assert text == "0。1。2。3。"


def test_half_a_frame_does_not_hold_up_the_text_before_it(upstream, relay) -> None:
    shown = threading.Event()
    late = frame(chunk("二") + chunk(finish="stop") + DONE)

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(head() + frame(chunk("一")) + late[:1])
        assert shown.wait(30), "the text was held up"
        peer.send(late[1:] + END)

    texts = []
    for batch in relay(upstream(script)).stream(REQUEST):
        texts += [event.delta for event in batch if isinstance(event, RelayText)]
        shown.set()
    assert texts == ["一", "二"]


@pytest.mark.parametrize("framing", FRAMINGS)
def test_what_arrives_together_is_one_batch(upstream, relay, framing: str) -> None:
    """60 pieces that have all arrived take a handful of wake-ups, not 60: the receive buffer is the measure."""
    data = framed(framing, answer(*"一二三四五六七八九十" * 6), size=90)
    heard = Heard(relay(upstream(say(data))).stream(REQUEST))
    assert heard.text == "一二三四五六七八九十" * 6
    assert len(heard.batches) <= 1 + len(data) // 1024


def test_reasoning_and_usage(upstream, relay) -> None:
    body = (
        chunk(reasoning_content="想")
        + chunk(reasoning="一想")
        + chunk("好")
        + chunk(finish="stop")
        + usage(3, 4)
        + DONE
    )
    heard = Heard(relay(upstream(say(framed("chunked", body, size=40)))).stream(REQUEST))
    assert (heard.reasoning, heard.text) == ("想一想", "好")
    assert heard.finish and heard.finish.usage == Usage(input_tokens=3, output_tokens=4)


WHOLE = '{"choices":[{"message":{"content":"一整块"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}'


@pytest.mark.parametrize("kind", ["application/json", "text/event-stream", "text/plain"])
@pytest.mark.parametrize("cut", [0, 1, 40])
def test_an_answer_without_a_stream_is_one_batch(upstream, relay, kind: str, cut: int) -> None:
    body = WHOLE.encode()
    up = upstream(say(head(framing=str(len(body)), kind=kind), body[:cut], body[cut:]))
    heard = Heard(relay(up).stream(REQUEST))
    assert (heard.text, heard.end, len(heard.batches)) == ("一整块", "complete", 1)
    assert heard.finish and heard.finish.usage == Usage(input_tokens=1, output_tokens=2)


def test_a_stream_that_calls_itself_json_is_read_as_a_stream(upstream, relay) -> None:
    body = answer("对")
    heard = Heard(relay(upstream(say(head(framing=str(len(body)), kind="application/json") + body))).stream(REQUEST))
    assert (heard.text, heard.end) == ("对", "complete")


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_ended_answers_leave_their_connection_for_the_next(upstream, relay, framing: str) -> None:
    up = upstream(serve([framed(framing, answer(str(i))) for i in range(4)]))
    client = relay(up)
    assert [Heard(client.stream(REQUEST)).text for _ in range(4)] == ["0", "1", "2", "3"]
    assert (len(up.peers), client.connections.idle) == (1, 1)
    client.close()


def test_the_last_bytes_of_a_body_may_come_later(upstream, relay) -> None:
    """After `[DONE]` nobody waits for the terminator, and still the connection is used again."""
    ended, sent = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(head() + frame(answer("一")))
        assert ended.wait(30), "the end waited for the terminator"
        peer.send(END)
        sent.set()
        peer.read_request()
        peer.send(framed("chunked", answer("二")))
        peer.wait_gone()

    up = upstream(script)
    client = relay(up)
    assert Heard(client.stream(REQUEST)).text == "一"
    ended.set()
    assert sent.wait(30)
    (waiting,) = client.connections._idle
    peeked = waiting.sock
    peeked.settimeout(30)
    assert peeked.recv(1, socket.MSG_PEEK)  # the terminator has crossed the loopback
    assert Heard(client.stream(REQUEST)).text == "二"
    assert len(up.peers) == 1
    client.close()


@pytest.mark.parametrize("more", [b"", b"5\r\nhel", frame(b"junk")])
def test_a_connection_with_an_unfinished_body_is_not_used_again(upstream, relay, more: bytes) -> None:
    def first(peer: Peer) -> None:
        peer.read_request()
        peer.send(head() + frame(answer("一")) + more)
        peer.wait_gone()

    up = upstream(first, say(framed("length", answer("二"))))
    client = relay(up)
    assert [Heard(client.stream(REQUEST)).text for _ in range(2)] == ["一", "二"]
    assert len(up.peers) == 2


def test_a_kept_connection_that_the_upstream_closed_costs_no_answer(upstream, relay) -> None:
    """The stale connection is noticed, at the latest when it is used, and a fresh one takes its place."""

    def closes_at_the_next_request(peer: Peer) -> None:
        peer.read_request()
        peer.send(framed("length", answer("一")))
        peer.read_request()

    up = upstream(closes_at_the_next_request, say(framed("length", answer("二"))))
    client = relay(up)
    assert [Heard(client.stream(REQUEST)).text for _ in range(2)] == ["一", "二"]


def test_a_stream_can_be_iterated_once(upstream, relay) -> None:
    up = upstream(say(framed("length", answer("x"))))
    stream = relay(up).stream(REQUEST)
    assert Heard(stream).end == "complete"
    assert Heard(stream).end == "nothing"
    assert len(up.requests) == 1


def test_leaving_in_the_middle_closes_the_connection(upstream, relay) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(head() + frame(chunk("一")))
        peer.wait_gone()

    up = upstream(script)
    client = relay(up)
    for _ in client.stream(REQUEST):
        break
    assert up.peers[0].gone.wait(30)
    assert client.connections.idle == 0


def test_the_key_is_in_no_repr(upstream, relay) -> None:
    client = relay("https://user:pw@a.example/v1?code=hidden", headers={"x-other": "hidden"})
    stream = client.stream(REQUEST)
    for shown in (repr(client), repr(stream), str(client), repr(client.connections)):
        assert not any(secret in shown for secret in ("sk-secret", "hidden", "pw"))
