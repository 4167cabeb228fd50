"""What a user sees of credits over HTTP, on a real store; the relay is one that nobody answers for."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings

from tests.web.conftest import CALLER, agree
from yunliao.bootstrap import Services
from yunliao.domain.ledger.audit import findings
from yunliao.domain.ledger.codes import Code, digest, shown
from yunliao.domain.ledger.granting import Movement

PRICES: dict[str, Any] = {
    "version": "v7",
    "models": {"demo": {"input": 2_000_000, "output": 8_000_000}},
    "plans": {"free": {"daily": 50_000}},
}


def priced(**changes: Any) -> str:
    return json.dumps({**PRICES, **changes})


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(YUNLIAO_PRICES=priced())


def services_of(app: Flask) -> Services:
    found: Services = app.extensions["yunliao"]
    return found


def get(client: FlaskClient, path: str, status: int = 200) -> Any:
    answer = client.get(path, headers=CALLER)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json()


def post(client: FlaskClient, path: str, body: Any, status: int = 200) -> Any:
    answer = client.post(path, json=body, headers=CALLER)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json()


def send(client: FlaskClient, status: int = 202, client_id: str = "client-0001", text: str = "你好") -> Any:
    return post(client, "/v1/turns", {"client_id": client_id, "text": text}, status)


def until_end(client: FlaskClient, turn: str) -> None:
    deadline = time.monotonic() + 60
    while get(client, f"/v1/turns/{turn}/events?wait=2")["live"]:
        assert time.monotonic() < deadline


def test_without_prices_nothing_costs_anything(make_app: Callable[..., Flask]) -> None:
    client = make_app().test_client()
    assert get(client, "/v1/me/credits")["active"] is False
    turn = send(client)["turn"]["id"]
    until_end(client, turn)
    receipt = get(client, f"/v1/turns/{turn}/receipt")
    assert (receipt["priced"], receipt["state"], receipt["charged"]) == (False, "free", 0)
    assert get(client, "/v1/me/credits/entries") == {"entries": [], "next": None}
    assert post(client, "/v1/me/credits/redeem", {"code": "x"}, 422)["error"]["code"] == "code_invalid"


def test_a_first_look_shows_allowance_and_prices(client: FlaskClient) -> None:
    seen = get(client, "/v1/me/credits")
    assert (seen["active"], seen["balance"], seen["reserved"]) == (True, 50_000, 0)
    assert seen["allowance"]["amount"] == seen["allowance"]["left"] == 50_000
    assert seen["lots"] == [{"source": "allowance", "left": 50_000, "expires_at": seen["allowance"]["renews_at"]}]
    assert seen["day"] == {"spent": 0, "limit": None} and seen["price_version"] == "v7"
    assert seen["prices"] == [
        {
            "model": "demo", "name": "demo", "input": 2_000_000, "cached_input": 2_000_000, "output": 8_000_000,
            "reasoning": 8_000_000, "image": 0,
        }
    ]  # fmt: skip


def test_an_answer_that_never_came_is_free_and_its_receipt_says_so(client: FlaskClient, app: Flask) -> None:
    turn = send(client)["turn"]["id"]
    until_end(client, turn)
    receipt = get(client, f"/v1/turns/{turn}/receipt")
    assert (receipt["state"], receipt["reason"], receipt["rule"]) == ("settled", "failed", "failed_early")
    assert receipt["charged"] == 0 and receipt["released"] == receipt["reserved"] > 0
    assert receipt["saved_by_stop"] is None and receipt["lines"] == [] and "免费" in receipt["rule_text"]
    assert get(client, "/v1/me/credits")["balance"] == 50_000
    moved = get(client, "/v1/me/credits/entries")["entries"]
    assert [(one["kind"], one["change"], one["turn_id"]) for one in moved] == [("allowance", 50_000, None)]
    everything = get(client, "/v1/me/credits/entries?all=true&limit=2")
    assert [(one["kind"], one["change"], one["turn_id"]) for one in everything["entries"]] == [
        ("release", 0, turn),
        ("reserve", 0, turn),
    ]
    rest = get(client, f"/v1/me/credits/entries?all=true&before={everything['next']}")
    assert [one["kind"] for one in rest["entries"]] == ["allowance"] and rest["next"] is None


def test_what_is_missing_is_said_and_a_repeat_of_an_accepted_message_is_not_refused(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(YUNLIAO_PRICES=priced(plans={"free": {"daily": 40_000}}))
    client = app.test_client()
    turn = send(client)["turn"]["id"]
    until_end(client, turn)
    services = services_of(app)
    (user,) = services.store.ledger.users(after="", limit=5)
    services.store.ledger.move(user, Movement(kind="withdraw", reference="w", amount=30_000, at=1))
    error = send(client, 402, "client-0002")["error"]
    assert error["code"] == "insufficient_credits" and not error["retryable"]
    assert error["needed"] > error["available"] == 10_000
    assert error["renews_at"] == get(client, "/v1/me/credits")["allowance"]["renews_at"]
    assert send(client, 200)["turn"]["id"] == turn
    assert get(client, "/v1/conversations")["conversations"].__len__() == 1


def test_the_users_day_and_the_turn_have_limits(make_app: Callable[..., Flask]) -> None:
    client = make_app(YUNLIAO_PRICES=priced(limits={"user_day": 1_000})).test_client()
    error = send(client, 429)["error"]
    assert (error["code"], error["available"]) == ("daily_limit", 1_000) and error["renews_at"]
    client = make_app(YUNLIAO_PRICES=priced(limits={"turn": 500})).test_client()
    error = send(client, 422)["error"]
    assert error["code"] == "turn_limit" and error["needed"] > 500
    client = make_app(YUNLIAO_PRICES=priced(limits={"turn": 5_000})).test_client()
    turn = send(client)["turn"]["id"]
    until_end(client, turn)
    assert get(client, f"/v1/turns/{turn}/receipt")["reserved"] <= 5_000


def test_the_service_stops_for_the_operators_bill(make_app: Callable[..., Flask]) -> None:
    app = make_app(YUNLIAO_PRICES=priced(limits={"service_day": 40_000, "warn": 0.5}))
    client = app.test_client()
    services_of(app).pricing._budget.take(30_000)  # type: ignore[union-attr]  others are answered
    error = send(client, 503)["error"]
    assert error["code"] == "service_budget_exhausted" and 0 < error["retry_after"] <= 86_400
    assert get(client, "/v1/conversations")["conversations"] == []


def test_a_code_is_redeemed_once_and_guessing_must_wait(client: FlaskClient, app: Flask) -> None:
    word = shown(123456789)
    services_of(app).store.ledger.put_codes([Code(hash=digest(word) or "", amount=900, days=2)])
    first = post(client, "/v1/me/credits/redeem", {"code": word.lower()})
    assert first["amount"] == 900 and first["balance"] == 50_900 and first["expires_at"] > time.time() * 1000
    assert post(client, "/v1/me/credits/redeem", {"code": word}) == first
    for _ in range(5):
        assert post(client, "/v1/me/credits/redeem", {"code": "nonsense"}, 422)["error"]["code"] == "code_invalid"
    waiting = post(client, "/v1/me/credits/redeem", {"code": shown(5)}, 429)["error"]
    assert waiting["code"] == "rate_limited" and waiting["retry_after"] > 3_000


def test_nobody_sees_anothers_receipt(client: FlaskClient) -> None:
    turn = send(client)["turn"]["id"]
    other = {**CALLER, "X-WX-OPENID": "oSomebodyElse001"}
    agree(client.application, other)
    assert client.get(f"/v1/turns/{turn}/receipt", headers=other).status_code == 404
    assert client.get("/v1/turns/turn_none/receipt", headers=CALLER).status_code == 404
    assert client.get("/v1/me/credits").status_code == 403  # no platform stands behind it


@pytest.mark.parametrize("query", ["before=x", "all=maybe", "limit=many", "before=-1"])
def test_a_wrong_query_is_told(client: FlaskClient, query: str) -> None:
    assert get(client, f"/v1/me/credits/entries?{query}", 400)["error"]["code"] == "invalid_request"


def test_erasing_takes_the_credits(client: FlaskClient, app: Flask) -> None:
    until_end(client, send(client)["turn"]["id"])
    records = client.delete("/v1/me", headers=CALLER).get_json()["records"]
    assert (records["accounts"], records["entries"]) == (1, 3)
    assert services_of(app).store.ledger.users(after="", limit=5) == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_fuzzing_priced_routes_finds_no_5xx(app: Flask) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    statuses: list[int] = []
    for result in schema.include(path_regex="credits|receipt|turns$").get_all_operations():

        @settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        def one(case: schemathesis.Case) -> None:
            case.headers = {**(case.headers or {}), **CALLER}
            response = case.call()
            statuses.append(response.status_code)
            assert response.status_code < 500, (case.method, case.path, response.text)

        given(case=result.ok().as_strategy())(one)()
    assert len(statuses) > 40
    assert [
        finding
        for user in services_of(app).store.ledger.users(after="", limit=9)
        for finding in findings(services_of(app).store.ledger.books(user))
    ] == []
