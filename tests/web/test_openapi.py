"""The schema and the routes are the same thing, and no input that the schema can make gives a 5xx."""

import json
import re

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings

from tests.web.conftest import CALLER, agree
from yunliao.web.openapi import ROUTES, document


def test_every_route_is_documented_and_belongs_to_one_plane(app: Flask) -> None:
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert endpoints == set(ROUTES)
    planes = {"user", "ticket", "platform", "operator", "desk", "console", "open"}
    assert {endpoint.partition(".")[0] for endpoint in endpoints} == planes
    for rule in app.url_map.iter_rules():
        user = rule.rule.startswith("/v1/")
        assert user == (rule.endpoint.partition(".")[0] in ("user", "ticket")), rule.rule
        assert "PATCH" not in (rule.methods or set())


def test_the_document_is_complete(client: FlaskClient, app: Flask) -> None:
    served = client.get("/openapi.json").get_json()
    assert served == json.loads(json.dumps(document(app)))
    assert served["openapi"] == "3.1.0"
    used = set(re.findall(r"#/components/schemas/(\w+)", client.get("/openapi.json").get_data(as_text=True)))
    assert used <= set(served["components"]["schemas"])
    for path, operations in served["paths"].items():
        for operation in operations.values():
            assert {p["name"] for p in operation["parameters"] if p["in"] == "path"} == set(
                re.findall(r"{(\w+)}", path)
            )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_fuzzing_finds_no_5xx(app: Flask) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    statuses: list[int] = []

    for result in schema.exclude(path=["/v1/socket", "/readyz", "/v1/turns/{turn_id}/stream"]).get_all_operations():
        operation = result.ok()

        @settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        def one(case: schemathesis.Case) -> None:
            agree(app, CALLER)  # the case before may have erased the account, or withdrawn
            case.headers = {**(case.headers or {}), **CALLER, "X-Yunliao-Secret": "a-secret-of-sixteen"}
            response = case.call()
            statuses.append(response.status_code)
            assert response.status_code < 500, (case.method, case.path, response.text)

        given(case=operation.as_strategy())(one)()
    assert len(statuses) > 200
