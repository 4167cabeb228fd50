"""Two upstreams behind the real container: whatever one of them does, people see one whole and true answer."""

import http.client
import itertools
import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from cloudrun.local import LocalCloudRun
from tests.e2e.conftest import SETTINGS
from tests.e2e.phone import Phone, end_of, text_of
from tests.e2e.test_main_job import wait_for

ANSWER = "".join(f"第{n}条：事情{n}已经记下，{n * 37}号柜子里有{n + 5}本书。" for n in range(1, 21)) + "说完了。"
METRICS_TOKEN = "token-of-the-metrics-1"
ENV = {**SETTINGS, "YUNLIAO_METRICS_TOKEN": METRICS_TOKEN}
MODELS = {"demo-chat": {"model": "demo-chat", "name": "快速"}, "demo-deep": "demo-reasoner"}
_users = itertools.count(1)


@pytest.fixture(scope="module")
def two() -> Iterator[LocalCloudRun]:
    relays = [{"models": MODELS, "domestic": True}, {"models": {"demo-chat": "demo-chat"}, "domestic": False}]
    with LocalCloudRun(relays=relays, env=ENV) as cloud:
        yield cloud


@pytest.fixture
def cloud(two: LocalCloudRun) -> Iterator[LocalCloudRun]:
    """Both upstreams at rest and in order: the first one answers, and nothing is held against it."""
    two.reset()
    for number in (1, 2):
        two.relay(number, first_token_ms=0, tokens_per_second=0)

    def in_order() -> bool:
        before = two.relay_requests(1)["total"]
        Phone(two.url, f"before-{next(_users)}").ask("先问一句")
        return two.relay_requests(1)["total"] > before and two.relay_requests(2)["total"] == 0

    if not in_order():  # it rests, after what the tests before did to it: a fresh instance holds nothing against it
        two.tell(1, "restart")
        two.control("relay2/forget", {})
        assert in_order(), scrape(two)
    for number, name in ((1, "relay"), (2, "relay2")):
        two.control(f"{name}/forget", {})
        two.relay(number, answer=ANSWER)
    yield two
    two.reset()


@pytest.fixture
def phone(cloud: LocalCloudRun) -> Phone:
    return Phone(cloud.url, f"pooled-{next(_users)}")


def asked(cloud: LocalCloudRun) -> tuple[int, int]:
    """Generations of the two upstreams."""
    return cloud.relay_requests(1)["total"], cloud.relay_requests(2)["total"]


def whole(cloud: LocalCloudRun, phone: Phone) -> dict[str, Any]:
    """Ask; the answer must be whole in every view. Its end."""
    events = phone.ask("说说那些事")
    end = end_of(events)
    assert (end["reason"], text_of(events)) == ("complete", ANSWER)
    stored = phone.messages(events[0]["conversation_id"])
    assert [message["text"] for message in stored] == ["说说那些事", ANSWER]
    assert list(phone.sse(events[0]["turn_id"])) == events
    return end


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 429, "retry_after": 1},
        {"status": 401},
        {"refuse": True},
        {"hang": True},
        {"empty": "body"},
        {"empty": "stream"},
        {"error_after_chunks": 0},
        {"cut_at_percent": 0, "cut_how": "reset"},
        {"forged_done_after_chunks": 0},
    ],
)
def test_it_dies_before_the_first_text(cloud: LocalCloudRun, phone: Phone, fault: dict[str, Any]) -> None:
    cloud.relay(1, **fault)
    end = whole(cloud, phone)
    assert not end["usage"]["estimated"]
    assert asked(cloud)[1] == 1


@pytest.mark.parametrize("how", ["reset", "close", "end"])
@pytest.mark.parametrize("percent", [3, 50, 97])
def test_it_dies_in_mid_answer_and_the_other_starts_anew(
    cloud: LocalCloudRun, phone: Phone, percent: int, how: str
) -> None:
    cloud.relay(1, cut_at_percent=percent, cut_how=how)
    end = whole(cloud, phone)
    assert end["usage"]["estimated"]  # two generations, one of them without a word about its usage
    assert asked(cloud) == (1, 1)


@pytest.mark.parametrize(
    "fault", [{"error_after_chunks": 30}, {"malformed_after_chunks": 30}, {"forged_done_after_chunks": 30}, {"stall_after_chunks": 30}]
)  # fmt: skip
def test_it_fails_in_mid_answer_in_other_ways(cloud: LocalCloudRun, phone: Phone, fault: dict[str, Any]) -> None:
    cloud.relay(1, tokens_per_second=400, **fault)
    whole(cloud, phone)
    assert asked(cloud) == (1, 1)


@pytest.mark.parametrize("back", [0, 12, 60])
@pytest.mark.parametrize("before", ["", "好的，我继续：\n"])
def test_the_other_goes_on_exactly_or_repeats(cloud: LocalCloudRun, phone: Phone, back: int, before: str) -> None:
    cut = len(ANSWER) * 40 // 100
    cloud.relay(1, cut_at_percent=40, cut_how="end")
    cloud.relay(2, answer=before + ANSWER[cut - back :])
    whole(cloud, phone)
    assert asked(cloud) == (1, 1)


