"""dev.py as a newcomer uses it: run, chat, Ctrl-C; and a sentence instead of a traceback."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudrun.instances import free_port

ROOT = Path(__file__).resolve().parents[2]


def dev(*arguments: str, given: str | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "dev.py", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, input=given
    )


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port, data = free_port(), tmp_path_factory.mktemp("data")
    command = [sys.executable, "dev.py", "run", "--port", str(port), "--keep", str(data), "--instances", "2"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=_deaf
    )
    try:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        assert any(line == f"ready http://127.0.0.1:{port}\n" for line in lines)
        yield port
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        process.stdout.close()
    # Ctrl-C stopped everything it started.
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                break
        time.sleep(0.1)
    else:
        raise AssertionError("the port is still served")
    assert not [line for line in _processes() if str(data) in line]


def _deaf() -> None:
    """As whatever is started in the background: Ctrl-C is to work for it all the same."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _processes() -> list[str]:
    return subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()


def test_one_message_streams_an_answer(port: int) -> None:
    answer = dev("chat", "用三句话介绍你自己", "--port", str(port))
    assert answer.returncode == 0, answer.stderr
    assert "演示" in answer.stdout


def test_an_interactive_chat(port: int) -> None:
    given = "你好\n/history\n/new\n/stop\n/nonsense\n/quit\n"
    answer = dev("chat", "--port", str(port), "--user", "interactive", given=given)
    assert answer.returncode == 0, answer.stderr
    assert "我: 你好" in answer.stdout
    assert "New conversation" in answer.stdout
    assert "Nothing is being answered" in answer.stdout


def test_a_refused_message_says_why(port: int) -> None:
    answer = dev("chat", "违禁演示词", "--port", str(port), "--user", "refused")
    assert answer.returncode == 1
    assert "没有通过内容安全检查" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_port_in_use_is_a_sentence(port: int) -> None:
    answer = dev("run", "--port", str(port))
    assert answer.returncode == 1
    assert f"Port {port} is in use" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "--port", "0"], "--port must be"),
        (["run", "--instances", "99"], "--instances must be"),
        (["run", "--relay", "http://127.0.0.1:1"], "--model"),
        (["run", "--prices", "nowhere.json"], "--prices names no file"),
        (["chat", "你好", "--port", "1"], "dev.py run"),
    ],
)
def test_mistakes_are_sentences(arguments: list[str], told: str) -> None:
    answer = dev(*arguments)
    assert answer.returncode == 1
    assert told in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_setting_that_cannot_work_is_named_at_once(tmp_path: Path) -> None:
    answer = dev("run", "--store", "redis://canary", "--port", str(free_port()), "--keep", str(tmp_path))
    assert answer.returncode == 1
    assert "YUNLIAO_STORE_URL 必须是" in answer.stderr and "must be mongodb://" in answer.stderr
    assert "canary" not in answer.stderr.replace(str(tmp_path), "") and "Traceback" not in answer.stderr
    assert not (tmp_path / "yunliao.db").exists()


def test_no_network_at_set_up_is_a_sentence(tmp_path: Path) -> None:
    copy = tmp_path / "checkout"
    copy.mkdir()
    for name in ("dev.py", "tools", "container", "tests/requirements.txt", "package.json", "package-lock.json"):
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.symlink(ROOT / name, target)
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1"}
    environment = {
        **os.environ,
        **nowhere,
        "PIP_FIND_LINKS": "",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_CONFIG_FILE": os.devnull,
    }
    answer = subprocess.run(
        [sys.executable, str(copy / "dev.py"), "setup"],
        cwd=copy, env=environment, capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert answer.returncode == 1
    assert "cannot be reached" in answer.stderr
    assert "Traceback" not in answer.stderr
