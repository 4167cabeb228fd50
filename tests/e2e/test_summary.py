"""Real turns over two real instances: the store's summary, the log lines' and the sum of both `/metrics` are the same
figures; and they survive the end of an instance, however it comes."""

import http.client
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cloudrun.local import LocalCloudRun
from mongod import ReplicaSet
from tests.docs.log_tables import PAGES, kind_of, lines
from tests.e2e.conftest import SETTINGS
from tests.e2e.phone import LIMIT, Phone, Refused, end_of
from tests.e2e.test_main_job import ANSWER, wait_for
from yunliao.bootstrap import store_at
from yunliao.domain.summary import span_view
from yunliao.domain.tally import OVER, Histogram, Kept, Tally, summed
from yunliao.services.log_lines import LogLines

CONTAINER = Path(__file__).resolve().parents[2] / "container"
PASSWORD = "canary-password-8843"
PRICES = {
    "version": "s1",
    "models": {"demo-chat": {"input": 2_000_000, "output": 8_000_000}},
    "plans": {"free": {"daily": 100_000}},
}
ENV = {**SETTINGS, "YUNLIAO_PRICES": json.dumps(PRICES)}


@pytest.fixture(params=["sqlite", "mongodb"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and where the store is."""
    data = tmp_path / "cloud"
    data.mkdir()
    if request.param == "sqlite":
        yield data, f"sqlite:///{data}/yunliao.db"
        return
    with ReplicaSet(tmp_path / "mongod") as mongod:
        yield data, mongod.url()


def terminal(data: Path, store_url: str, *arguments: str) -> str:
    """`python3 -m yunliao …` beside the running service; what it printed."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(CONTAINER),
        "YUNLIAO_ENV": "development",
        "YUNLIAO_RELAY_URL": "http://127.0.0.1:9/v1",
        "YUNLIAO_MODEL": "demo-chat",
        "YUNLIAO_STORE_URL": store_url,
        "YUNLIAO_MASTER_KEYS": (data / "master-keys").read_text("ascii").strip(),
    }
    command = [sys.executable, "-m", "yunliao", *arguments]
    done = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=LIMIT, check=True)
    return done.stdout


def stored(store_url: str) -> Tally:
    """Everything that all instances counted, as it lies in the store."""
    store = store_at(store_url)
    try:
        records = store.tallies.read("instance", since=0, until=2**60)
    finally:
        store.close()
    return summed((msgspec.json.decode(one.body, type=Kept).tally for one in records), together=True)


def logged(cloud: LocalCloudRun) -> Tally:
    """The same from what they printed."""
    read = LogLines()
    for number in (1, 2):
        read.feed(cloud.log(number).splitlines())
    return summed(read.by_hour().values())


def scraped(cloud: LocalCloudRun) -> Tally:
    """The same from both `/metrics`."""
    total = Tally()
    for instance in cloud.state()["instances"]:
        with urllib.request.urlopen(instance["url"] + "/metrics", timeout=30) as answer:
            total.add(tally_of(answer.read().decode()), together=True)
    return total


def tally_of(exposition: str) -> Tally:
    """One instance's numbers as a tally; what `Tally` has and a counter has not stays empty."""

    def counts(name: str, *labels: str) -> dict[tuple[str, ...], int]:
        """What is not zero, by those labels."""
        found: dict[tuple[str, ...], int] = {}
        for said, value in re.findall(rf"^{name}(?:\{{(.*)\}})? (\S+)$", exposition, re.MULTILINE):
            label = dict(re.findall(r'(\w+)="([^"]*)"', said))
            key = tuple(label[one] for one in labels)
            if number := int(float(value)):
                found[key] = found.get(key, 0) + number
        return found

    def nested(name: str, *labels: str) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for (outer, inner), number in counts(name, *labels).items():
            found.setdefault(outer, {})[inner] = number
        return found

    tokens = counts("yunliao_tokens_total", "direction")
    return Tally(
        ended={reason: number for (reason,), number in counts("yunliao_turns_ended_total", "reason").items()},
        errors={code: number for (code,), number in counts("yunliao_turns_ended_total", "code").items() if code},
        first_text=histogram(exposition, "yunliao_first_text_seconds"),
        whole=histogram(exposition, "yunliao_turn_seconds"),
        queued=histogram(exposition, "yunliao_queue_seconds"),
        input_tokens=tokens.get(("input",), 0),
        output_tokens=tokens.get(("output",), 0),
        cost=sum(counts("yunliao_credits_cost_total").values()),
        moderation=nested("yunliao_moderation_seconds_count", "layer", "outcome"),
        relay=nested("yunliao_relay_attempts_total", "upstream", "outcome"),
        store_failures=sum(counts("yunliao_store_failures_total").values()),
        refused={code: number for (code,), number in counts("yunliao_credits_refused_total", "code").items()},
        takeovers=sum(counts("yunliao_takeovers_total").values()),
    )


