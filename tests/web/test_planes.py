"""A route belongs to exactly one plane, and each plane's guard stands before every one of its routes."""

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.web.conftest import CALLER
from tests.web.fake_app import fake_app

PLANES = ("user", "ticket", "platform", "operator", "desk", "console", "open")
GATEWAY = {"X-WX-SOURCE": "wx_client"}


def routes(app: Flask, plane: str) -> Iterator[tuple[str, str]]:
    """Method and an address of every route of the plane."""
    found: list[Rule] = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith(f"{plane}.")]
    assert found, plane
    for rule in found:
        for method in sorted((rule.methods or set()) - {"HEAD"}):
            yield method, re.sub(r"<[^>]+>", "some_id", re.sub(r"<int:[^>]+>", "1", rule.rule))


def test_every_route_has_one_plane() -> None:
    app, _ = fake_app()
    blueprints = {rule.endpoint.partition(".")[0] for rule in app.url_map.iter_rules()}
    assert blueprints == set(PLANES)
    assert sum(len(list(routes(app, plane))) for plane in PLANES) == len(
        [1 for rule in app.url_map.iter_rules() for method in (rule.methods or set()) - {"HEAD"}]
    )


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 403, "identity_untrusted"),
        ({"X-WX-OPENID": "oCaller_000000001", "X-WX-APPID": "wxallowed1"}, 403, "identity_untrusted"),
        ({**GATEWAY, "X-WX-APPID": "wxallowed1"}, 401, "identity_missing"),
        ({**CALLER, "X-WX-SOURCE": "<script>"}, 403, "identity_untrusted"),
        ({**CALLER, "X-WX-SOURCE": "x" * 300}, 403, "identity_untrusted"),
        (
            {"X-Yunliao-Secret": "a-secret-of-sixteen", "Authorization": "Bearer a-token-of-sixteen"},
            403,
            "identity_untrusted",
        ),
    ],
)
def test_user_routes_want_a_caller(headers: dict[str, str], status: int, code: str) -> None:
    app, services = fake_app(YUNLIAO_METRICS_TOKEN="a-token-of-sixteen")
    client = app.test_client()
    for method, path in routes(app, "user"):
        answer = client.open(path, method=method, headers=headers, json={} if method in ("POST", "PUT") else None)
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (status, code), path
    assert not services.turns.logs


def test_platform_routes_want_the_platform_or_the_secret() -> None:
    app, _ = fake_app()
    client = app.test_client()
    for method, path in routes(app, "platform"):
        for headers in ({}, {"X-Yunliao-Secret": ""}, {"X-Yunliao-Secret": "wrong"}, {"X-Yunliao-Secret": "é" * 16}):
            assert client.open(path, method=method, headers=headers, json={}).status_code == 403, path
    assert client.post("/jobs/expire", json={}, headers={"X-Yunliao-Secret": "a-secret-of-sixteen"}).status_code == 200
    closed, _ = fake_app(YUNLIAO_JOBS_SECRET="")
    for secret in ("", "a-secret-of-sixteen"):
        answer = closed.test_client().post("/jobs/expire", json={}, headers={"X-Yunliao-Secret": secret})
        assert answer.status_code == 403
        assert "YUNLIAO_JOBS_SECRET" in answer.get_json()["error"]["detail"]


