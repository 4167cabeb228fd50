"""`GET /op/v1/summary`: who may see it, its shape, and that it tells what happened here."""

from collections.abc import Callable
from typing import Any

import msgspec
from flask import Flask

from tests.web.conftest import CALLER
from tests.web.test_desk import ask, ended, sent, session
from yunliao.domain.summary import SummaryView

HOUR_MS = 3_600_000


def test_the_summary_tells_what_happened(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    headers, client = session(app, "viewer"), app.test_client()
    app.extensions["yunliao"].metrics.started(1.2)
    turn = sent(client, "你好", 1).get_json()["turn"]["id"]
    end = ended(client, turn)
    assert end["reason"] == "failed"  # nobody answers for the moderation here

    def counted() -> Any:
        told = ask(client, "GET", "/summary", headers)
        return told if told["hours"][-1]["turns"] + told["hours"][-2]["turns"] else None

    # The end is shown before it is counted, by a thread that nobody waits for.
    told = next(found for found in iter(counted, 0) if found)
    assert (len(told["hours"]), len(told["days"])) == (24, 7)
    assert [later["from"] - row["from"] for row, later in zip(told["hours"], told["hours"][1:], strict=False)] == [
        HOUR_MS
    ] * 23
    hour = told["hours"][-1] if told["hours"][-1]["turns"] else told["hours"][-2]
    assert (hour["turns"], hour["failed"], hour["completed"], hour["success"]) == (1, 1, 0, 0.0)
    assert hour["errors"] == {end["error"]["code"]: 1}
    assert hour["whole_ms"]["count"] == 1 and hour["whole_ms"]["p90"] > 0
    assert hour["first_text_ms"] == {"p50": None, "p90": None, "p99": None, "count": 0}
    assert sum(row["cold_starts"] for row in told["hours"]) == 1
    assert sum(sum(one.values()) for row in told["hours"] for one in row["moderation"].values()) >= 1
    assert told["now"]["instances"] == 1 and set(told["now"]["breakers"].values()) == {"closed"}
    assert sum(row["turns"] for row in told["days"]) == 1
    msgspec.convert(told, SummaryView)


def test_how_much_is_wanted_and_what_is_no_number(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    headers, client = session(app, "viewer"), app.test_client()
    told = ask(client, "GET", "/summary?hours=3&days=0", headers)
    assert (len(told["hours"]), len(told["days"])) == (3, 0)
    told = ask(client, "GET", "/summary?hours=0&days=2", headers)
    assert (len(told["hours"]), len(told["days"])) == (0, 2)
    told = ask(client, "GET", "/summary?hours=99999&days=99999", headers)
    assert (len(told["hours"]), len(told["days"])) == (744, 400)
    assert client.get("/op/v1/summary?hours=x", headers=headers).status_code == 400


def test_it_is_for_operators_alone(make_app: Callable[..., Flask]) -> None:
    app = make_app(YUNLIAO_METRICS_TOKEN="a-token-of-sixteen")
    client = app.test_client()
    assert client.get("/op/v1/summary").status_code == 401
    assert client.get("/op/v1/summary", headers={"Authorization": "Bearer a-token-of-sixteen"}).status_code == 401
    assert client.get("/op/v1/summary", headers={**CALLER, **session(app, "owner")}).status_code == 403


def test_the_timers_job_settles_days(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    answer = app.test_client().post("/jobs/expire", json={}, headers={"X-Yunliao-Secret": "a-secret-of-sixteen"})
    assert answer.status_code == 200
    assert (answer.get_json()["days_settled"], answer.get_json()["tallies_expired"]) == (0, 0)
