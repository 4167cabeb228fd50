"""A slow client gets every frame whole: under greenlets one send of the socket may take only a part."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import websocket

from cloudrun.instances import free_port

ROOT = Path(__file__).resolve().parents[2]


def test_six_hundred_large_frames_to_a_client_that_pauses(tmp_path: Path) -> None:
    port = free_port()
    environment = {**os.environ, "PORT": str(port), "PYTHONPATH": str(ROOT / "container")}
    command = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "container" / "gunicorn.conf.py")]
    # The configuration's hooks belong to the container's own application.
    command += ["--bind", f"127.0.0.1:{port}", "--config", str(_plain_configuration(tmp_path)), "wsgi:app"]
    worker = subprocess.Popen(command, cwd=Path(__file__).parent / "frames", env=environment)
    try:
        client = _connect(port)
        for number in range(600):
            if number in (3, 200):
                time.sleep(1.5)  # long enough for the worker to fill every buffer between
            assert client.recv() == f"{number:06d}" + "字" * 6666
        client.close()
    finally:
        worker.terminate()
        worker.wait(30)


def _plain_configuration(folder: Path) -> Path:
    text = (ROOT / "container" / "gunicorn.conf.py").read_text()
    plain = folder / "gunicorn.conf.py"
    plain.write_text(text[: text.index("def post_worker_init")])
    return plain


def _connect(port: int) -> websocket.WebSocket:
    for _ in range(300):
        try:
            return websocket.create_connection(
                f"ws://127.0.0.1:{port}/frames", timeout=60, sockopt=((socket.SOL_SOCKET, socket.SO_RCVBUF, 8192),)
            )
        except (OSError, websocket.WebSocketException):
            time.sleep(0.1)
    raise AssertionError("the worker did not start")
