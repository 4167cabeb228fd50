"""The processes behind the gateway: start, end, freeze, sleep, and no orphans."""

import os
import signal
import stat
import subprocess
import sys
import threading

import pytest
import urllib3

from cloudrun.instances import StartFailed
from cloudrun.local import LocalCloudRun
from cloudrun.world import master_keys
from tests.cloudrun.support import STANDIN, Phone, until

TOOLS = STANDIN.parents[2] / "tools"


@pytest.fixture
def own(pool):
    with LocalCloudRun(instances=2, folder=STANDIN, grace=3) as cloud:
        cloud.phone = Phone(cloud.url, pool)
        yield cloud


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    if not os.path.exists("/proc/self/stat"):
        return True
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def states(cloud):
    return [instance["state"] for instance in cloud.state()["instances"]]


def test_the_container_gets_its_environment_and_nothing_of_the_developers(own, monkeypatch):
    names = own.phone.call("/v1/x").json()["environment"]
    assert names == [
        "CBR_ENV_ID",
        *("YUNLIAO_APPIDS", "YUNLIAO_ENV", "YUNLIAO_MASTER_KEYS", "YUNLIAO_MODEL"),
        *("YUNLIAO_RELAY_DOMESTIC", "YUNLIAO_RELAY_KEY", "YUNLIAO_RELAY_URL", "YUNLIAO_STORE_URL"),
        "YUNLIAO_WECHAT_API_URL",
    ]
    monkeypatch.setenv("YUNLIAO_RATE_LIMIT", "9/minute")
    own.tell(1, "restart")
    assert own.phone.call("/v1/x", headers={"X-Local-Instance": "1"}).json()["environment"] == names


@pytest.mark.skipif(sys.platform != "linux", reason="/proc/net/tcp exists on Linux only")
def test_instances_listen_on_loopback_only(own):
    port = int(own.state()["instances"][0]["url"].rsplit(":", 1)[1])
    with open("/proc/net/tcp") as file:
        listening = [line.split()[1] for line in file if line.split()[3] == "0A"]
    assert f"0100007F:{port:04X}" in listening and f"00000000:{port:04X}" not in listening


def test_killed_means_gone_and_started_means_ready(own):
    pid = own.state()["instances"][0]["pid"]
    assert own.kill(1)["state"] == "stopped" and not alive(pid)
    assert {own.phone.call("/v1/x").headers["X-Local-Instance"] for _ in range(4)} == {"2"}
    own.kill(2)
    assert "SERVICE_NOT_READY" in own.phone.call("/v1/x").json()["errMsg"]
    assert own.start(1)["state"] == "ready" and own.start(2)["starts"] == 2
    assert {own.phone.call("/v1/x").headers["X-Local-Instance"] for _ in range(4)} == {"1", "2"}
    assert own.log(1).count("standin started") == 2


def test_term_lets_a_request_finish(own):
    answers = []
    asking = threading.Thread(
        target=lambda: answers.append(own.phone.call("/v1/slow?s=1", headers={"X-Local-Instance": "1"}))
    )
    asking.start()
    until(lambda: "slow request" in own.log(1), "the request was under way")
    own.tell(1, "term")
    asking.join()
    assert answers[0].status == 200
    until(lambda: states(own)[0] == "stopped", "the instance ended by itself")


def test_a_frozen_instance_keeps_its_share_and_lets_callers_wait(own):
    own.tell(1, "freeze")
    own.faults(cap_seconds=0.5)
    outcomes = {own.phone.call("/v1/x", headers={"X-Local-Instance": n}).status for n in "1"}
    assert outcomes == {599} and states(own) == ["frozen", "ready"]
    own.faults(cap_seconds=15.0)
    own.tell(1, "thaw")
    assert own.phone.call("/v1/x", headers={"X-Local-Instance": "1"}).status == 200