def histogram(exposition: str, name: str) -> Histogram:
    """Counts by upper bound, from the cumulative ones of the exposition."""
    found: Histogram = {}
    below = 0
    for bound, value in re.findall(rf'^{name}_bucket{{le="([^"]+)"}} (\S+)$', exposition, re.MULTILINE):
        count = int(float(value))
        if count > below:
            found[OVER if bound == "+Inf" else round(float(bound) * 1000)] = count - below
        below = count
    return found


def comparable(tally: Tally) -> dict[str, Any]:
    """What all three sources know."""
    left_out = ("checks", "starts", "live_max")
    return {name: value for name, value in msgspec.structs.asdict(tally).items() if name not in left_out}


def lived(cloud: LocalCloudRun) -> int:
    """Turns with every ending on both instances; how many."""
    turns = 0
    for number in range(1, 9):
        phone = Phone(cloud.url, f"counted-{number}")
        on = {"X-Local-Instance": str(1 + number % 2)}
        text, switches = {
            1: ("请说违禁演示词吧", {}),
            2: ("一问", {"status": 401}),
            3: ("二问", {"empty": "stream"}),
        }.get(number, (f"第{number}问", {}))
        cloud.relay(reset=True)
        cloud.relay(first_token_ms=0, tokens_per_second=0, answer=ANSWER, **switches)
        body = {"client_id": f"counted-{number:04d}", "text": text}
        if number == 8:  # stopped in the middle
            cloud.relay(tokens_per_second=20)
        turn = phone.call("POST", "/v1/turns", body, on)["turn"]["id"]
        turns += 1
        if number == 8:
            wait_for(lambda: cloud.relay_requests()["live"])
            phone.call("POST", f"/v1/turns/{turn}/stop", {})
        phone.until_end(turn)
        if number == 7:  # too little is left for another one
            with pytest.raises(Refused) as refused:
                while True:
                    body = {"client_id": f"counted-more-{turns:04d}", "text": "再来" * 200}
                    phone.until_end(phone.call("POST", "/v1/turns", body, on)["turn"]["id"])
                    turns += 1
            assert refused.value.code == "insufficient_credits"
    return turns


