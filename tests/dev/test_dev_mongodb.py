"""`dev.py run --instances 3 --store mongodb`: a local MongoDB in the data folder, kept over a restart, gone with Ctrl-C."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cloudrun.instances import free_port
from tests.dev.test_dev import ROOT, _processes, dev
from tests.e2e.phone import Phone


@contextmanager
def running(port: int, data: Path) -> Iterator[None]:
    command = [sys.executable, "dev.py", "run", "--port", str(port), "--keep", str(data), "--store", "mongodb"]
    command += ["--instances", "3"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stdout is not None
        assert any(line == f"ready http://127.0.0.1:{port}\n" for line in iter(process.stdout.readline, ""))
        yield
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        process.stdout.close()
    assert not [line for line in _processes() if str(data) in line]


def test_what_was_said_is_there_after_a_restart(tmp_path: Path) -> None:
    port = free_port()
    with running(port, tmp_path):
        assert dev("chat", "第一句", "--port", str(port)).returncode == 0
    assert not (tmp_path / "yunliao.db").exists()
    with running(port, tmp_path):
        phone = Phone(f"http://127.0.0.1:{port}", "demo")
        (conversation,) = phone.call("GET", "/v1/conversations")["conversations"]
        messages = phone.call("GET", f"/v1/conversations/{conversation['id']}/messages")["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant"]
    assert messages[0]["text"] == "第一句"


def test_without_a_server_binary_it_says_what_to_do(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("YUNLIAO_MONGOD", str(tmp_path / "none"))
    answer = dev("run", "--port", str(free_port()), "--keep", str(tmp_path / "data"), "--store", "mongodb")
    assert answer.returncode == 1
    assert "Install MongoDB" in answer.stderr
    assert "Traceback" not in answer.stderr
