"""P13: bad input is told by its field, echoes nothing, leaves nothing half-done, and never makes a 5xx."""

import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.conftest import CALLER

CANARY = "canary-5521"


def post(client: FlaskClient, raw: bytes, **headers: str) -> Any:
    sent = {**CALLER, "Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
    return client.post("/v1/turns", data=raw, headers=sent)


@pytest.mark.parametrize(
    ("raw", "code", "where"),
    [
        (b"", "invalid_request", "client_id"),
        (b"{", "invalid_request", "JSON"),
        (b"[]", "invalid_request", ""),
        (b'"%s"' % CANARY.encode(), "invalid_request", ""),
        (b"\xff\xfe{}", "invalid_request", ""),
        (b'{"client_id": "abcdefgh"}', "invalid_request", "text"),
        (b'{"client_id": "short", "text": "x"}', "invalid_request", "client_id"),
        (b'{"client_id": "abcdefgh", "text": 5}', "invalid_request", "text"),
        (b'{"client_id": "abcdefgh", "text": ""}', "invalid_request", "text"),
        (b'{"client_id": "abcdefgh", "text": "  \\n "}', "invalid_request", "text"),
        (b'{"client_id": "abcdefgh", "text": "a\\u0000b"}', "invalid_request", "text"),
        (b'{"client_id": "abcdefgh", "text": "\\ud800"}', "invalid_request", ""),
        (b'{"client_id": "abcdefgh", "text": "x", "%s": 1}' % CANARY.encode(), "invalid_request", "unknown"),
        (b'{"client_id": "abcdefgh", "text": "x", "model": "%s"}' % CANARY.encode(), "invalid_request", "model"),
        (
            b'{"client_id": "abcdefgh", "text": "x", "conversation_id": "%s"}' % b"../x",
            "invalid_request",
            "conversation",
        ),
        (b'{"client_id": "abcdefgh", "text": "x", "conversation_id": "conv_none"}', "not_found", "conversation"),
        (b'{"client_id": "abcdefgh", "text": "%s"}' % (b"x" * 5000), "request_too_large", ""),
        (b'{"client_id": "abcdefgh", "text": "%s"}' % (b"x" * 110_000), "request_too_large", ""),
        (b"[" * 20_000, "invalid_request", ""),
    ],
)
def test_bad_bodies(client: FlaskClient, raw: bytes, code: str, where: str) -> None:
    answer = post(client, raw)
    error = answer.get_json()["error"]
    assert error["code"] == code
    assert answer.status_code in (400, 404, 413)
    assert where in error.get("detail", "")
    assert CANARY not in answer.get_data(as_text=True)
    assert client.get("/v1/conversations", headers=CALLER).get_json()["conversations"] == []


def test_a_body_that_is_not_json(client: FlaskClient) -> None:
    answer = post(client, b"client_id=abcdefgh", Content_Type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/turns/turn_none/events", "/v1/conversations/none", "/v1/nothing", "/", "/v1/turns/%00/events",
        "/v1/turns/" + "x" * 3000 + "/events",
    ],
)  # fmt: skip
def test_what_is_not_there(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers=CALLER)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=1e9", "wait=-1", "wait=nan", "wait=99999999999"])
def test_bad_queries(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/v1/turns/turn_none/events?{query}", headers=CALLER)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("cursor", ["x", "===", "%ff", "YWJj", "a" * 500])
def test_foreign_cursors(client: FlaskClient, cursor: str) -> None:
    answer = client.get(f"/v1/conversations?before={cursor}", headers=CALLER)
    assert answer.get_json()["error"]["code"] == "invalid_request"


def test_wrong_verb(client: FlaskClient) -> None:
    answer = client.open("/v1/turns", method="PATCH", headers=CALLER)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (405, "method_not_allowed")


def test_the_mini_programs_envelope(client: FlaskClient) -> None:
    answer = client.get(
        "/v1/conversations/none", headers={**CALLER, "X-Client": "miniprogram", "X-WX-CALL-ID": "call-1"}
    )
    error = answer.get_json()["error"]
    assert answer.status_code == 200
    assert (error["status"], error["code"], error["request_id"]) == (404, "not_found", "call-1")
    assert error["message"]
    assert error["message_en"]
    assert error["retryable"] is False
    assert answer.headers["X-Request-Id"] == "call-1"


def test_a_fault_of_ours_says_no_more_than_that(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError(CANARY)

    output = io.StringIO()
    monkeypatch.setattr(sys, "stdout", output)
    app = make_app()
    services, client = app.extensions["yunliao"], app.test_client()
    monkeypatch.setattr(services.conversations, "page", broken)
    answer = client.get("/v1/conversations", headers=CALLER)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (500, "internal")
    logged = output.getvalue()
    line = json.loads(logged.strip().splitlines()[-1])
    assert (line["event"], line["kind"], line["request_id"]) == (
        "fault", "ValueError", answer.get_json()["error"]["request_id"],
    )  # fmt: skip
    assert CANARY not in logged + answer.get_data(as_text=True)


def test_health_and_readiness(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").get_json()["ready"] is True
    client.application.extensions["yunliao"].engine.draining = True
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert [check["name"] for check in answer.get_json()["checks"] if not check["ok"]] == ["accepting"]
    refused = client.post("/v1/turns", json={"client_id": "abcdefgh", "text": "x"}, headers=CALLER)
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (503, "draining")
    assert refused.headers["Retry-After"]