def test_store_log_and_metrics_tell_the_same(place: tuple[Path, str]) -> None:
    data, store_url = place
    with LocalCloudRun(instances=2, data=data, env=ENV, store_url=store_url) as cloud:
        turns = lived(cloud)
        # The end of a turn is shown before it is counted, and a check may outlive the turn that is blocked already.
        wait_for(lambda: sum(scraped(cloud).ended.values()) == turns)
        wait_for(lambda: comparable(scraped(cloud)) == comparable(stored(store_url)))
        seen = scraped(cloud)
        operator = terminal(data, store_url, "operators", "add", "alice", "--role", "viewer")
        order = urllib.request.Request(
            cloud.state()["instances"][0]["url"] + "/op/v1/login",
            json.dumps({"name": "alice", "password": re.findall(r"\S{12,}", operator)[-1]}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(order, timeout=30) as answer:
            token = json.loads(answer.read())["token"]
        views = []
        for instance in cloud.state()["instances"]:  # whichever is asked
            order = urllib.request.Request(
                instance["url"] + "/op/v1/summary?hours=2&days=2", headers={"Authorization": f"Bearer {token}"}
            )
            with urllib.request.urlopen(order, timeout=30) as answer:
                views.append(json.loads(answer.read()))
        for view in views:
            assert view["now"]["instances"] == 2 and view["now"]["live"] == 0
            for rows in (view["hours"], view["days"]):
                assert sum(row["turns"] for row in rows) == turns
                assert sum(row["cost_micro"] for row in rows) == seen.cost > 0
                assert sum(row["cold_starts"] for row in rows) == 2
    # Both have ended: what they had not told yet they told then.
    kept = stored(store_url)
    assert comparable(kept) == comparable(seen)
    assert kept == logged(cloud)
    assert set(kept.ended) == {"complete", "stopped", "blocked", "failed"}
    assert set(kept.errors) >= {"blocked_input", "relay_refused", "relay_empty"}
    assert kept.moderation["wechat"]["risky"] + kept.moderation["wechat"]["pass"] >= turns - 1
    assert kept.refused == {"insufficient_credits": 1}
    assert sum(kept.starts.values()) == 2
    assert sum(kept.queued.values()) == sum(kept.whole.values()) == turns
    # And the same percentiles, by the same arithmetic.
    assert span_view(0, kept).first_text_ms == span_view(0, seen).first_text_ms
    files = [str(data / f"instance-{number}.log") for number in (1, 2)]
    table = terminal(data, store_url, "summary", "--json", "--hours", "2")
    printed = terminal(data, "unused", "summary", "--json", "--hours", "2", "--from-logs", *files)
    from_store, from_log = json.loads(table), json.loads(printed)
    for span in ("hours", "days"):
        assert [row for row in from_store[span] if row["turns"]] == [row for row in from_log[span] if row["turns"]]


def test_a_killed_instance_loses_at_most_its_last_seconds(tmp_path: Path) -> None:
    store_url = f"sqlite:///{tmp_path}/yunliao.db"
    with LocalCloudRun(instances=2, data=tmp_path, env=SETTINGS) as cloud:
        cloud.relay(first_token_ms=0, tokens_per_second=0)
        phone = Phone(cloud.url, "survivor")
        for number in range(4):
            body = {"client_id": f"before-the-end-{number}", "text": "在吗"}
            turn = phone.call("POST", "/v1/turns", body, {"X-Local-Instance": str(1 + number % 2)})["turn"]["id"]
            assert end_of(phone.until_end(turn))["reason"] == "complete"
        wait_for(lambda: sum(stored(store_url).ended.values()) == 4)
        cloud.kill(1)
        cloud.start(1)
        phone.ask("还在吗")
        wait_for(lambda: sum(stored(store_url).ended.values()) == 5)
    kept = stored(store_url)
    assert (kept.ended, sum(kept.starts.values())) == ({"complete": 5}, 3)


def test_every_line_of_two_lives_is_documented(tmp_path: Path) -> None:
    """Whatever an instance prints in a life with every kind of trouble: known lines, known fields, known types."""
    with LocalCloudRun(instances=2, data=tmp_path, env=ENV) as cloud:
        lived(cloud)
        cloud.wechat(http_status=502)
        Phone(cloud.url, "unlucky").ask("现在查不了")
        cloud.wechat(reset=True)
        gone = Phone(cloud.url, "leaving")
        gone.ask("再见")
        gone.call("DELETE", "/v1/me")
        wait_for(lambda: '"erased"' in cloud.log(1) + cloud.log(2))
        wait_for(lambda: '"start"' in cloud.log(1) and '"start"' in cloud.log(2))
    found: dict[str, set[str]] = {}
    tables = {page: lines(page) for page in PAGES}
    for number in (1, 2):
        for line in (tmp_path / f"instance-{number}.log").read_text("utf-8").splitlines():
            told = json.loads(line)  # a line that is none of ours would fail here
            found.setdefault(told["event"], set()).update(told)
            for page, table in tables.items():
                kinds = {name: kind_of(value) for name, value in told.items()}
                assert kinds.items() <= table[told["event"]].items(), (page, line)
    assert set(found) >= {"turn", "tally", "start", "drain", "erased", "moderation_unavailable"}
    assert set(tables[PAGES[0]]["turn"]) - found["turn"] == {"trace"}  # nobody brought one


def test_a_request_is_found_by_its_id_from_the_phone_to_the_relay(tmp_path: Path) -> None:
    trace = "a1" * 16
    with LocalCloudRun(instances=2, data=tmp_path, env=SETTINGS) as cloud:
        cloud.relay(first_token_ms=0, tokens_per_second=0)
        phone = Phone(cloud.url, "traced")
        headers = {
            "X-WX-SERVICE": "yunliao",
            "X-Local-User": "traced",
            "Content-Type": "application/json",
            "traceparent": f"00-{trace}-{'7' * 16}-01",
            "X-WX-CALL-ID": "forged-by-the-phone",
        }

        def call(path: str, body: Any) -> tuple[Any, Any]:
            connection = http.client.HTTPConnection(phone.host, timeout=LIMIT)
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            content = json.loads(answer.read())
            connection.close()
            return answer.headers, content

        given, sent = call("/v1/turns", {"client_id": "traced-0001", "text": "带着编号"})
        turn, call_id = sent["turn"]["id"], given["X-Local-Call-Id"]
        assert given["X-Request-Id"] == call_id != "forged-by-the-phone"
        phone.until_end(turn)
        (asked,) = cloud.relay_requests()["requests"]
        version, found, span, flags = asked["traceparent"].split("-")
        assert (asked["request_id"], version, found, flags) == (turn, "00", trace, "01") and span != "7" * 16
        (line,) = wait_for(
            lambda: [one for n in (1, 2) for one in cloud.log(n).splitlines() if f'"turn": "{turn}"' in one]
        )
        told = json.loads(line)
        assert (told["call_id"], told["trace"]) == (call_id, trace)
        given, refused = call("/v1/turns", {"client_id": "traced-0001", "text": "别的话"})
        assert refused["error"]["request_id"] == given["X-Request-Id"] == given["X-Local-Call-Id"] != call_id
