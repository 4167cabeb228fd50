"""The operators' desk over the real services: roles, the way into the mini-program, and what users notice of it."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.conftest import CALLER, agree

PASSWORD = "canary-password-1"
WORD = "金丝雀词"


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(
        YUNLIAO_OPERATORS_IN_MINIPROGRAM="on", YUNLIAO_APPIDS="wxallowed1", YUNLIAO_COOLDOWN="3/10minute/hour"
    )


def session(app: Flask, role: str, name: str = "") -> dict[str, str]:
    """Headers of a logged-in operator."""
    operators = app.extensions["yunliao"].operators
    operators.add("terminal", name or role, role, PASSWORD)
    answer = app.test_client().post("/op/v1/login", json={"name": name or role, "password": PASSWORD})
    assert answer.status_code == 200
    return {"Authorization": f"Bearer {answer.get_json()['token']}"}


def ask(
    client: FlaskClient, method: str, path: str, headers: dict[str, str], body: dict[str, Any] | None = None
) -> Any:
    answer = client.open(f"/op/v1{path}", method=method, headers=headers, json=body)
    assert answer.status_code in (200, 201), answer.get_data(as_text=True)
    return answer.get_json()


def sent(client: FlaskClient, text: str, number: int) -> Any:
    return client.post("/v1/turns?wait=5", json={"client_id": f"client{number:04d}", "text": text}, headers=CALLER)


def ended(client: FlaskClient, turn_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        piece = client.get(f"/v1/turns/{turn_id}/events?wait=5", headers=CALLER).get_json()
        if not piece["live"]:
            return dict(piece["events"][-1])
    raise AssertionError("the turn never ended")


def user_id(client: FlaskClient, headers: dict[str, str]) -> str:
    client.get("/v1/me", headers=CALLER)
    return str(ask(client, "POST", "/users/find", headers, {"openid": CALLER["X-WX-OPENID"]})["id"])


LEAST = {
    "viewer": [
        ("GET", "/me"),
        ("GET", "/verdicts"),
        ("GET", "/cases"),
        ("GET", "/words"),
        ("GET", "/relays"),
        ("GET", "/models"),
        ("GET", "/settings"),
    ],
    "operator": [
        ("POST", "/users/x/suspend"),
        ("POST", "/users/x/lift"),
        ("POST", "/users/x/read"),
        ("POST", "/cases"),
        ("POST", "/cases/x/look"),
        ("POST", "/cases/x/words"),
        ("POST", "/cases/x/decide"),
        ("POST", "/words"),
        ("POST", "/words/1/use"),
        ("POST", "/relays/x/off"),
        ("POST", "/relays/x/on"),
        ("POST", "/relays/x/test"),
    ],
    "owner": [
        ("GET", "/operators"),
        ("POST", "/users/x/credits"),
        ("POST", "/operators"),
        ("PUT", "/operators/x"),
        ("GET", "/audit"),
        ("POST", "/audit/verify"),
        ("POST", "/audit/find"),
    ],
}


def test_each_role_may_do_what_stands_beside_it_and_no_more(app: Flask) -> None:
    client, roles = app.test_client(), ("viewer", "operator", "owner")
    sessions = [session(app, role) for role in roles]
    for least, calls in LEAST.items():
        for place, headers in enumerate(sessions):
            for method, path in calls:
                answer = client.open(
                    f"/op/v1{path}", method=method, headers=headers, json={} if method != "GET" else None
                )
                code = (answer.get_json().get("error") or {}).get("code")
                assert (code == "operator_role") == (place < roles.index(least)), (roles[place], method, path, code)


def test_a_log_in_is_never_by_way_of_wechat(app: Flask) -> None:
    session(app, "owner")
    answer = app.test_client().post("/op/v1/login", json={"name": "owner", "password": PASSWORD}, headers=CALLER)
    assert answer.status_code == 403


def test_a_wrong_password_says_nothing_and_guessing_is_stopped(app: Flask) -> None:
    client = app.test_client()
    session(app, "owner")
    for _ in range(5):
        answer = client.post("/op/v1/login", json={"name": "owner", "password": "wrong-password"})
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (401, "operator_login")
    answer = client.post("/op/v1/login", json={"name": "owner", "password": PASSWORD})
    assert answer.status_code == 429 and answer.get_json()["error"]["retry_after"] > 0


def test_a_one_time_code_lets_one_wechat_user_in_and_the_platforms_headers_alone_nobody(app: Flask) -> None:
    client, headers = app.test_client(), session(app, "operator")
    assert client.get("/op/v1/me", headers=CALLER).status_code == 401
    assert client.get("/op/v1/me", headers={**CALLER, **headers}).status_code == 401  # made for outside
    code = ask(client, "POST", "/bindings", headers, {})["code"]
    bound = client.post("/v1/operator/bind", json={"code": code}, headers=CALLER).get_json()
    inside = {**CALLER, "Authorization": f"Bearer {bound['token']}"}
    assert ask(client, "GET", "/me", inside) == {"name": "operator", "role": "operator"}
    other = {**inside, "X-WX-OPENID": "oCaller_000000002"}
    for wrong in (other, {"Authorization": inside["Authorization"]}, CALLER):
        assert client.get("/op/v1/me", headers=wrong).status_code == 401
    agree(app, other)
    again = client.post("/v1/operator/bind", json={"code": code}, headers=other)
    assert (again.status_code, again.get_json()["error"]["code"]) == (401, "operator_login")


def test_with_the_setting_off_there_is_no_way_in(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    headers = session(app, "owner")
    client = app.test_client()
    assert client.post("/op/v1/bindings", json={}, headers=headers).status_code == 400
    assert client.post("/v1/operator/bind", json={"code": "x"}, headers=CALLER).status_code == 404
    assert client.get("/op/v1/me", headers={**CALLER, **headers}).status_code == 403


def test_accounts_are_made_and_changed_by_owners(app: Flask) -> None:
    client, owner = app.test_client(), session(app, "owner")
    made = ask(client, "POST", "/operators", owner, {"name": "bob", "role": "viewer"})
    answer = client.post("/op/v1/login", json={"name": "bob", "password": made["password"]}).get_json()
    bob = {"Authorization": f"Bearer {answer['token']}"}
    assert ask(client, "PUT", "/operators/bob", owner, {"role": "operator"})["operator"]["role"] == "operator"
    assert ask(client, "GET", "/me", bob)["role"] == "operator"
    wrong = client.put("/op/v1/me/password", json={"password": "x", "new": "another-password"}, headers=bob)
    assert wrong.status_code == 401
    ask(client, "PUT", "/me/password", bob, {"password": made["password"], "new": "another-password"})
    assert client.get("/op/v1/me", headers=bob).status_code == 401
    assert client.post("/op/v1/login", json={"name": "bob", "password": "another-password"}).status_code == 200
    for change in ({"disabled": True}, {"role": "viewer"}):
        assert client.put("/op/v1/operators/owner", json=change, headers=owner).status_code == 400
    names = [one["name"] for one in ask(client, "GET", "/operators", owner)["operators"]]
    assert sorted(names) == ["bob", "owner"]


def test_a_suspended_user_is_refused_at_once_and_back_after_the_lift(app: Flask) -> None:
    client, headers = app.test_client(), session(app, "operator")
    found = user_id(client, headers)
    ask(client, "POST", f"/users/{found}/suspend", headers, {"reason": "spam in chats", "days": 3})
    refused = client.get("/v1/conversations", headers=CALLER)
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (403, "suspended")
    ask(client, "POST", f"/users/{found}/lift", headers, {"reason": "an appeal"})
    assert client.get("/v1/conversations", headers=CALLER).status_code == 200


def test_credits_are_moved_by_owners_once_a_reference_and_written_down(app: Flask) -> None:
    client, owner, operator = app.test_client(), session(app, "owner"), session(app, "operator")
    path = f"/users/{user_id(client, owner)}/credits"
    grant = {"kind": "grant", "amount": 5_000_000, "reason": "sorry for the outage", "reference": "ticket-7"}
    assert client.post(f"/op/v1{path}", json=grant, headers=operator).status_code == 403
    assert ask(client, "POST", path, owner, grant)["status"] == "posted"
    assert ask(client, "POST", path, owner, grant)["status"] == "existing"
    assert ask(client, "GET", path, operator)["available"] == 5_000_000
    taken = ask(client, "POST", path, owner, {"kind": "withdraw", "amount": 9_000_000, "reason": "too much"})
    assert (taken["status"], taken["balance"]["available"]) == ("too_much", 5_000_000)
    for wrong in (
        {"kind": "grant", "amount": 0, "reason": "x"},
        {"kind": "refund", "reason": "x"},
        {"kind": "grant", "amount": 1, "reason": "a\nb"},
    ):
        assert client.post(f"/op/v1{path}", json=wrong, headers=owner).status_code == 400
    entries = ask(client, "GET", "/audit", owner)["entries"]
    moves = [(one["action"], one["reason"]) for one in entries if one["action"].startswith("credits.")]
    assert moves == [("credits.grant", "sorry for the outage")] * 2 + [("credits.withdraw", "too much")]


def test_blocked_messages_are_in_the_verdict_log_without_text_and_lead_to_a_break(app: Flask, tmp_path: Path) -> None:
    client, headers = app.test_client(), session(app, "operator")
    assert ask(client, "GET", "/verdicts/passes", headers) == {"passes": []}
    ask(client, "POST", "/words", headers, {"words": [WORD], "note": "trial"})
    app.extensions["yunliao"].live_words._look_at = 0.0  # as if two seconds were over
    for number in range(3):
        answer = sent(client, f"canary-text {WORD}", number)
        assert ended(client, answer.get_json()["turn"]["id"])["error"]["code"] == "blocked_input"
    found = user_id(client, headers)
    log = ask(client, "GET", f"/users/{found}/verdicts", headers)["verdicts"]
    assert [(one["layer"], one["suggest"], one["place"]) for one in log] == [("words", "risky", "question")] * 3
    assert "canary" not in json.dumps(log)
    refused = sent(client, "你好", 9)
    assert refused.status_code == 429
    error = refused.get_json()["error"]
    assert error["code"] == "cooling_down" and 0 < error["retry_after"] <= 3600
    assert sent(client, f"canary-text {WORD}", 1).status_code == 200  # what was accepted before is found again
    assert client.get("/v1/conversations", headers=CALLER).status_code == 200  # reading goes on
    assert ask(client, "GET", f"/users/{found}", headers)["cooling_until"] > 0


def test_reading_leaves_its_reason_in_the_audit_log_and_no_words_anywhere(app: Flask, tmp_path: Path) -> None:
    client, headers, owner = app.test_client(), session(app, "operator"), session(app, "owner")
    client.post("/v1/conversations", json={"title": "canary-title"}, headers=CALLER)
    client.post("/v1/complaints", json={"text": "canary-complaint"}, headers=CALLER)
    found = user_id(client, headers)
    assert client.post(f"/op/v1/users/{found}/read", json={}, headers=headers).status_code == 400
    listed = ask(client, "POST", f"/users/{found}/read", headers, {"reason": "complaint of today"})
    assert listed["conversations"][0]["title"] == "canary-title"
    [case] = ask(client, "GET", "/cases?state=open", headers)["cases"]
    told = ask(client, "POST", f"/cases/{case['id']}/words", headers, {"reason": "complaint of today"})
    assert told == {"text": "canary-complaint"}
    ask(client, "POST", f"/cases/{case['id']}/decide", headers, {"decision": "noted", "note": "answered"})
    entries = ask(client, "GET", "/audit", owner)["entries"]
    reads = [one for one in entries if one["action"] == "user.read"]
    assert [(one["actor"], one["subject"], one["reason"]) for one in reads] == [
        ("operator", found, "complaint of today")
    ] * 2
    assert "canary-title" not in json.dumps(entries) and "canary-complaint" not in json.dumps(entries)
    assert ask(client, "POST", "/audit/verify", owner, {})["problem"] == ""
    disk = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    for canary in (
        b"canary-title",
        b"canary-complaint",
        b"complaint of today",
        PASSWORD.encode(),
        CALLER["X-WX-OPENID"].encode(),
    ):
        assert canary not in disk


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/users/find", {}),
        ("/users/find", {"openid": "canary-1", "number": "canary-22"}),
        ("/users/find", {"number": "canary"}),
        ("/users/x/suspend", {"reason": "canary", "days": 0}),
        ("/users/x/read", {"reason": ""}),
        ("/words", {"words": ["canary\u0007"]}),
        ("/words/test", {}),
        ("/cases/x/decide", {"decision": "canary", "note": "n"}),
        ("/cases", {"note": "n", "canary": 1}),
    ],
)
def test_bad_input_is_a_typed_refusal_that_repeats_nothing(app: Flask, path: str, body: dict[str, Any]) -> None:
    answer = app.test_client().post(f"/op/v1{path}", json=body, headers=session(app, "operator"))
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, "invalid_request")
    assert "canary" not in answer.get_data(as_text=True)
