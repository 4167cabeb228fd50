"""A start that cannot work explains itself, lets nobody in, and heals where a person is not needed."""

import base64
import json
import re
import threading
from pathlib import Path

import pytest

from tests.fakes.fake_services import FakeServices
from tests.web.conftest import CALLER, ENVIRONMENT
from tests.web.fake_app import fake_app
from yunliao import first_start
from yunliao.errors import Misconfigured, StoreUnavailable
from yunliao.factory import shut_down
from yunliao.first_start import Starting
from yunliao.settings import VARIABLES, Settings, SettingsError
from yunliao.settings_guide import MEANINGS_ZH, explain

GOOD = {**ENVIRONMENT, "YUNLIAO_STORE_URL": "sqlite:///nowhere/never.db"}
ALLOWED = {
    "X-Yunliao-Secret": "a-secret-of-sixteen",
    "Authorization": "Bearer a-token-of-sixteen",
    **CALLER,
}


def never(settings: Settings) -> FakeServices:
    raise AssertionError("nothing may be built")


def every_route() -> list[tuple[str, str]]:
    app, _ = fake_app()
    return [
        (method, re.sub(r"<[^>]+>", "some_id", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD"})
    ]


def test_without_any_setting_it_is_alive_and_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    client = Starting({}, never).app.test_client()  # type: ignore[arg-type]
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert answer.status_code == 503
    told = answer.get_json()
    assert told["ready"] is False
    missing = {one["name"]: one for one in told["settings"]}
    assert {"YUNLIAO_RELAY_URL", "YUNLIAO_MODEL", "YUNLIAO_STORE_URL", "YUNLIAO_MASTER_KEYS"} <= set(missing)
    for one in missing.values():
        assert one["state"] == "missing" and one["meaning"] and one["meaning_zh"] and one["example"]
        assert one["problem_zh"] == "没有填写"
    assert "服务设置 → 环境变量" in told["where_zh"] and "环境变量" in told["where"]
    assert "YUNLIAO_MASTER_KEYS is missing" in capsys.readouterr().err  # a developer sees it in the terminal


def test_meanwhile_no_route_of_any_plane_works() -> None:
    client = Starting({"YUNLIAO_APPIDS": "wxallowed1"}, never).app.test_client()  # type: ignore[arg-type]
    for method, path in [*every_route(), ("GET", "/nothing"), ("POST", "/healthz"), ("FOO", "/v1/me")]:
        if method == "GET" and path in ("/healthz", "/readyz"):
            continue
        answer = client.open(path, method=method, headers=ALLOWED, json={})
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (503, "misconfigured"), path
        assert answer.headers["X-Request-Id"] and answer.headers["Cache-Control"] == "no-store"


def test_the_mini_program_gets_words_for_its_page() -> None:
    client = Starting({}, never).app.test_client()  # type: ignore[arg-type]
    answer = client.get("/v1/config", headers={**CALLER, "X-Client": "miniprogram"})
    error = answer.get_json()["error"]
    assert (answer.status_code, error["status"], error["retryable"]) == (200, 503, False)
    for name in ("YUNLIAO_RELAY_URL", "YUNLIAO_MASTER_KEYS", "YUNLIAO_STORE_URL"):
        assert name in error["message"] and name in error["message_en"]
    assert "服务设置 → 环境变量" in error["message"]


def test_a_value_is_never_told() -> None:
    canary = "canary-of-a-secret"
    wrong = {variable.name: canary for variable in VARIABLES} | {"YUNLIAO_NONSENSE": canary}
    client = Starting(wrong, never).app.test_client()  # type: ignore[arg-type]
    for path in ("/readyz", "/v1/me"):
        assert canary not in client.get(path, headers=CALLER).get_data(as_text=True)
    states = {one["name"]: one["state"] for one in client.get("/readyz").get_json()["settings"]}
    assert states["YUNLIAO_MASTER_KEYS"] == "wrong" and states["YUNLIAO_NONSENSE"] == "unknown"


def test_every_kind_of_mistake_has_chinese_words() -> None:
    key = base64.b64encode(bytes(range(32))).decode()
    cases = [
        {"YUNLIAO_RELAY_URL": "ftp://x"}, {"YUNLIAO_RELAY_URL": "http://a:b@x"}, {"YUNLIAO_STORE_URL": "mongodb://"},
        {"YUNLIAO_STORE_URL": "redis://x"}, {"YUNLIAO_TRIAL_STORE": "off"}, {"YUNLIAO_MASTER_KEYS": "nosign"},
        {"YUNLIAO_MASTER_KEYS": "k:***"}, {"YUNLIAO_MASTER_KEYS": "k:AAAA"}, {"YUNLIAO_MASTER_KEYS": f"k:{key},k:{key}"},
        {"YUNLIAO_MASTER_KEYS": "k:" + base64.b64encode(bytes(32)).decode()}, {"YUNLIAO_APPIDS": "wx 1"},
        {"YUNLIAO_APPIDS": ""}, {"YUNLIAO_RATE_LIMIT": "many"}, {"YUNLIAO_MODELS": "a b"}, {"YUNLIAO_MAX_LIVE": "0"},
        {"YUNLIAO_LEASE_SECONDS": "x"}, {"YUNLIAO_LEASE_SECONDS": "900"}, {"YUNLIAO_TRIAL_STORE": "yes"},
        {"YUNLIAO_ENV": "staging"}, {"YUNLIAO_JOBS_SECRET": "short"}, {"YUNLIAO_AI_LABEL": "nothing"},
        {"YUNLIAO_RELAY_KEY": "密钥"}, {"YUNLIAO_NAME": "x" * 41}, {"YUNLIAO_IMAGE_HOSTS": "a b"},
        {"YUNLIAO_MODELS": "other=其他"}, {"YUNLIAO_ANSWER_TOKENS": "9000"}, {"YUNLIAO_MODLE": "x"}, {"YUNLIAO_HUMAN_WORDS": "x" * 21}, {"YUNLIAO_PUSH_AES_KEY": "short"},
    ]  # fmt: skip
    for case in cases:
        with pytest.raises(SettingsError) as wrong:
            Settings.from_env({**GOOD, **case})
        for mistake in explain(wrong.value.problems):
            assert mistake.problem_zh != "填写有误", (case, mistake.problem)
            assert re.search("[一-鿿]", mistake.line_zh)


def test_the_chinese_meanings_are_of_settings_that_exist() -> None:
    assert set(MEANINGS_ZH) <= {variable.name for variable in VARIABLES}


def test_wrong_master_keys_let_nobody_in(tmp_path: Path) -> None:
    environ = {**ENVIRONMENT, "YUNLIAO_STORE_URL": f"sqlite:///{tmp_path}/y.db"}
    first = Starting(environ)
    assert first.ready
    first.app.extensions["yunliao"].close()
    other = "k1:" + base64.b64encode(bytes(range(1, 33))).decode()
    starting = Starting({**environ, "YUNLIAO_MASTER_KEYS": other})
    client = starting.app.test_client()
    assert not starting.ready
    assert client.get("/v1/me", headers=CALLER).get_json()["error"]["code"] == "misconfigured"
    assert "YUNLIAO_MASTER_KEYS" in client.get("/v1/me", headers=CALLER).get_json()["error"]["message"]
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
    assert other not in client.get("/readyz").get_data(as_text=True)


@pytest.mark.parametrize(
    ("detail", "name"),
    [
        ("YUNLIAO_MASTER_KEYS lacks the key 'k9' that the store was written with: add it", "YUNLIAO_MASTER_KEYS"),
        ("'k1' in YUNLIAO_MASTER_KEYS is not what the store was written with", "YUNLIAO_MASTER_KEYS"),
        ("YUNLIAO_STORE_URL is a single MongoDB server: transactions need a replica set", "YUNLIAO_STORE_URL"),
        ("YUNLIAO_STORE_URL is no MongoDB address (InvalidURI)", "YUNLIAO_STORE_URL"),
        ("the key store is not the one …: set YUNLIAO_KEYS_URL as it was", "YUNLIAO_KEYS_URL"),
        ("the word list /canary/words.txt cannot be read as UTF-8 text (OSError)", "YUNLIAO_WORDS_FILE"),
        ("/canary/agreement.md in YUNLIAO_TEXTS_DIR cannot be read as UTF-8", "YUNLIAO_TEXTS_DIR"),
        ("something /canary/ else", ""),
    ],
)
def test_what_shows_only_when_things_are_opened_is_named_too(detail: str, name: str) -> None:
    def build(settings: Settings) -> FakeServices:
        raise Misconfigured(detail)

    client = Starting(GOOD, build).app.test_client()  # type: ignore[arg-type]
    told = client.get("/readyz").get_json()
    assert [one["name"] for one in told["settings"]] == ([name] if name else [])
    error = client.get("/v1/me", headers=CALLER).get_json()["error"]
    assert error["code"] == "misconfigured"
    assert name in error["message"] and name in error["message_en"]
    assert "canary" not in json.dumps(told) + json.dumps(error)


def test_an_unreachable_store_heals_without_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_start, "AGAIN_SECONDS", 0.0)
    away, made = threading.Event(), []
    away.set()

    def build(settings: Settings) -> FakeServices:
        if away.is_set():
            raise StoreUnavailable("mongodb: no answer")
        made.append(FakeServices(settings))
        return made[-1]

    starting = Starting(GOOD, build)  # type: ignore[arg-type]
    client = starting.app.test_client()
    answer = client.get("/v1/models", headers=CALLER)
    error = answer.get_json()["error"]
    assert (answer.status_code, error["code"], error["retryable"]) == (503, "store_unavailable", True)
    assert int(answer.headers["Retry-After"]) > 0
    told = client.get("/readyz").get_json()
    assert [(check["name"], check["ok"]) for check in told["checks"]] == [("store", False)]
    away.clear()
    assert client.get("/readyz").status_code == 200
    assert starting.ready and len(made) == 1
    assert client.post("/v1/tickets", headers=CALLER, json={}).status_code == 201
    shut_down(starting.app)
    assert made[0].closed == 1


def test_what_is_made_after_the_end_is_released(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_start, "AGAIN_SECONDS", 0.0)
    services = []
    fails = [StoreUnavailable(), Misconfigured()]

    def build(settings: Settings) -> FakeServices:
        if fails:
            raise fails.pop()
        starting.close()
        services.append(FakeServices(settings))
        return services[-1]

    starting = Starting(GOOD, build)  # type: ignore[arg-type]
    client = starting.app.test_client()
    for _ in range(3):
        assert client.get("/readyz").status_code == 503
    assert [one.closed for one in services] == [1]
    assert not starting.ready


def test_the_report_is_json_for_tools() -> None:
    starting = Starting({}, never)  # type: ignore[arg-type]
    assert set(json.loads(starting.app.test_client().get("/readyz").data)) == {
        "ready", "checks", "settings", "where", "where_zh", "then", "then_zh"
    }  # fmt: skip
