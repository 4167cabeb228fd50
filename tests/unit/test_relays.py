"""`YUNLIAO_RELAYS`: what it may say, and mistakes told by the place of their field, never by a value."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.test_settings import GOOD
from yunliao.adapters.clock import SystemClock
from yunliao.adapters.metrics import PrometheusMetrics
from yunliao.adapters.relay.assembly import build_moderator, build_pool
from yunliao.relays import RelaySpec
from yunliao.settings import Settings, SettingsError

SECRET = "sk-canary-7731"
ONE: dict[str, Any] = {
    "name": "main",
    "url": "https://api.example.com/v1",
    "key": SECRET,
    "models": {"fast": {"model": "vendor/fast-1", "name": "快速"}, "deep": "vendor/deep-2"},
}
TWO: dict[str, Any] = {
    "name": "spare",
    "url": "https://spare.example.com/openai/deployments/d?api-version=2024-10-21",
    "key_env": "SPARE_KEY",
    "models": {"fast": "fast-spare"},
    "priority": 2,
    "weight": 0.5,
    "max_live": 20,
    "timeouts": {"connect": 2, "first_byte": 15},
    "domestic": True,
    "moderation": True,
}
BASE = {name: value for name, value in GOOD.items() if name not in ("YUNLIAO_RELAY_URL", "YUNLIAO_MODEL")}


def settings(*relays: Any, **more: str) -> Settings:
    return Settings.from_env({**BASE, "YUNLIAO_RELAYS": json.dumps(list(relays)), "SPARE_KEY": SECRET, **more})


def wrong(value: Any, **more: str) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({**BASE, "YUNLIAO_RELAYS": text, **more})
    said = str(caught.value)
    assert SECRET not in said and "canary" not in said
    assert "Example: " in said
    return said


def test_two_upstreams_and_the_models_of_both() -> None:
    made = settings(ONE, TWO)
    assert made.model == "fast"
    assert [(model.id, model.name, model.domestic) for model in made.models] == [
        ("fast", "快速", False),
        ("deep", "deep", False),
    ]
    assert [relay.key for relay in made.relays] == [SECRET, SECRET]


def test_a_model_is_domestic_when_all_who_serve_it_are() -> None:
    home = {**ONE, "domestic": True}
    assert [model.domestic for model in settings(home, TWO).models] == [True, True]
    assert [model.domestic for model in settings(home, {**TWO, "domestic": False}).models] == [False, True]


def test_the_simple_way_is_a_pool_of_one() -> None:
    made = Settings.from_env({**GOOD, "YUNLIAO_MODELS": "demo=演示,other", "YUNLIAO_RELAY_DOMESTIC": "on"})
    (relay,) = made.relays
    assert (relay.name, relay.url, relay.models) == (
        "relay",
        "http://127.0.0.1:9000/v1",
        {"demo": "demo", "other": "other"},
    )
    assert [(model.id, model.name, model.domestic) for model in made.models] == [
        ("demo", "演示", True),
        ("other", "other", True),
    ]


@pytest.mark.parametrize(
    "text", [json.dumps([ONE]), json.dumps({"relays": [ONE]}), "\n " + json.dumps([ONE], indent=2)]
)
def test_json_or_the_path_of_a_file(text: str, tmp_path: Path) -> None:
    path = tmp_path / "relays.json"
    path.write_text("\ufeff" + text, encoding="utf-8")
    for value in (text, str(path)):
        assert Settings.from_env({**BASE, "YUNLIAO_RELAYS": value}).relays[0].name == "main"


def test_the_default_and_the_choice_may_still_be_named() -> None:
    made = settings(ONE, TWO, YUNLIAO_MODEL="deep", YUNLIAO_MODELS="deep=深思,fast")
    assert (made.model, [model.name for model in made.models]) == ("deep", ["深思", "fast"])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "Has Space canary"}, "[0].name"),
        ({"url": "ftp://canary"}, "[0].url"),
        ({"url": "https://user:canary@host/v1"}, "[0].url: must not hold a user"),
        ({"key": 7}, "[0].key"),
        ({"key": "线上canary"}, "[0].key"),
        ({"key": f"{SECRET}\r\nX: y"}, "[0].key"),
        ({"key_env": "SPARE_KEY"}, "key or key_env, not both"),
        ({"models": {}}, "[0].models"),
        ({"models": {"has space": "x"}}, "[0].models"),
        ({"models": {"fast": {"model": ""}}}, "[0].models"),
        ({"models": {"fast": {"model": "x", "title": "canary"}}}, "unknown field `title`"),
        ({"dialect": "canary"}, "[0].dialect"),
        ({"priority": 0}, "[0].priority"),
        ({"weight": 0}, "[0].weight"),
        ({"weight": "canary"}, "[0].weight"),
        ({"max_live": -1}, "[0].max_live"),
        ({"timeouts": {"connect": 0}}, "[0].timeouts.connect"),
        ({"timeouts": {"canary": 1}}, "timeouts"),
        ({"moderation": "canary"}, "[0].moderation"),
        ({"keyy": SECRET}, "unknown field `keyy`"),
        ({SECRET: True}, "an unknown field"),
    ],
)
def test_a_mistake_names_its_field_and_no_value(change: dict[str, Any], told: str) -> None:
    # Field names that look like one are repeated, since that is what helps.
    said = wrong([{**ONE, **change}]) if "canary" not in str(change.get("timeouts", "")) else wrong_timeouts(change)
    assert said.startswith("YUNLIAO_RELAYS ") and told in said


def wrong_timeouts(change: dict[str, Any]) -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({**BASE, "YUNLIAO_RELAYS": json.dumps([{**ONE, **change}])})
    assert SECRET not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("[" + json.dumps(ONE), "not valid JSON"),
        ('[{"key": "sk-canary-7731", }]', "not valid JSON"),
        ("[]", "1 to 20"),
        ([ONE] * 2, "same name"),
        ([{**ONE, "name": f"n{n}"} for n in range(21)], "1 to 20"),
        ("/no/such/canary.json", "neither JSON"),
        (f"\x00{SECRET}", "neither JSON"),
        ([TWO], "[0].key_env an environment variable that is not set"),
        ({"relay": [ONE]}, "unknown field `relay`"),
        ("[1]", "[0]"),
    ],
)
def test_mistakes_of_the_whole(value: Any, told: str) -> None:
    assert told in wrong(value)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "relays.yaml"
    path.write_text(f"key: {SECRET}\n")
    assert "does not start with" in wrong(str(path))


def test_how_it_goes_with_the_other_settings() -> None:
    assert "exclude each other" in wrong([ONE], YUNLIAO_RELAY_URL="https://a.example/v1")
    assert "YUNLIAO_MODEL is a model that no upstream" in wrong([ONE], YUNLIAO_MODEL="gone")
    assert "YUNLIAO_MODELS lists a model" in wrong([ONE], YUNLIAO_MODELS="gone=x")
    assert "YUNLIAO_RELAY_URL is missing" in problems({})
    # The variable a key is read from may be called like one of ours.
    assert settings({**TWO, "key_env": "YUNLIAO_KEY_OF_SPARE"}, YUNLIAO_KEY_OF_SPARE=SECRET).relays[0].key == SECRET


def problems(more: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({**BASE, **more})
    return str(caught.value)


def test_no_key_is_in_any_repr() -> None:
    made = settings(ONE, TWO)
    pool = build_pool(made, SystemClock(), PrometheusMetrics())
    for shown in (
        repr(made),
        str(made),
        repr(made.relays),
        repr(pool),
        repr(pool.upstreams[0].relay),
        str(made.relays[0]),
    ):
        assert SECRET not in shown


def test_what_is_built_from_it() -> None:
    pool = build_pool(settings(ONE, TWO, YUNLIAO_RELAY_HEDGE_SECONDS="8"), SystemClock(), PrometheusMetrics())
    main, spare = pool.upstreams
    assert (main.models, spare.models) == ({"fast", "deep"}, {"fast"})
    assert (spare.priority, spare.weight, spare.max_live) == (2, 0.5, 20)
    assert (spare.relay.limits.connect, spare.relay.limits.first_byte, spare.relay.limits.silence) == (2, 15, 30)
    assert (main.relay.dialect.name, spare.relay.dialect.name) == ("openai", "azure")
    assert (pool.policy.first_byte, pool.policy.hedge_after) == (60, 8)


def test_moderation_is_a_layer_where_an_upstream_has_it() -> None:
    clock, metrics = SystemClock(), PrometheusMetrics()
    assert build_moderator(settings(ONE, TWO).relays, clock, metrics) is not None
    assert build_moderator(settings(ONE).relays, clock, metrics) is None
    simple = Settings.from_env({**GOOD, "YUNLIAO_RELAY_MODERATION": "on"})
    assert build_moderator(simple.relays, clock, metrics) is not None


def test_every_field_is_documented() -> None:
    for page in ("docs/relays.md", "docs/relays.zh-CN.md"):
        text = (Path(__file__).resolve().parents[2] / page).read_text(encoding="utf-8")
        for name in RelaySpec.__struct_fields__:
            assert f"| `{name}` |" in text, (page, name)