def test_scale_to_zero_and_a_cold_start(own):
    own.control("scale-to-zero", {})
    assert states(own) == ["stopped", "stopped"] and own.state()["asleep"]
    own.faults(cold_start_mode="error")
    assert "SERVICE_NOT_READY" in own.phone.call("/v1/x").json()["errMsg"]
    until(lambda: states(own) == ["ready", "ready"], "the refused call woke the service")
    own.control("scale-to-zero", {})
    own.faults(cold_start_mode="wait", cold_start_seconds=0.1)
    assert own.phone.call("/v1/x").status == 200
    own.control("scale-to-zero", {})
    own.faults(cold_start_seconds=2.0, cap_seconds=0.5)
    assert own.phone.errcode("/v1/x") == 102002
    until(lambda: states(own) == ["ready", "ready"], "the start went on after the call was given up")


def test_without_traffic_the_service_goes_to_sleep(own):
    own.faults(scale_to_zero_seconds=0.2)
    until(lambda: own.state()["asleep"], "it fell asleep")
    own.faults(scale_to_zero_seconds=0.0)
    assert own.phone.call("/v1/x").status == 200


def test_a_crash_is_restarted_when_the_platform_restarts(pool):
    with LocalCloudRun(folder=STANDIN, restart=True) as cloud:
        pid = cloud.state()["instances"][0]["pid"]
        os.kill(pid, signal.SIGKILL)
        until(lambda: cloud.state()["instances"][0]["starts"] == 2 and states(cloud) == ["ready"], "it came back")
        assert cloud.state()["instances"][0]["pid"] != pid
        cloud.kill(1)
        assert Phone(cloud.url, pool).call("/v1/x").status == 599


def test_an_instance_that_cannot_start_is_a_clear_failure(tmp_path):
    command = (sys.executable, "-c", "print('no such setting'); raise SystemExit(3)")
    with pytest.raises(
        StartFailed, match=r"instance 1 ended while starting; see .*instance-1\.log\n    no such setting"
    ):
        LocalCloudRun(folder=STANDIN, data=tmp_path, command=command).__enter__()
    assert "no such setting" in (tmp_path / "instance-1.log").read_text()


def test_leaving_stops_every_process(pool):
    with LocalCloudRun(instances=2, folder=STANDIN) as cloud:
        pids = [instance["pid"] for instance in cloud.state()["instances"]]
        cloud.tell(2, "freeze")
        url = cloud.url
    assert not any(alive(pid) for pid in pids)
    with pytest.raises(urllib3.exceptions.HTTPError):
        pool.request("GET", url + "/__local/state", retries=False)


def test_a_stubborn_process_is_killed_after_the_grace_time(tmp_path):
    program = (
        "import signal, http.server, os\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "class H(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200); self.end_headers()\n"
        "http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), H).serve_forever()\n"
    )
    with LocalCloudRun(folder=tmp_path, command=(sys.executable, "-c", program), grace=0.3) as cloud:
        pid = cloud.state()["instances"][0]["pid"]
        assert alive(pid)
    assert not alive(pid)


def test_keys_are_made_once_and_only_their_owner_can_read_them(tmp_path):
    first = master_keys(tmp_path)
    assert first.startswith("local1:") and master_keys(tmp_path) == first
    assert stat.S_IMODE((tmp_path / "master-keys").stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal exists on Linux only")
def test_a_killed_platform_leaves_no_orphans(tmp_path):
    program = (
        "import sys, time\nfrom cloudrun.local import LocalCloudRun\n"
        f"cloud = LocalCloudRun(folder={str(STANDIN)!r}, data={str(tmp_path)!r})\ncloud.__enter__()\n"
        "print(cloud.state()['instances'][0]['pid'], flush=True)\ntime.sleep(600)\n"
    )
    platform = subprocess.Popen(
        [sys.executable, "-c", program], env=os.environ | {"PYTHONPATH": str(TOOLS)}, stdout=subprocess.PIPE
    )
    with platform:
        pid = int(platform.stdout.readline())
        workers = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True, text=True, check=True)
        assert alive(pid)
        platform.kill()
    until(lambda: not alive(pid), "the instance died with the platform")
    for worker in map(int, workers.stdout.split()):
        until(lambda worker=worker: not alive(worker), "its workers too")
