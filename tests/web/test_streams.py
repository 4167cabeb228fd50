"""The renderings of a turn's events: bytes as they were sealed, numbered; SSE as browsers read it."""

import io
import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.fakes.fake_services import WORDS_OF_A_FAULT
from tests.web.conftest import CALLER
from tests.web.fake_app import fake_app
from yunliao.errors import StoreUnavailable
from yunliao.services.live_log import Numbered
from yunliao.web import render, user


def send(client: FlaskClient, text: str, query: str = "") -> Any:
    answer = client.post(f"/v1/turns{query}", json={"client_id": "abcdefgh", "text": text}, headers=CALLER)
    assert answer.status_code in (200, 202), answer.get_json()
    return answer.get_json()


def stream(client: FlaskClient, turn: str, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(f"/v1/turns/{turn}/stream", headers={**CALLER, **named})


def parsed(body: str) -> list[dict[str, str]]:
    """Blocks with a field, as a browser's parser reads them."""
    blocks = [block.split("\n") for block in body.split("\n\n") if block]
    fields = [dict(line.split(": ", 1) for line in block if not line.startswith(":")) for block in blocks]
    return [found for found in fields if found]


def test_bodies_are_spliced_byte_for_byte() -> None:
    odd = '{"type":"text","delta":"\u2028 a  b\\u0041\\/ 😀"}'.encode()
    assert render.numbered(Numbered(7, odd)) == b'{"seq":7,' + odd[1:]
    assert render.event_list([]) == b"[]"
    assert json.loads(render.frame("turn_1", Numbered(7, odd)))["event"]["delta"] == "\u2028 a  bA/ 😀"


def test_a_stream_to_its_end() -> None:
    app, services = fake_app()
    client = app.test_client()
    turn = send(client, "stream 3 2")["turn"]["id"]
    answer = stream(client, turn)
    assert answer.content_type == "text/event-stream; charset=utf-8"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert answer.headers["Cache-Control"] == "no-store"
    first, *events = parsed(answer.get_data(as_text=True))
    assert first == {"retry": "1000"}
    assert [event["id"] for event in events] == ["1", "2", "3", "4", "5"]
    assert [event["event"] for event in events] == ["accepted", "text", "text", "text", "end"]
    polled = client.get(f"/v1/turns/{turn}/events", headers=CALLER).get_json()
    assert [json.loads(event["data"]) for event in events] == polled["events"]
    assert (polled["cursor"], polled["live"], polled["turn_id"]) == (5, False, turn)
    assert b'listeners{transport="sse"} 0.0' in services.metrics.render()[0]


@pytest.mark.parametrize(
    ("header", "query", "first"),
    [
        ("3", "", 4),
        ("", "?after=2", 3),
        ("3", "?after=1", 4),
        ("1", "?after=3", 4),
        ("x", "", 1),
        ("-1", "", 1),
        ("９", "", 1),
    ],
)
def test_a_stream_goes_on_from_a_cursor(header: str, query: str, first: int) -> None:
    app, _ = fake_app()
    client = app.test_client()
    turn = send(client, "stream 3 2")["turn"]["id"]
    answer = client.get(
        f"/v1/turns/{turn}/stream{query}", headers={**CALLER, "Last-Event-ID": header.encode().decode("latin-1")}
    )
    assert [int(event["id"]) for event in parsed(answer.get_data(as_text=True))[1:]] == list(range(first, 6))


def test_a_browser_that_has_everything_is_told_to_stop_asking() -> None:
    app, _ = fake_app()
    client = app.test_client()
    turn = send(client, "stream 3 2")["turn"]["id"]
    assert stream(client, turn, Last_Event_ID="5", Accept="text/event-stream").status_code == 204
    assert stream(client, turn, Last_Event_ID="4", Accept="text/event-stream").status_code == 200
    assert stream(client, turn, Accept="text/event-stream").status_code == 200


def test_a_silent_stream_says_that_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert render.SSE_WAIT <= 10  # platform.md §2.1: a heartbeat every 10 s
    monkeypatch.setattr(render, "SSE_WAIT", 0.01)
    app, _ = fake_app()
    client = app.test_client()
    turn = send(client, "open 1 1")["turn"]["id"]
    pieces: Iterator[bytes] = stream(client, turn).iter_encoded()
    beginning = next(pieces)  # the label and what there is already: one part, one send
    assert beginning.startswith(b": AI ") and b"\n\nid: 1\n" in beginning
    assert [next(pieces) for _ in range(3)] == [b": still here\n\n"] * 3
    assert client.post(f"/v1/turns/{turn}/stop", json={}, headers=CALLER).status_code == 200
    rest = b"".join(pieces).decode()
    assert [event["event"] for event in parsed(rest)] == ["end"]


def test_an_instance_that_runs_nothing_any_more_ends_its_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "SSE_WAIT", 0.01)
    app, services = fake_app()
    client = app.test_client()
    turn = send(client, "open 1 1")["turn"]["id"]
    pieces: Iterator[bytes] = stream(client, turn).iter_encoded()
    next(pieces)
    app.extensions["yunliao.leaving"].begin()
    assert services.drained == [20]
    rest = b"".join(pieces)
    assert b"event: end" not in rest
    app.extensions["yunliao.leaving"].begin()
    assert services.drained == [20]