@pytest.mark.parametrize("inside", ["off", "on"])
def test_desk_routes_want_a_session_of_their_own(make_app: Callable[..., Flask], inside: str) -> None:
    app = make_app(YUNLIAO_METRICS_TOKEN="a-token-of-sixteen", YUNLIAO_OPERATORS_IN_MINIPROGRAM=inside)
    client = app.test_client()
    refused: list[tuple[dict[str, str], int]] = [
        ({}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": "Bearer a-token-of-sixteen"}, 401),
        ({"Authorization": "Bearer é"}, 401),
        ({"Authorization": "Basic YTpi"}, 401),
        ({"X-Yunliao-Secret": "a-secret-of-sixteen"}, 401),
        ({**CALLER}, 401 if inside == "on" else 403),
        ({**CALLER, "Authorization": "Bearer a-token-of-sixteen"}, 401 if inside == "on" else 403),
        ({**GATEWAY, "Authorization": "Bearer a-token-of-sixteen"}, 401 if inside == "on" else 403),
    ]
    for method, path in routes(app, "desk"):
        if path == "/op/v1/login":
            continue
        for headers, status in refused:
            body = {} if method in ("POST", "PUT") else None
            answer = client.open(path, method=method, headers=headers, json=body)
            assert answer.status_code == status, (path, headers)
    assert client.post("/op/v1/login", json={"name": "a", "password": "b"}, headers=CALLER).status_code == 403


def test_operator_routes_want_the_token_and_never_a_mini_program() -> None:
    app, _ = fake_app(YUNLIAO_METRICS_TOKEN="a-token-of-sixteen")
    client = app.test_client()
    good = {"Authorization": "Bearer a-token-of-sixteen"}
    refused = [{}, {"Authorization": "a-token-of-sixteen"}, {"Authorization": "Bearer a-token-of-sixteeN"}]
    refused += [{"Authorization": "Bearer é"}, {**CALLER}, {**GATEWAY, **good}]
    for method, path in routes(app, "operator"):
        for headers in refused:
            assert client.open(path, method=method, headers=headers).status_code == 403, (path, headers)
        assert client.open(path, method=method, headers=good).status_code == 200
    development, _ = fake_app(YUNLIAO_ENV="development")
    assert development.test_client().get("/metrics").status_code == 200
    assert development.test_client().get("/metrics", headers=GATEWAY).status_code == 403


def test_the_console_is_served_to_nobody_inside_a_mini_program(make_app: Callable[..., Flask]) -> None:
    for inside in ("off", "on"):
        client = make_app(YUNLIAO_OPERATORS_IN_MINIPROGRAM=inside).test_client()
        for path in ("/op/console", "/op/console/main.js"):
            assert client.get(path, headers=GATEWAY).status_code == 403
            assert client.get(path, headers=CALLER).status_code == 403
            assert client.get(path).status_code == 200


def test_open_routes_need_nobody() -> None:
    app, services = fake_app()
    services.people = None  # nobody is looked up
    for method, path in routes(app, "open"):
        answer = app.test_client().open(path, method=method)
        assert answer.status_code == 200, path
        assert answer.is_json


@pytest.mark.parametrize("method", ["OPTIONS", "PATCH", "TRACE", "PROPFIND", "FOO"])
def test_no_route_answers_another_verb(method: str) -> None:
    app, _ = fake_app()
    for plane in PLANES:
        for _, path in routes(app, plane):
            answer = app.test_client().open(path, method=method, headers=CALLER)
            assert (answer.status_code, answer.get_json()["error"]["code"]) == (405, "method_not_allowed"), path
            assert answer.headers["Allow"]


@pytest.mark.parametrize("path", ["//v1/me", "/v1//me", "/v1/me/", "/V1/me", "/v1/me/../me", "/v1/turns/%2e%2e/events"])
def test_a_path_is_right_or_not_found_and_never_a_redirect(path: str) -> None:
    app, _ = fake_app()
    answer = app.test_client().get(path, headers=CALLER)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "not_found")


def test_every_answer_has_an_id_and_is_not_kept() -> None:
    app, _ = fake_app()
    for headers in ({}, CALLER, {**CALLER, "X-WX-CALL-ID": "call-77"}, {**CALLER, "X-WX-CALL-ID": 'bad "id"\t'}):
        for path in ("/healthz", "/v1/nothing", "/v1/turns/turn_none/events"):
            answer = app.test_client().get(path, headers=headers)
            assert answer.headers["Cache-Control"] == "no-store"
            identifier = answer.headers["X-Request-Id"]
            if headers.get("X-WX-CALL-ID") == "call-77":
                assert identifier == "call-77"
            else:
                assert re.fullmatch(r"[0-9a-f]{24}", identifier)
            if answer.status_code != 200:
                assert answer.get_json()["error"]["request_id"] == identifier
