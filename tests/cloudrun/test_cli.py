"""`python -m cloudrun` as people and dev.py use it."""

import json
import os
import signal
import socket
import subprocess
import sys

import pytest
import urllib3

from cloudrun.__main__ import BadOption, pairs, plan_of
from tests.cloudrun.support import STANDIN

TOOLS = STANDIN.parents[2] / "tools"


def started(*arguments):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "cloudrun", "--container", str(STANDIN), *arguments],
        env=os.environ | {"PYTHONPATH": str(TOOLS)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=TOOLS.parent,
    )  # fmt: skip


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_says_ready_serves_and_stops_on_a_signal(tmp_path, ending):
    with started("--port", "0", "--instances", "2", "--data", str(tmp_path), "--env", "YUNLIAO_X=1") as run:
        lines = iter(run.stdout.readline, "")
        ready = next(line for line in lines if line.startswith("ready "))
        url = ready.split()[1]
        seen = urllib3.request("GET", url + "/v1/x", headers={"X-WX-SERVICE": "yunliao"}).json()
        assert "YUNLIAO_X" in seen["environment"]
        run.send_signal(ending)
        _, errors = run.communicate(timeout=60)
    assert run.returncode == 0 and errors == ""
    with pytest.raises(ProcessLookupError):
        os.kill(seen["pid"], 0)


def test_progress_as_json(tmp_path):
    with started("--json", "--port", "0", "--data", str(tmp_path)) as run:
        events = []
        while not events or events[-1]["event"] != "ready":
            events.append(json.loads(run.stdout.readline()))
        assert events[-1]["urls"]["gateway"] == events[-1]["url"]
        run.terminate()
        run.communicate(timeout=60)
    assert run.returncode == 0


def test_a_port_in_use_is_one_clear_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with started("--port", str(port), "--data", str(tmp_path)) as run:
            said, errors = run.communicate(timeout=60)
    assert run.returncode == 1 and errors == ""
    assert f"端口 {port} 已被占用" in said and f"Port {port} is in use" in said and "Traceback" not in said
    assert not list(tmp_path.glob("instance-*"))


@pytest.mark.parametrize(
    "arguments", [["--port", "70000"], ["--instances", "0"], ["--env", "nosign"], ["--env-file", "/no/such/file"]]
)
def test_options_that_cannot_work_are_explained(arguments):
    with pytest.raises(BadOption, match=r"--|cannot be read"):
        plan_of(arguments)


def test_an_environment_file(tmp_path):
    file = tmp_path / "env"
    file.write_text("# a comment\n\nA=1\nB = x=y \n", "utf-8")
    plan, _ = plan_of(["--env-file", str(file), "--env", "A=2"])
    assert plan.env == {"A": "2", "B": "x=y"}
    with pytest.raises(BadOption) as problem:
        pairs(["secret-without-a-name"], "--env")
    assert "secret" not in str(problem.value)


def test_another_relay_takes_the_place_of_the_demo_one(monkeypatch):
    monkeypatch.setenv("YUNLIAO_RELAY_KEY", "from-the-environment")
    plan, _ = plan_of(["--relay-url", "http://127.0.0.1:1/v1", "--model", "m"])
    assert (plan.relay_url, plan.relay_key, plan.model) == ("http://127.0.0.1:1/v1", "from-the-environment", "m")
    assert plan_of([])[0].relay_key == ""