def test_a_fault_in_mid_stream_ends_it_and_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.StringIO()
    monkeypatch.setattr(sys, "stdout", output)
    monkeypatch.setattr(render, "SSE_WAIT", 0.01)
    app, services = fake_app()
    client = app.test_client()
    for fail, lines in ((StoreUnavailable(), 0), (ValueError(WORDS_OF_A_FAULT), 1)):
        services.listen.fail = None
        turn = send(client, "open 1 1")["turn"]["id"]
        answer = stream(client, turn, X_WX_CALL_ID="call-9")
        pieces: Iterator[bytes] = answer.iter_encoded()
        next(pieces)
        services.listen.fail = fail
        assert b"".join(pieces) == b""
        logged = [json.loads(line) for line in output.getvalue().splitlines()]
        assert len(logged) == lines
    assert (logged[0]["kind"], logged[0]["route"], logged[0]["request_id"]) == ("ValueError", "user.stream", "call-9")
    assert WORDS_OF_A_FAULT not in output.getvalue()


@pytest.mark.parametrize(("asked", "given"), [("12", 12.0), ("99", 12.0), ("0.5", 0.5), ("0", 0.0)])
def test_a_poll_answers_well_before_the_platform_gives_up(asked: str, given: float) -> None:
    app, services = fake_app()
    client = app.test_client()
    turn = send(client, "stream 1 1")["turn"]["id"]
    services.listen.waits.clear()
    client.get(f"/v1/turns/{turn}/events?wait={asked}", headers=CALLER)
    assert services.listen.waits == [given]
    assert max(user.POLL_WAIT, user.SEND_WAIT) + user.GATHER < 13


def test_a_send_may_wait_for_the_first_words() -> None:
    app, _ = fake_app()
    client = app.test_client()
    sent = send(client, "stream 1 1", "?wait=99")
    assert [event["type"] for event in sent["events"]] == ["accepted", "text", "end"]
    assert (sent["cursor"], sent["live"], sent["turn"]["client_id"]) == (3, False, "abcdefgh")
    again = client.post("/v1/turns", json={"client_id": "abcdefgh", "text": "stream 1 1"}, headers=CALLER)
    assert again.status_code == 200
    assert again.get_json() == sent


@pytest.mark.parametrize("route", ["/v1/turns", "/v1/turns/turn_1/regenerate", "/v1/turns/turn_1/continue"])
def test_a_bad_wait_leaves_no_turn_behind(route: str) -> None:
    app, services = fake_app()
    body = {"client_id": "abcdefgh", "text": "x"} if route == "/v1/turns" else {"client_id": "abcdefgh"}
    answer = app.test_client().post(f"{route}?wait=soon", json=body, headers=CALLER)
    assert (answer.status_code, answer.get_json()["error"]["detail"]) == (400, "wait must be a number")
    assert not services.turns.logs