def test_the_other_refuses_to_go_on(cloud: LocalCloudRun, phone: Phone) -> None:
    cloud.relay(1, cut_at_percent=40, cut_how="end")
    cloud.relay(2, answer="抱歉，我无法继续之前的回答。请问有什么可以帮您？")
    events = phone.ask("说说那些事")
    end = end_of(events)
    assert (end["reason"], end["error"]["code"]) == ("failed", "relay_interrupted")
    assert text_of(events) == ANSWER[: len(ANSWER) * 40 // 100]
    assert phone.messages(events[0]["conversation_id"])[-1]["text"] == text_of(events)


def test_both_die_in_mid_answer(cloud: LocalCloudRun, phone: Phone) -> None:
    cloud.relay(1, cut_at_percent=40, cut_how="close")
    cloud.relay(2, cut_at_percent=70, cut_how="close")
    events = phone.ask("说说那些事")
    end = end_of(events)
    assert (end["reason"], end["error"]["code"]) == ("failed", "relay_interrupted")
    assert text_of(events) == ANSWER[: len(ANSWER) * 70 // 100]
    assert asked(cloud) == (1, 1)  # gone on with once, not again and again


def test_the_user_stops_the_continuation(cloud: LocalCloudRun, phone: Phone) -> None:
    cloud.relay(1, cut_at_percent=20, cut_how="close")
    cloud.relay(2, tokens_per_second=30, answer=ANSWER[len(ANSWER) // 5 :])
    turn = phone.send("说说那些事")["turn"]["id"]
    wait_for(lambda: cloud.relay_requests(2)["live"] == 1)
    phone.call("POST", f"/v1/turns/{turn}/stop", {})
    events = phone.until_end(turn)
    assert end_of(events)["reason"] == "stopped"
    assert ANSWER.startswith(text_of(events))
    wait_for(lambda: cloud.relay_requests(2)["live"] == 0)


def test_the_models_of_all_upstreams_are_offered(cloud: LocalCloudRun, phone: Phone) -> None:
    assert phone.call("GET", "/v1/models")["models"] == [
        # One of its upstreams is abroad.
        {"id": "demo-chat", "name": "快速", "default": True, "domestic": False, "overseas": False},
        {"id": "demo-deep", "name": "demo-deep", "default": False, "domestic": True, "overseas": False},
    ]
    cloud.relay(1, record_bodies=True)
    assert end_of(phone.ask("想一想", model="demo-deep"))["reason"] == "complete"
    assert cloud.relay_requests(1)["requests"][-1]["model"] == "demo-reasoner"


def scrape(cloud: LocalCloudRun) -> dict[str, float]:
    """The relay's numbers of the one instance."""
    where = cloud.state()["instances"][0]["url"] + "/metrics"
    order = urllib.request.Request(where, headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
    with urllib.request.urlopen(order, timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines) if name.startswith("yunliao_relay")}  # fmt: skip


def test_an_operator_sees_how_the_upstreams_do(cloud: LocalCloudRun, phone: Phone) -> None:
    before = scrape(cloud)
    cloud.relay(1, cut_at_percent=50)
    whole(cloud, phone)
    after = scrape(cloud)
    for name in (
        'yunliao_relay_attempts_total{outcome="failure",upstream="relay"}',
        'yunliao_relay_attempts_total{outcome="success",upstream="relay2"}',
        'yunliao_relay_continued_total{outcome="complete"}',
    ):
        assert after[name] == before.get(name, 0) + 1
    assert after['yunliao_relay_breaker{upstream="relay"}'] == 0
    log = wait_for(lambda: [line for line in cloud.log(1).splitlines() if '"upstream": "relay,relay2"' in line or '"upstream":"relay,relay2"' in line])  # fmt: skip
    assert ANSWER[:20] not in log[-1]


def test_readyz_counts_upstreams_and_names_none(cloud: LocalCloudRun) -> None:
    address = cloud.state()["instances"][0]["url"].removeprefix("http://")
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        connection.request("GET", "/readyz")
        checks = {check["name"]: check for check in json.loads(connection.getresponse().read())["checks"]}
    finally:
        connection.close()
    assert checks["relays"] == {"name": "relays", "ok": True, "detail": "2 of 2 upstreams in order"}


def test_a_slow_first_byte_is_hedged() -> None:
    with LocalCloudRun(relays=[{}, {}], env={**ENV, "YUNLIAO_RELAY_HEDGE_SECONDS": "0.5"}) as cloud:
        cloud.relay(1, hang=True)
        cloud.relay(2, first_token_ms=0, tokens_per_second=0, answer=ANSWER)
        whole(cloud, Phone(cloud.url, "in-a-hurry"))
        assert asked(cloud) == (1, 1)
        wait_for(lambda: cloud.relay_requests(1)["live"] == 0)  # the loser was closed
        assert scrape(cloud)['yunliao_relay_hedges_total{outcome="won"}'] == 1
