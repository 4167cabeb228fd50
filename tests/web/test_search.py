"""The search route: both ways of asking, a page at a time, and nothing repeated of a bad query."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.conftest import CALLER, agree


def named(client: FlaskClient, *titles: str) -> None:
    for title in titles:
        assert client.post("/v1/conversations", json={"title": title}, headers=CALLER).status_code == 201


def test_both_ways_find_the_same(client: FlaskClient) -> None:
    named(client, "周末计划", "工作", "周末菜谱")
    got = client.get("/v1/search", query_string={"q": "周末"}, headers=CALLER).get_json()
    posted = client.post("/v1/search", json={"q": "周末"}, headers=CALLER).get_json()
    assert got == posted
    assert [hit["title"] for hit in got["results"]] == ["周末菜谱", "周末计划"]
    assert (got["results"][0]["kind"], got["next"], got["searched"]) == ("title", None, 3)


def test_pages_go_on_by_the_cursor(client: FlaskClient) -> None:
    named(client, *(f"note {number}" for number in range(5)))
    seen, after = [], None
    while True:
        page = client.post(
            "/v1/search", json={"q": "note", "limit": 2} | ({"after": after} if after else {}), headers=CALLER
        )
        seen += [hit["title"] for hit in page.get_json()["results"]]
        after = page.get_json()["next"]
        if not after:
            break
    assert sorted(seen) == [f"note {number}" for number in range(5)]


def test_nobody_finds_what_is_of_others(app: Flask) -> None:
    client, other = app.test_client(), {**CALLER, "X-WX-OPENID": "oCaller_000000002"}
    named(client, "canary")
    agree(app, other)
    assert client.get("/v1/search?q=canary", headers=other).get_json()["results"] == []


@pytest.mark.parametrize(
    "query",
    [{}, {"q": ""}, {"q": "x" * 101}, {"q": "a\0b"}, {"q": "ok", "after": "canary!"}, {"q": "ok", "limit": "x"}],
)
def test_a_query_that_is_none_is_refused(app: Flask, query: dict[str, str]) -> None:
    answer = app.test_client().get("/v1/search", query_string=query, headers=CALLER)
    assert answer.status_code == 400
    assert "canary" not in answer.get_data(as_text=True)
