"""The stop for the operator's bill, over two real instances: warned of, kept to, and given back."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from cloudrun.local import LocalCloudRun
from tests.e2e.conftest import SETTINGS
from tests.e2e.phone import LIMIT, Phone, Refused
from tests.e2e.test_main_job import ANSWER

BOUND = 8 * 4_000
"""What the longest answer costs: about what each turn takes of the day."""
LIVE = 5
PRICES = {
    "version": "b1",
    "models": {"demo": {"input": 2_000_000, "output": 8_000_000}},
    "plans": {"free": {"daily": 10_000_000}},
    "limits": {"service_day": int(BOUND * (LIVE + 0.9)), "warn": 0.5},
}


def test_the_day_of_all_instances_together(tmp_path: Path) -> None:
    env = {**SETTINGS, "YUNLIAO_PRICES": json.dumps(PRICES)}
    with LocalCloudRun(instances=2, data=tmp_path, model="demo", env=env) as cloud:
        cloud.relay(answer=ANSWER * 4, first_token_ms=0, tokens_per_second=25)
        taken: dict[str, Phone] = {}
        refused: list[dict[str, Any]] = []

        def go(number: int) -> None:
            phone = Phone(cloud.url, f"spender-{number}")
            body = {"client_id": f"spender-{number:04d}", "text": "请讲一个长故事"}
            instance = {"X-Local-Instance": str(1 + number % 2)}
            try:
                taken[phone.call("POST", "/v1/turns", body, instance)["turn"]["id"]] = phone
            except Refused as no:
                refused.append(no.error)

        threads = [threading.Thread(target=go, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
        assert len(taken) + len(refused) == 12
        assert LIVE - 1 <= len(taken) <= LIVE  # an instance may hold a part that is too small for one more
        for error in refused:
            assert error["code"] == "service_budget_exhausted" and 0 < error["retry_after"] <= 86_400
        for turn, phone in taken.items():
            phone.until_end(turn)
        spent = sum(phone.call("GET", f"/v1/turns/{turn}/receipt")["charged"] for turn, phone in taken.items())
        assert 0 < spent < PRICES["limits"]["service_day"]  # type: ignore[index]
        # What they did not need is there again.
        again = Phone(cloud.url, "spender-99")
        turn = again.send("还有吗")["turn"]["id"]
        again.call("POST", f"/v1/turns/{turn}/stop", {})
        again.until_end(turn)
    lines = "".join((tmp_path / f"instance-{number}.log").read_text("utf-8") for number in (1, 2)).splitlines()
    told = [json.loads(line) for line in lines if '"service_budget"' in line]
    assert {one["state"] for one in told} == {"warning", "exhausted"}
    assert all(one["level"] == "warning" and 0 < one["part"] <= 1 for one in told)
    assert pytest.approx(max(one["part"] for one in told), abs=0.2) == LIVE / (LIVE + 0.9)
