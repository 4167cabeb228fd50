"""The real server with wrong settings or without its store: it answers, explains, ends when asked to, and heals."""

import time
from pathlib import Path

import pytest
import urllib3

from cloudrun.instances import StartFailed
from cloudrun.local import LocalCloudRun
from mongod import ReplicaSet
from tests.e2e.phone import Phone

SILENT = urllib3.PoolManager(retries=False)
GRACE = {"YUNLIAO_GRACE_SECONDS": "2"}
"""Connections that are kept alive are waited for at the end, and nobody here has more to say on them."""


def direct(cloud: LocalCloudRun) -> str:
    return str(cloud.state()["instances"][0]["url"])


def test_a_developer_sees_the_mistake_at_once(tmp_path: Path) -> None:
    with (
        pytest.raises(StartFailed, match=r"YUNLIAO_RATE_LIMIT 必须是“次数/时间” · must be a count per time"),
        LocalCloudRun(data=tmp_path, env={"YUNLIAO_RATE_LIMIT": "canary-value"}),
    ):
        pass
    said = (tmp_path / "instance-1.log").read_text()
    assert "yunliao: YUNLIAO_RATE_LIMIT must be a count per time" in said
    assert "canary-value" not in said


def test_wrong_settings_are_explained_to_the_phone_and_sigterm_ends_it(tmp_path: Path) -> None:
    env = {"YUNLIAO_MASTER_KEYS": "", "YUNLIAO_APPIDS": "not an appid", **GRACE}
    with LocalCloudRun(data=tmp_path, env=env, unready=True) as cloud:
        answer = SILENT.request(
            "GET",
            cloud.url + "/v1/config",
            headers={"X-WX-SERVICE": "yunliao", "X-Local-User": "operator", "X-Client": "miniprogram"},
        )
        error = answer.json()["error"]
        assert (answer.status, error["status"], error["code"]) == (200, 503, "misconfigured")
        assert "YUNLIAO_MASTER_KEYS" in error["message"] and "YUNLIAO_APPIDS" in error["message"]
        assert SILENT.request("GET", direct(cloud) + "/healthz").status == 200
        assert SILENT.request("GET", direct(cloud) + "/readyz").status == 503
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        assert SILENT.request("GET", direct(cloud) + "/v1/socket", headers=upgrade).status == 503
        assert not (tmp_path / "yunliao.db").exists()
        cloud.tell(1, "term")
        until = time.monotonic() + 60
        while cloud.state()["instances"][0]["state"] != "stopped" and time.monotonic() < until:
            time.sleep(0.05)
        assert cloud.state()["instances"][0]["exit_code"] == 0


def test_a_store_that_comes_later_is_found_without_a_restart(tmp_path: Path) -> None:
    with ReplicaSet(tmp_path / "mongod") as store:
        store.members[0].kill()
        url = store.url("yunliao")
        with LocalCloudRun(data=tmp_path / "data", store_url=url, unready=True, env=GRACE) as cloud:
            phone = Phone(cloud.url, "patient", agree=False)
            started = cloud.state()["instances"][0]["starts"]
            told = SILENT.request("GET", direct(cloud) + "/readyz", timeout=60)
            assert told.status == 503
            assert [check["name"] for check in told.json()["checks"]] == ["store"]
            store.members[0].start()
            until = time.monotonic() + 120
            while SILENT.request("GET", direct(cloud) + "/readyz", timeout=60).status != 200:
                assert time.monotonic() < until
                time.sleep(0.3)
            phone.call("PUT", "/v1/me/consent", {"version": "latest", "overseas": True})
            turn = phone.send("你好")["turn"]["id"]
            assert phone.until_end(turn)[-1]["type"] == "end"
            assert cloud.state()["instances"][0]["starts"] == started
