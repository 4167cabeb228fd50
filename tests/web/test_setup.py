"""What operators see of the service's set-up: relays and their switches, models, prices, settings; and no secret."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.web.test_desk import ask, session
from yunliao.settings import SECRETS, VARIABLES
from yunliao.settings_guide import MEANINGS_ZH

KEY = "sk-canary-7731"
RELAYS = [
    {"name": "main", "url": "http://127.0.0.1:9/v1?key=canary-query", "key": KEY, "models": {"fast": "a", "deep": "b"}},
    {"name": "spare", "url": "http://127.0.0.1:9/v1", "models": {"fast": "c"}, "domestic": True},
]
PRICES = {
    "version": "t-1",
    "models": {"fast": {"input": 1, "output": 2}, "deep": {"input": 3, "output": 4}},
    "plans": {"free": {"daily": 5}},
}


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(
        YUNLIAO_RELAY_URL="",
        YUNLIAO_MODEL="",
        YUNLIAO_RELAYS=json.dumps(RELAYS),
        YUNLIAO_PRICES=json.dumps(PRICES),
        YUNLIAO_JOBS_SECRET="canary-jobs-secret",
        YUNLIAO_WECHAT_API_URL="http://127.0.0.1:9/?token=canary-token",
    )


def test_a_switch_holds_on_every_instance_and_stands_in_the_audit_log(
    app: Flask, make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    other = make_app(YUNLIAO_RELAY_URL="", YUNLIAO_MODEL="", YUNLIAO_RELAYS=json.dumps(RELAYS))
    client, owner = app.test_client(), session(app, "owner")
    assert other.extensions["yunliao"].relays.off() == frozenset()
    seen = ask(client, "POST", "/relays/main/off", owner, {"reason": "wrong  answers"})
    assert seen["stranded"] == ["deep"]
    assert app.extensions["yunliao"].relays.off() == {"main"}
    [main, spare] = ask(other.test_client(), "GET", "/relays", owner)["relays"]
    assert (main["off"]["by"], main["off"]["reason"], "off" in spare) == ("owner", "wrong answers", False)
    switches = other.extensions["yunliao"].relay_desk._switches
    switches._look_at = 0.0  # as if two seconds were over
    assert other.extensions["yunliao"].relays.off() == {"main"}
    assert ask(other.test_client(), "POST", "/relays/main/on", owner, {})["stranded"] == []
    assert client.post("/op/v1/relays/nobody/off", json={"reason": "x"}, headers=owner).status_code == 404
    assert client.post("/op/v1/relays/main/off", json={"reason": " "}, headers=owner).status_code == 400
    entries = ask(client, "POST", "/audit/find", owner, {"action": "relay."})["entries"]
    assert [(one["action"], one["subject"]) for one in entries] == [("relay.on", "main"), ("relay.off", "main")]


def test_a_trial_of_an_upstream_nobody_answers_at_says_which_error(app: Flask) -> None:
    client, owner = app.test_client(), session(app, "owner")
    tried = ask(client, "POST", "/relays/main/test", owner, {"model": "deep"})
    assert (tried["ok"], tried["code"], tried["model"]) == (False, "relay_unreachable", "deep")
    assert tried["message"] and tried["message_en"]
    wrong = client.post("/op/v1/relays/spare/test", json={"model": "deep"}, headers=owner)
    assert wrong.status_code == 400


def test_models_are_shown_with_their_upstreams_and_prices(app: Flask) -> None:
    seen = ask(app.test_client(), "GET", "/models", session(app, "viewer"))
    assert [(one["id"], one["relays"], one["price"]["output"]) for one in seen["models"]] == [
        ("fast", ["main", "spare"], 2),
        ("deep", ["main"], 4),
    ]
    assert (seen["price_version"], seen["plans"]) == ("t-1", {"free": {"daily": 5}})


def test_settings_are_shown_without_any_secret(app: Flask) -> None:
    answer = app.test_client().get("/op/v1/settings", headers=session(app, "viewer"))
    assert "canary" not in answer.get_data(as_text=True)
    rows = {row["name"]: row for row in answer.get_json()["settings"]}
    assert list(rows) == [variable.name for variable in VARIABLES]
    for variable in VARIABLES:
        assert rows[variable.name]["secret"] == (variable.attribute in SECRETS)
        assert (rows[variable.name]["value"] is None) == (variable.attribute in SECRETS)
        assert MEANINGS_ZH[variable.name] == rows[variable.name]["meaning_zh"]
    assert (rows["YUNLIAO_JOBS_SECRET"]["given"], rows["YUNLIAO_PUSH_SECRET"]["given"]) == (True, False)
    assert rows["YUNLIAO_RATE_LIMIT"]["value"] == "1000/minute"
    assert rows["YUNLIAO_WECHAT_API_URL"]["value"] == "http://127.0.0.1:9/"


def test_the_audit_log_is_found_by_who_what_and_whom_page_by_page(app: Flask) -> None:
    client, owner, bob = app.test_client(), session(app, "owner"), session(app, "operator", "bob")
    for number in range(7):
        ask(client, "POST", f"/relays/{'spare' if number % 2 else 'main'}/on", bob, {})
    first = ask(client, "POST", "/audit/find", owner, {"actor": "bob", "action": "relay.", "limit": 4})
    rest = ask(
        client, "POST", "/audit/find", owner, {"actor": "bob", "action": "relay.", "limit": 4, "before": first["next"]}
    )
    found = first["entries"] + rest["entries"]
    assert [one["seq"] for one in found] == sorted((one["seq"] for one in found), reverse=True)
    assert (len(found), rest["next"]) == (7, None)
    spare = ask(client, "POST", "/audit/find", owner, {"subject": "spare"})["entries"]
    assert len(spare) == 3
    assert ask(client, "POST", "/audit/find", owner, {"actor": "nobody"}) == {"entries": [], "next": None}


def test_the_console_is_small_strict_and_all_of_this_origin(app: Flask) -> None:
    folder = Path(__file__).parents[2] / "container/yunliao/console"
    assert sum(one.stat().st_size for one in folder.iterdir()) < 300_000
    client = app.test_client()
    for name in ["", *(f"/{one.name}" for one in folder.iterdir())]:
        answer = client.get(f"/op/console{name}")
        policy = answer.headers["Content-Security-Policy"]
        assert answer.status_code == 200 and "unsafe" not in policy and "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy and answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        if not name.endswith(".svg"):  # its name of the vocabulary looks like an address
            assert (
                "http://" not in answer.text.replace("http://www.w3.org/2000/svg", "") and "https://" not in answer.text
            )
    for name in ("/..%2fsettings.py", "/nothing.js", "/__init__.py"):
        assert client.get(f"/op/console{name}").status_code == 404
