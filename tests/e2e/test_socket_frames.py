"""A slow client gets every frame whole: under greenlets one send of the socket may take only a part."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import websocket

from cloudrun.instances import free_port

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def worker(folder: Path, **environment: str) -> Iterator[int]:
    """The port of one that only sends frames."""
    port = free_port()
    environment = {**os.environ, "PORT": str(port), "PYTHONPATH": str(ROOT / "container"), **environment}
    command = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "container" / "gunicorn.conf.py")]
    # The configuration's hooks belong to the container's own application.
    command += ["--bind", f"127.0.0.1:{port}", "--config", str(_plain_configuration(folder)), "wsgi:app"]
    process = subprocess.Popen(command, cwd=Path(__file__).parent / "frames", env=environment)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(30)


def test_six_hundred_large_frames_to_a_client_that_pauses_and_pings(tmp_path: Path) -> None:
    """Up to seven frames go out together, and pings are answered in between."""
    with worker(tmp_path) as port:
        client = _connect(port, "frames")
        for number in range(600):
            if number in (3, 200):
                time.sleep(1.5)  # long enough for the worker to fill every buffer between
            if number % 10 == 0:
                client.ping("are you there")
            assert client.recv() == f"{number:06d}" + "字" * 6666
        client.send("all")
        client.close()


def test_a_client_that_never_reads_is_cut(tmp_path: Path) -> None:
    with worker(tmp_path, SEND_SECONDS="1") as port:
        client = _connect(port, "unread")
        deadline = time.monotonic() + 120
        while urllib.request.urlopen(f"http://127.0.0.1:{port}/cut", timeout=60).read() != b"cut":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        client.shutdown()


def _plain_configuration(folder: Path) -> Path:
    text = (ROOT / "container" / "gunicorn.conf.py").read_text()
    plain = folder / "gunicorn.conf.py"
    plain.write_text(text[: text.index("def post_worker_init")])
    return plain


def _connect(port: int, route: str) -> websocket.WebSocket:
    for _ in range(300):
        try:
            return websocket.create_connection(
                f"ws://127.0.0.1:{port}/{route}", timeout=60, sockopt=((socket.SOL_SOCKET, socket.SO_RCVBUF, 8192),)
            )
        except (OSError, websocket.WebSocketException):
            time.sleep(0.1)
    raise AssertionError("the worker did not start")
