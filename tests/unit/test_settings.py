"""Settings: every mistake is named with an example, no value is ever repeated, secrets never print."""

import base64
import os
from typing import Any

import pytest

from yunliao.settings import SECRETS, VARIABLES, Settings, SettingsError

KEY = base64.b64encode(bytes(range(32))).decode()
GOOD = {
    "YUNLIAO_ENV": "development",
    "YUNLIAO_RELAY_URL": "http://127.0.0.1:9000/v1/",
    "YUNLIAO_MODEL": "demo",
    "YUNLIAO_STORE_URL": "sqlite:///data/yunliao.db",
    "YUNLIAO_MASTER_KEYS": f"k1:{KEY}",
}


def problems(**changes: str) -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({**GOOD, **changes})
    return str(caught.value)


def test_good_settings_have_defaults_and_are_frozen() -> None:
    settings = Settings.from_env(GOOD)
    assert settings.relay_url == "http://127.0.0.1:9000/v1"
    assert (settings.rate_limit.count, settings.rate_limit.window_ms) == (5, 60_000)
    assert settings.wechat_api_url == "http://api.weixin.qq.com"
    assert [model.id for model in settings.models] == ["demo"]
    with pytest.raises(AttributeError):
        settings.port = 1  # type: ignore[misc]


def test_all_missing_variables_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({})
    for name in ("YUNLIAO_RELAY_URL", "YUNLIAO_MODEL", "YUNLIAO_STORE_URL", "YUNLIAO_MASTER_KEYS"):
        assert any(problem.startswith(name) and "Example: " in problem for problem in caught.value.problems)


CANARY = "canary-7731"


@pytest.mark.parametrize(
    "name",
    [variable.name for variable in VARIABLES if variable.name not in (
        "YUNLIAO_RELAY_KEY", "YUNLIAO_MODEL", "YUNLIAO_SYSTEM_PROMPT", "YUNLIAO_WORDS_FILE", "YUNLIAO_JOBS_SECRET",
        "YUNLIAO_METRICS_TOKEN", "YUNLIAO_FUNCTION_SECRET", "YUNLIAO_PUSH_TOKEN", "YUNLIAO_NAME", "YUNLIAO_PROVIDER", "YUNLIAO_FILING", "YUNLIAO_CONTACT", "CBR_ENV_ID",
    )],
)  # fmt: skip
def test_a_wrong_value_names_the_variable_and_an_example_but_not_the_value(name: str) -> None:
    said = problems(**{name: f"!! {CANARY} \x7f"})
    assert said.startswith(f"{name} ")
    assert "Example: " in said
    assert CANARY not in said


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"YUNLIAO_MASTER_KEYS": "k1:" + base64.b64encode(b"short").decode()}, "32 are needed"),
        ({"YUNLIAO_MASTER_KEYS": "k1:" + base64.b64encode(b"\0" * 32).decode()}, "not random"),
        ({"YUNLIAO_MASTER_KEYS": f"k1:{KEY},k1:{KEY}"}, "same id"),
        ({"YUNLIAO_STORE_URL": "mysql://x"}, "sqlite:///path"),
        ({"YUNLIAO_STORE_URL": "sqlite:///"}, "sqlite:///path"),
        ({"YUNLIAO_STORE_URL": "mongodb://"}, "names no server"),
        ({"YUNLIAO_STORE_URL": "mongodb://user:p/ss@host/db"}, "names no server"),
        ({"YUNLIAO_STORE_URL": "mongodb+srv:///db"}, "names no server"),
        ({"YUNLIAO_STORE_URL": "mongodb:host"}, "mongodb://"),
        ({"YUNLIAO_JOBS_SECRET": "short"}, "16 characters"),
        ({"YUNLIAO_AI_LABEL": "机器写的"}, "人工智能"),
        ({"YUNLIAO_RATE_LIMIT": "0/minute"}, "count per time"),
        ({"YUNLIAO_MODELS": "other=别的"}, "YUNLIAO_MODEL"),
        ({"YUNLIAO_ANSWER_TOKENS": "9000"}, "half"),
        ({"YUNLIAO_RELAY_URLS": "x"}, "not a setting"),
        ({"YUNLIAO_ENV": "production"}, "YUNLIAO_APPIDS"),
        ({"YUNLIAO_ENV": "production", "YUNLIAO_APPIDS": "wx1"}, "YUNLIAO_TRIAL_STORE=on"),
    ],
)
def test_mistakes_are_explained(changes: dict[str, str], told: str) -> None:
    assert told in problems(**changes)


def test_a_production_trial_says_so_in_so_many_words() -> None:
    settings = Settings.from_env(
        {**GOOD, "YUNLIAO_ENV": "production", "YUNLIAO_APPIDS": "wx1,wx2", "YUNLIAO_TRIAL_STORE": "on"}
    )
    assert settings.appids == {"wx1", "wx2"}


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://127.0.0.1/yunliao",
        "mongodb://10.0.0.2:27017,10.0.0.3:27017/yunliao?replicaSet=rs0",
        "mongodb://user:p%40ss@[::1]:27017/?replicaSet=rs0",
        "mongodb+srv://user:password@cluster.example.com",
    ],
)
def test_production_runs_on_mongodb_without_further_words(url: str) -> None:
    settings = Settings.from_env(
        {**GOOD, "YUNLIAO_ENV": "production", "YUNLIAO_APPIDS": "wx1", "YUNLIAO_STORE_URL": url}
    )
    assert settings.store_url == url
    assert not settings.trial_store
    assert url not in repr(settings)


def test_secrets_are_never_printed() -> None:
    secret = "sk-canary-very-secret-1"
    settings = Settings.from_env(
        {**GOOD, "YUNLIAO_RELAY_KEY": secret, "YUNLIAO_JOBS_SECRET": secret, "YUNLIAO_METRICS_TOKEN": secret}
    )
    shown = f"{settings!r} {settings}"
    assert secret not in shown
    assert KEY not in shown
    assert repr(bytes(range(32))) not in shown
    assert all(f"{name}=***" in shown for name in SECRETS)


def test_other_variables_of_the_machine_do_not_matter() -> None:
    machine: dict[str, Any] = {name: value for name, value in os.environ.items() if not name.startswith("YUNLIAO_")}
    machine.pop("PORT", None)
    assert Settings.from_env({**machine, **GOOD}).port == 80
