"""P1: who is calling comes from the platform's headers, whole and without contradiction, or not at all."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.conftest import CALLER, agree

SHARED = {
    "X-WX-SOURCE": "wx_client",
    "X-WX-FROM-OPENID": "oShared_000000001",
    "X-WX-FROM-APPID": "wxallowed2",
    "X-WX-APPID": "wxowner",
    "X-WX-ENV": "prod-env",
}


def but(headers: dict[str, str], **changes: str | None) -> dict[str, str]:
    """The headers with some replaced or (None) left out."""
    named = {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in {**headers, **named}.items() if value is not None}


@pytest.mark.parametrize("headers", [CALLER, SHARED, but(CALLER, X_WX_ENV=None), but(CALLER, X_WX_UNIONID="u")])
def test_callers_the_platform_vouches_for(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.get("/v1/me", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "identity_untrusted"),
        (but(CALLER, X_WX_SOURCE=None), "identity_untrusted"),
        (but(CALLER, X_WX_SOURCE=""), "identity_untrusted"),
        (but(CALLER, X_WX_OPENID=None), "identity_missing"),
        (but(CALLER, X_WX_OPENID=""), "identity_missing"),
        (but(CALLER, X_WX_APPID="wxstranger"), "identity_untrusted"),
        (but(CALLER, X_WX_APPID=None), "identity_untrusted"),
        (but(CALLER, X_WX_ENV="another-env"), "identity_untrusted"),
        (but(CALLER, X_WX_OPENID="oCaller_000000001, oOther_0000000002"), "identity_untrusted"),
        (but(CALLER, X_WX_OPENID="o" * 200), "identity_untrusted"),
        (but(CALLER, X_WX_OPENID="../../etc/passwd"), "identity_untrusted"),
        (but(SHARED, X_WX_OPENID="oCaller_000000001"), "identity_untrusted"),
        (but(SHARED, X_WX_FROM_APPID="wxstranger"), "identity_untrusted"),
        (but(SHARED, X_WX_FROM_APPID=None), "identity_untrusted"),
        (but(SHARED, X_WX_FROM_OPENID=None), "identity_missing"),
    ],
)
def test_everybody_else_reaches_nothing(client: FlaskClient, headers: dict[str, str], code: str) -> None:
    answer = client.get("/v1/me", headers=headers)
    assert answer.get_json()["error"]["code"] == code
    assert answer.status_code == (401 if code == "identity_missing" else 403)
    for value in headers.values():
        assert len(value) < 9 or value not in answer.get_data(as_text=True)


def test_no_user_reaches_anothers(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    client = app.test_client()
    stranger = but(CALLER, X_WX_OPENID="oStranger_0000001")
    twin = but(CALLER, X_WX_APPID="wxallowed2")  # the same openid under another appid is another person
    for other in (stranger, twin):
        agree(app, other)
    sent = client.post("/v1/turns", json={"client_id": "message-1", "text": "私事"}, headers=CALLER).get_json()
    turn, conversation = sent["turn"]["id"], sent["turn"]["conversation_id"]
    message = sent["events"][0]["user_message_id"]
    attempts = [
        ("GET", f"/v1/turns/{turn}/events", None),
        ("GET", f"/v1/turns/{turn}/stream", None),
        ("POST", f"/v1/turns/{turn}/stop", {}),
        ("POST", f"/v1/turns/{turn}/regenerate", {"client_id": "message-2"}),
        ("POST", f"/v1/turns/{turn}/continue", {"client_id": "message-2"}),
        ("GET", f"/v1/conversations/{conversation}", None),
        ("PUT", f"/v1/conversations/{conversation}", {"title": "x"}),
        ("DELETE", f"/v1/conversations/{conversation}", None),
        ("POST", f"/v1/conversations/{conversation}/restore", {}),
        ("GET", f"/v1/conversations/{conversation}/messages", None),
        ("POST", f"/v1/messages/{message}/feedback", {"value": "up"}),
        ("POST", f"/v1/messages/{message}/report", {"reason": "x"}),
        ("POST", "/v1/turns", {"client_id": "message-3", "text": "x", "conversation_id": conversation}),
        (
            "POST",
            "/v1/turns",
            {"client_id": "m-4-0000", "text": "x", "conversation_id": conversation, "replaces": message},
        ),
    ]
    for other in (stranger, twin):
        for method, path, body in attempts:
            answer = client.open(path, method=method, json=body, headers=other)
            assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "not_found"), (method, path)
        assert client.get("/v1/conversations", headers=other).get_json()["conversations"] == []
    assert client.get(f"/v1/conversations/{conversation}", headers=CALLER).status_code == 200


def test_jobs_want_the_secret_and_push_wants_the_platform(client: FlaskClient) -> None:
    assert client.post("/jobs/recover", json={}).status_code == 403
    assert client.post("/jobs/recover", json={}, headers={**CALLER, "X-Yunliao-Secret": "wrong"}).status_code == 403
    allowed = {"X-Yunliao-Secret": "a-secret-of-sixteen"}
    assert client.post("/jobs/recover", json={}, headers=allowed).get_json() == {"taken_over": 0}
    assert client.post("/jobs/nothing", json={}, headers=allowed).status_code == 404
    probe = {"action": "CheckContainerPath"}
    assert client.post("/wx/push", json=probe).status_code == 403
    for client_made in ({"X-WX-SOURCE": "wx_client"}, CALLER, {"X-WX-SOURCE": "other", "X-WX-SERVICE": "yunliao"}):
        assert client.post("/wx/push", json=probe, headers=client_made).status_code == 403
    answer = client.post("/wx/push", json=probe, headers={"X-WX-SOURCE": "other"})
    assert (answer.status_code, answer.data) == (200, b"success")


def test_metrics_are_closed_in_production_without_a_token(make_app: Callable[..., Flask]) -> None:
    assert make_app().test_client().get("/metrics").status_code == 403
    client = make_app(YUNLIAO_METRICS_TOKEN="a-token-of-sixteen").test_client()
    assert client.get("/metrics", headers={"Authorization": "Bearer nope"}).status_code == 403
    answer = client.get("/metrics", headers={"Authorization": "Bearer a-token-of-sixteen"})
    assert b"yunliao_live_turns" in answer.data
