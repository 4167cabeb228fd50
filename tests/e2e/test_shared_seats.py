"""`YUNLIAO_MAX_LIVE_TOTAL` over two real instances: never more answers at once, and a dead instance's places come back."""

import threading
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from cloudrun.local import LocalCloudRun
from mongod import ReplicaSet
from tests.e2e.phone import Phone, end_of, text_of
from tests.e2e.test_main_job import ANSWER, wait_for

TOTAL = 3
EACH = 5
"""Messages sent to each of the two instances."""
SETTINGS = {
    "YUNLIAO_MAX_LIVE_TOTAL": str(TOTAL),
    "YUNLIAO_MAX_LIVE": "10",
    "YUNLIAO_MAX_QUEUE": "50",
    "YUNLIAO_LEASE_SECONDS": "2",
    "YUNLIAO_GRACE_SECONDS": "5",
}


@pytest.fixture(params=["sqlite", "mongodb"])
def cloud(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LocalCloudRun]:
    if request.param == "sqlite":
        with LocalCloudRun(instances=2, env=SETTINGS) as running:
            yield running
        return
    with (
        ReplicaSet(tmp_path / "mongod") as mongod,
        LocalCloudRun(instances=2, env=SETTINGS, store_url=mongod.url()) as running,
    ):
        yield running


def most_at_once(generations: list[dict[str, Any]]) -> int:
    """The largest number that were under way at a time."""
    steps = [(one["began_ms"], 1) for one in generations] + [(one["ended_ms"], -1) for one in generations]
    return max(accumulate(step for _, step in sorted(steps)))


def test_the_total_holds_over_instances_and_a_dead_ones_places_come_back(cloud: LocalCloudRun) -> None:
    cloud.relay(answer=ANSWER, first_token_ms=0, tokens_per_second=120)
    phones = [Phone(cloud.url, f"seated-{number}") for number in range(2 * EACH)]
    turns: list[str] = []
    for number, phone in enumerate(phones):
        body = {"client_id": f"seated-message-{number}", "text": "给我一个位置"}
        sent = phone.call("POST", "/v1/turns", body, headers={"X-Local-Instance": str(1 + number % 2)})
        turns.append(sent["turn"]["id"])

    def speaking_on_the_second() -> bool:
        live = {one["request_id"] for one in cloud.relay_requests()["requests"] if one["live"]}
        return bool(live & set(turns[1::2]))

    wait_for(speaking_on_the_second)
    cloud.kill(2)
    killed_ms = int(time.time() * 1000)
    heard: dict[int, list[dict[str, Any]]] = {}
    listeners = [
        threading.Thread(target=lambda n=n: heard.__setitem__(n, phones[n].until_end(turns[n])), daemon=True)  # type: ignore[misc]
        for n in range(len(turns))
    ]
    for listener in listeners:
        listener.start()
    for listener in listeners:
        listener.join(120)
        assert not listener.is_alive()
    for events in heard.values():
        assert (end_of(events)["reason"], text_of(events)) == ("complete", ANSWER)
    asked = wait_for(lambda: (now := cloud.relay_requests())["live"] == 0 and now["requests"])
    assert most_at_once(asked) == TOTAL
    assert most_at_once([one for one in asked if one["began_ms"] > killed_ms]) == TOTAL
    assert any("queued" in {event["type"] for event in events} for events in heard.values())
