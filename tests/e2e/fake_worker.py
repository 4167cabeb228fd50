"""A real gunicorn with the container's own configuration, over fake services."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import websocket

from cloudrun.instances import free_port
from tests.web.conftest import ENVIRONMENT

ROOT = Path(__file__).resolve().parents[2]
METRICS_TOKEN = "a-token-of-sixteen"
LIMIT = 60.0
"""Seconds until a test gives up waiting; nothing here is timed."""


class FakeWorker:
    """`with FakeWorker(folder) as worker:`; `log` is everything it printed."""

    def __init__(self, folder: Path, *, send_seconds: float = 20, hello_seconds: float = 10, grace: float = 1) -> None:
        self.port = free_port()
        self._log = folder / "worker.log"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("YUNLIAO_")},
            **ENVIRONMENT,
            "YUNLIAO_STORE_URL": "sqlite:///nowhere/never.db",
            "YUNLIAO_METRICS_TOKEN": METRICS_TOKEN,
            "YUNLIAO_GRACE_SECONDS": str(grace),
            "PORT": str(self.port),
            "PYTHONPATH": os.pathsep.join([str(ROOT / "container"), str(ROOT / "tools")]),
            "TEST_SEND_SECONDS": str(send_seconds),
            "TEST_HELLO_SECONDS": str(hello_seconds),
        }

    def __enter__(self) -> "FakeWorker":
        command = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "container" / "gunicorn.conf.py"), "wsgi:app"]
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=Path(__file__).parent / "fake_container",
                env=self._environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.until(self._answers)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(LIMIT)

    @property
    def log(self) -> str:
        """What it has printed so far."""
        return self._log.read_text("utf-8", "replace")

    @property
    def memory(self) -> int:
        """Resident bytes of the worker process."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(Path(f"/proc/{children[0]}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def until(self, condition: Callable[[], Any]) -> Any:
        """Wait for it to come true."""
        deadline = time.monotonic() + LIMIT
        while not (found := condition()):
            assert time.monotonic() < deadline, self.log
            assert self.process.poll() is None, self.log
            time.sleep(0.05)
        return found

    def raw(self, request: bytes) -> bytes:
        """The answer to a request written by hand: head and body."""
        with socket.create_connection(("127.0.0.1", self.port), LIMIT) as connection:
            connection.sendall(request)
            response = http.client.HTTPResponse(connection, method=request.split(b" ", 1)[0].decode("latin-1"))
            response.begin()
            head = f"HTTP/1.1 {response.status} \r\n{response.headers}".encode()
            return head + b"\r\n\r\n" + response.read()

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        """Status and body."""
        lines = [f"GET {path} HTTP/1.1", "Host: x", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        head, _, body = self.raw("\r\n".join([*lines, "", ""]).encode()).partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), body

    def listeners(self, transport: str) -> float:
        """How many there are by its own count."""
        _, text = self.get("/metrics", Authorization=f"Bearer {METRICS_TOKEN}")
        start = f'yunliao_listeners{{transport="{transport}"}} '
        return next((float(line[len(start) :]) for line in text.decode().splitlines() if line.startswith(start)), 0.0)

    def _answers(self) -> bool:
        try:
            return self.get("/healthz")[0] == 200
        except OSError:
            return False

    def connect(self, *, receive_buffer: int = 0, headers: dict[str, str] | None = None) -> "Socket":
        """An open socket that has not said hello."""
        options = ((socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer),) if receive_buffer else ()
        url = f"ws://127.0.0.1:{self.port}/v1/socket"
        return Socket(websocket.create_connection(url, timeout=LIMIT, sockopt=options, header=headers or {}))

    def phone(self, openid: str = "oCaller0001", **how: Any) -> "Socket":
        """A socket that was welcomed."""
        found = self.connect(**how)
        found.put({"op": "hello", "ticket": f"ticket-{openid}-{time.monotonic_ns()}"})
        assert found.take() == {"op": "welcome", "heartbeat": 10, "label": "AI 生成"}
        return found


class Socket:
    """A client's side, in JSON."""

    def __init__(self, raw: websocket.WebSocket) -> None:
        self.raw = raw

    def __enter__(self) -> "Socket":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.raw.shutdown()

    def put(self, frame: Any) -> None:
        self.raw.send(json.dumps(frame))

    def take(self) -> Any:
        return json.loads(self.raw.recv())

    def send(self, text: str, client_id: str) -> str:
        """Send a message; its turn's id."""
        self.put({"op": "send", "client_id": client_id, "text": text})
        frame = self.take()
        assert (frame["op"], frame["client_id"], frame["cursor"]) == ("turn", client_id, 0)
        return str(frame["turn"]["id"])

    def closed(self) -> int:
        """The code of the close frame that must come now, 0 for a connection that just ends."""
        try:
            opcode, data = self.raw.recv_data()
        except (OSError, websocket.WebSocketConnectionClosedException):
            return 0
        assert opcode == websocket.ABNF.OPCODE_CLOSE, data
        return int.from_bytes(data[:2], "big")

    def errors_until_closed(self) -> tuple[list[str], int]:
        """The codes of error frames, then the close code."""
        codes = []
        while True:
            try:
                opcode, data = self.raw.recv_data()
            except (OSError, websocket.WebSocketConnectionClosedException):
                return codes, 0
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                return codes, int.from_bytes(data[:2], "big")
            codes.append(json.loads(data)["error"]["code"])
