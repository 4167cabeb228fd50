"""Refusing before the framework is asked: the same order, words and log line as behind it, and nothing else refused."""

import json
import time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.conftest import CALLER
from tests.web.fake_app import fake_app
from yunliao.errors import Draining, QueueFull, YunliaoError
from yunliao.services.signed_calls import Claim, sign
from yunliao.web.no_room import NoRoom

MESSAGE = {"client_id": "abcdefgh", "text": "你好"}
SECRET = "a-secret-of-functions"


class FullTurns:
    """No room for anybody; counts who was promised a time."""

    full = True

    def __init__(self) -> None:
        self.asked = 0
        self.error: YunliaoError = QueueFull(retry_after=7)

    def check_room(self) -> None:
        self.asked += 1
        raise self.error


def full_app(**changes: str) -> tuple[Flask, Any]:
    app, services = fake_app(**changes)
    services.turns = FullTurns()
    return app, services


def without_the_door(app: Flask) -> FlaskClient:
    """The same application with only what is behind."""
    door: Any = app.wsgi_app._app  # type: ignore[attr-defined]
    assert isinstance(door, NoRoom)
    bare = Flask("bare")
    bare.wsgi_app = door._app  # type: ignore[method-assign, assignment]
    return bare.test_client()


def said(answer: Any) -> tuple[int, dict[str, str], dict[str, Any]]:
    headers = {name: value for name, value in answer.headers.items() if name != "X-Request-Id"}
    body = answer.get_json()
    assert body["error"]["request_id"] == answer.headers["X-Request-Id"]
    del body["error"]["request_id"]
    headers.pop("Content-Length")
    return answer.status_code, headers, body


def line(printed: str) -> dict[str, str]:
    (told,) = [json.loads(one) for one in printed.splitlines() if '"fault"' in one]
    return {name: told[name] for name in ("event", "level", "kind", "route")}


@pytest.mark.parametrize("client_name", ["", "miniprogram"])
@pytest.mark.parametrize("error", [QueueFull(retry_after=7), Draining(retry_after=3)])
@pytest.mark.parametrize("raw", [json.dumps(MESSAGE).encode(), b"{", b""])
def test_a_refusal_is_the_same_on_both_sides(
    raw: bytes, error: YunliaoError, client_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    app, services = full_app()
    services.turns.error = error
    headers = {**CALLER, "X-Client": client_name, "Content-Type": "application/json"}
    before = app.test_client().post("/v1/turns?wait=1", data=raw, headers=headers)
    told_before = line(capsys.readouterr().out)
    behind = without_the_door(app).post("/v1/turns?wait=1", data=raw, headers=headers)
    told_behind = line(capsys.readouterr().out)
    assert said(before) == said(behind)
    assert before.status == behind.status
    assert told_before == told_behind == {"event": "fault", "level": "error", "kind": error.code, "route": "user.send"}
    assert before.status_code == (200 if client_name else 503)
    assert before.get_json()["error"]["retry_after"] == error.retry_after
    assert services.turns.asked == 2  # one promise for each of them


def test_the_platforms_id_names_the_refusal() -> None:
    app, _ = full_app()
    answer = app.test_client().post("/v1/turns", json=MESSAGE, headers={**CALLER, "X-WX-CALL-ID": "call-1"})
    assert answer.headers["X-Request-Id"] == answer.get_json()["error"]["request_id"] == "call-1"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"X-WX-OPENID": ""}, 401, "identity_missing"),
        ({"X-WX-OPENID": "no openid"}, 403, "identity_untrusted"),
        ({"X-WX-APPID": "wxother"}, 403, "identity_untrusted"),
        ({"X-WX-SOURCE": ""}, 403, "identity_untrusted"),
        ({"X-WX-ENV": "another-env"}, 403, "identity_untrusted"),
    ],
)
def test_who_is_nobody_is_told_so_and_promised_nothing(changes: dict[str, str], status: int, code: str) -> None:
    app, services = full_app()
    answer = app.test_client().post("/v1/turns", json=MESSAGE, headers={**CALLER, **changes})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (status, code)
    assert services.turns.asked == 0


def test_a_body_that_is_too_large_is_told_so() -> None:
    app, services = full_app()
    answer = app.test_client().post("/v1/turns", data=b"x" * 110_000, headers=CALLER)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (413, "request_too_large")
    assert services.turns.asked == 0


def test_on_a_public_address_the_platforms_headers_name_nobody() -> None:
    app, services = full_app(YUNLIAO_PUBLIC="on", YUNLIAO_FUNCTION_SECRET=SECRET)
    answer = app.test_client().post("/v1/turns", json=MESSAGE, headers=CALLER)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "identity_untrusted")
    assert services.turns.asked == 0


def test_a_signed_call_is_judged_with_its_body() -> None:
    app, services = full_app(YUNLIAO_FUNCTION_SECRET=SECRET)
    raw = json.dumps(MESSAGE).encode()
    claim = Claim(openid="oCaller_000000001", appid="wxallowed1", time=time.time_ns() // 1_000_000, nonce="n" * 16)
    signed = sign(SECRET, claim, method="POST", target="/v1/turns", body=raw)

    def send(data: bytes) -> tuple[int, str]:
        headers = {"X-Yunliao-Caller": signed, "Content-Type": "application/json"}
        answer = app.test_client().post("/v1/turns", data=data, headers=headers)
        return answer.status_code, answer.get_json()["error"]["code"]

    assert send(raw + b" ") == (403, "identity_untrusted")
    assert services.turns.asked == 0
    assert send(raw) == (503, "queue_full")
    assert services.turns.asked == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200), ("GET", "/v1/turns", 405), ("POST", "/v1/turns/", 404), ("POST", "/v1/search", 400),
        ("POST", "/v1/turns/turn_1/regenerate", 503), ("POST", "/v1/turns/turn_1/continue", 503),
    ],
)  # fmt: skip
def test_only_what_begins_a_turn_is_refused(method: str, path: str, status: int) -> None:
    app, _ = full_app()
    answer = app.test_client().open(path, method=method, data=b"[]", headers=CALLER, content_type="application/json")
    assert answer.status_code == status


def test_a_turn_that_has_begun_is_read_and_stopped_when_there_is_no_room() -> None:
    app, services = fake_app()
    client = app.test_client()
    turn = client.post("/v1/turns", json=MESSAGE, headers=CALLER).get_json()["turn"]["id"]
    services.turns.full = True
    assert client.get(f"/v1/turns/{turn}/events", headers=CALLER).status_code == 200
    assert client.get(f"/v1/turns/{turn}/stream", headers=CALLER).status_code == 200
    assert client.post(f"/v1/turns/{turn}/stop", json={}, headers=CALLER).status_code == 200


def test_a_place_that_came_free_meanwhile_is_taken() -> None:
    app, services = fake_app()
    services.turns.full = True  # and yet `check_room` refuses nobody
    assert app.test_client().post("/v1/turns", json=MESSAGE, headers=CALLER).status_code == 202


def test_addresses_are_built_when_somebody_asks() -> None:
    app, _ = fake_app()
    with app.test_request_context():
        builder = app.url_map.bind("x")
        assert builder.build("user.events", {"turn_id": "turn_1", "after": "2"}) == "/v1/turns/turn_1/events?after=2"
