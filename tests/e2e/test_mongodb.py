"""The real container on a real MongoDB: any instance serves any cursor, trouble of the store loses nothing that was
accepted, people are told in so many words, and everything heals without a restart of ours."""

import http.client
import json
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudrun.local import LocalCloudRun
from mongod import ReplicaSet
from tests.e2e.phone import LIMIT, Phone, Platform, Refused, end_of, text_of
from tests.e2e.test_main_job import ANSWER
from tests.fakes.tcp_proxy import TcpProxy

SETTINGS = {
    "YUNLIAO_RATE_LIMIT": "1000/minute",
    "YUNLIAO_LEASE_SECONDS": "2",
    "YUNLIAO_GRACE_SECONDS": "5",
}
LONG = ANSWER * 4
PACE = 150
"""Characters a second: an answer of some six seconds, long enough for anything to happen in its middle."""


@pytest.fixture(scope="module")
def replica_set(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicaSet]:
    with ReplicaSet(tmp_path_factory.mktemp("mongod")) as running:
        yield running


@pytest.fixture(scope="module")
def network(replica_set: ReplicaSet) -> Iterator[TcpProxy]:
    """The way from the containers to the store."""
    with TcpProxy(replica_set.members[0].port) as running:
        yield running


@pytest.fixture(scope="module")
def running(network: TcpProxy) -> Iterator[LocalCloudRun]:
    address = f"mongodb://127.0.0.1:{network.port}/yunliao?directConnection=true"
    with LocalCloudRun(instances=2, env=SETTINGS, store_url=address) as cloud:
        yield cloud


@pytest.fixture
def cloud(running: LocalCloudRun, network: TcpProxy, replica_set: ReplicaSet) -> Iterator[LocalCloudRun]:
    network.weather = "fair"
    running.reset()
    running.relay(first_token_ms=0, tokens_per_second=0)
    yield running
    network.weather, network.delay = "fair", 0.0
    if replica_set.members[0].process is None:
        replica_set.members[0].start()
    until(lambda: all(status == 200 for status, _ in readiness(running)))


@pytest.fixture
def phone(cloud: LocalCloudRun) -> Phone:
    return Phone(cloud.url, f"user-{uuid.uuid4().hex[:8]}")


def until(there: Callable[[], bool], limit: float = LIMIT) -> None:
    deadline = time.monotonic() + limit
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def readiness(cloud: LocalCloudRun) -> list[tuple[int, dict[str, Any]]]:
    """What /readyz says on each instance."""
    said = []
    for instance in cloud.state()["instances"]:
        connection = http.client.HTTPConnection(instance["url"].removeprefix("http://"), timeout=LIMIT)
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            said.append((answer.status, json.loads(answer.read())))
        finally:
            connection.close()
    return said


def send_until_accepted(phone: Phone, body: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Send the same message again as the mini-program does, until it is taken; with the errors seen on the way."""
    errors: list[str] = []
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            return phone.call("POST", "/v1/turns", body), errors
        except Refused as refused:
            errors.append(refused.code)
            assert refused.error["retryable"]
            assert refused.error["message"]
        except (Platform, ConnectionError):
            errors.append("platform")
        assert time.monotonic() < deadline
        time.sleep(0.2)


def look(phone: Phone, path: str) -> Any:
    """GET, again as the mini-program does while an instance is still coming back."""
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            return phone.call("GET", path)
        except Refused as refused:
            assert refused.error["retryable"] and time.monotonic() < deadline
            time.sleep(0.2)


def until_end(phone: Phone, turn: str) -> list[dict[str, Any]]:
    """All events to the end, over whatever trouble."""
    events: list[dict[str, Any]] = []
    deadline = time.monotonic() + 2 * LIMIT
    while not events or events[-1]["type"] != "end":
        assert time.monotonic() < deadline
        try:
            events += phone.poll(turn, events[-1]["seq"] if events else 0)["events"]
        except (Refused, Platform, ConnectionError):
            time.sleep(0.2)
    return events


def fall(how: str, network: TcpProxy, replica_set: ReplicaSet) -> Callable[[], None]:
    """Take the store away; the answer brings it back."""
    if how == "killed":
        replica_set.members[0].kill()
        return replica_set.members[0].start
    if how == "frozen":
        replica_set.members[0].freeze(True)
        return lambda: replica_set.members[0].freeze(False)
    network.weather = "cut" if how == "cut" else "held"
    return lambda: setattr(network, "weather", "fair")


def test_every_instance_serves_every_cursor(cloud: LocalCloudRun, phone: Phone) -> None:
    cloud.relay(answer=LONG, tokens_per_second=PACE)
    turn = phone.send("轮流听")["turn"]["id"]
    events = until_end(phone, turn)  # the gateway sends each look to another instance
    assert end_of(events)["reason"] == "complete", end_of(events)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert text_of(events) == LONG
    assert until_end(phone, turn) == events


@pytest.mark.parametrize("how", ["killed", "cut", "held", "frozen"])
def test_the_store_goes_and_comes_back_in_mid_answer(
    cloud: LocalCloudRun, phone: Phone, network: TcpProxy, replica_set: ReplicaSet, how: str
) -> None:
    cloud.relay(answer=LONG, tokens_per_second=PACE)
    other = Phone(cloud.url, f"other-{how}")
    turn = phone.send("听到一半没有存储")["turn"]["id"]
    until(lambda: any(event["type"] == "text" for event in phone.poll(turn)["events"]))
    restore = fall(how, network, replica_set)
    try:
        until(lambda: all(status == 503 for status, _ in readiness(cloud)))
        for _, said in readiness(cloud):
            (check,) = [one for one in said["checks"] if one["name"] == "store"]
            assert not check["ok"]
            assert "127.0.0.1" not in json.dumps(said)
        body = {"client_id": uuid.uuid4().hex, "text": "存储不在的时候"}
        with pytest.raises(Refused) as refused:
            other.call("POST", "/v1/turns", body)
        assert (refused.value.code, refused.value.status) == ("store_unavailable", 503)
        assert refused.value.error["retryable"]
        time.sleep(10 if how == "held" else 0)  # the cut of ten seconds: longer than every lease
    finally:
        restore()
    until(lambda: all(status == 200 for status, _ in readiness(cloud)))
    events = until_end(phone, turn)
    assert end_of(events)["reason"] == "complete", end_of(events)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert text_of(events) == LONG
    # The relay was asked once: no lease was taken from an owner that lived and only could not reach the store.
    assert cloud.relay_requests()["total"] == 1
    (question, answer) = look(phone, f"/v1/conversations/{events[0]['conversation_id']}/messages")["messages"]
    assert (question["text"], answer["text"]) == ("听到一半没有存储", LONG)
    # What was refused meanwhile goes through when it is sent again, once.
    cloud.relay(answer=ANSWER, tokens_per_second=0)
    accepted, _ = send_until_accepted(other, body)
    assert end_of(until_end(other, accepted["turn"]["id"]))["reason"] == "complete"
    assert len(look(other, "/v1/conversations")["conversations"]) == 1


def test_a_send_whose_answer_was_lost_is_one_turn(cloud: LocalCloudRun, phone: Phone, network: TcpProxy) -> None:
    """The store takes the message and dies before it can say so: sent again, it is the same turn, and it is answered."""
    phone.call("GET", "/v1/me")
    network.weather = "deaf"
    body = {"client_id": uuid.uuid4().hex, "text": "有没有收到"}
    with pytest.raises(Refused) as refused:
        phone.call("POST", "/v1/turns", body)
    assert refused.value.code == "store_unavailable"
    network.weather = "fair"
    accepted, _ = send_until_accepted(phone, body)
    assert end_of(until_end(phone, accepted["turn"]["id"]))["reason"] == "complete"
    (conversation,) = look(phone, "/v1/conversations")["conversations"]
    messages = look(phone, f"/v1/conversations/{conversation['id']}/messages")["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant"]


def test_a_slow_store_makes_answers_late_and_not_wrong(cloud: LocalCloudRun, phone: Phone, network: TcpProxy) -> None:
    network.delay = 0.15
    cloud.relay(answer=LONG, tokens_per_second=PACE)
    events = until_end(
        phone, send_until_accepted(phone, {"client_id": uuid.uuid4().hex, "text": "慢"})[0]["turn"]["id"]
    )
    assert (end_of(events)["reason"], text_of(events)) == ("complete", LONG)
    assert cloud.relay_requests()["total"] == 1
    assert all(status == 200 for status, _ in readiness(cloud))


def test_a_store_slower_than_any_limit_is_told_and_recovers(
    cloud: LocalCloudRun, phone: Phone, network: TcpProxy
) -> None:
    cloud.relay(answer=LONG, tokens_per_second=PACE)
    turn = phone.send("越来越慢")["turn"]["id"]
    until(lambda: any(event["type"] == "text" for event in phone.poll(turn)["events"]))
    network.delay = 20.0
    with pytest.raises(Refused) as refused:
        Phone(cloud.url, "slow-other").send("有人吗")
    assert (refused.value.code, refused.value.error["retryable"]) == ("store_unavailable", True)
    until(lambda: all(status == 503 for status, _ in readiness(cloud)))
    network.delay, network.weather = 0.0, "cut"  # what is on its way is lost with its connections
    network.weather = "fair"
    events = until_end(phone, turn)
    assert (end_of(events)["reason"], text_of(events)) == ("complete", LONG)
    assert cloud.relay_requests()["total"] == 1


def test_a_primary_steps_down_in_mid_answer(tmp_path: Path) -> None:
    with (
        ReplicaSet(tmp_path / "set", members=3) as three,
        LocalCloudRun(instances=2, env=SETTINGS, store_url=three.url()) as cloud,
    ):
        phone = Phone(cloud.url, "stepdown")
        cloud.relay(answer=LONG, first_token_ms=0, tokens_per_second=PACE)
        first = phone.send("换主节点")["turn"]["id"]
        until(lambda: any(event["type"] == "text" for event in phone.poll(first)["events"]))
        before = three.primary().address
        three.step_down()
        others = [Phone(cloud.url, f"stepdown-{number}") for number in range(5)]
        sent = [send_until_accepted(one, {"client_id": uuid.uuid4().hex, "text": "换的时候"})[0] for one in others]
        for one, turn in [(phone, first), *((one, body["turn"]["id"]) for one, body in zip(others, sent, strict=True))]:
            events = until_end(one, turn)
            assert end_of(events)["reason"] == "complete", end_of(events)
            assert text_of(events) == LONG
        assert three.primary().address != before
        cloud.relay(answer=ANSWER, tokens_per_second=0)
        three.primary().kill()
        accepted, _ = send_until_accepted(phone, {"client_id": uuid.uuid4().hex, "text": "主节点死了"})
        assert end_of(until_end(phone, accepted["turn"]["id"]))["reason"] == "complete"
        until(lambda: all(status == 200 for status, _ in readiness(cloud)))
