"""A small real HTTP server that answers like WeChat's server API, or in whatever other way a test asks for."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Asked:
    """One request as it came."""

    def __init__(self, path: str, headers: dict[str, str], body: bytes, connection: tuple[str, int]) -> None:
        self.path = path
        self.headers = headers
        self.body = body
        self.connection = connection

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Reply:
    """What to answer: a status, headers, a body; or `silent` seconds, or a connection `cut` without an answer."""

    def __init__(
        self,
        body: object = None,
        *,
        status: int = 200,
        sidecar: bool = True,
        raw: bytes | None = None,
        silent: threading.Event | None = None,
        cut: bool = False,
    ) -> None:
        self.status = status
        self.sidecar = sidecar
        self.raw = json.dumps(body, ensure_ascii=False).encode() if raw is None else raw
        self.silent = silent
        self.cut = cut


class FakeApi:
    """`replies` are used up in order, the last one again and again; a callable decides by the request."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.replies: list[Reply | Callable[[Asked], Reply]] = []
        self.url = ""
        self._lock = threading.Lock()

    def next_reply(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return reply if isinstance(reply, Reply) else reply(asked)


def verdict(suggest: str = "pass", label: int = 100, **more: object) -> dict[str, object]:
    """An answer of msg_sec_check v2 as platform.md §5.1 gives it."""
    strategy = {"strategy": "content_model", "errcode": 0, "suggest": suggest, "label": label, "prob": 90}
    return {
        "errcode": 0,
        "errmsg": "ok",
        "trace_id": "trace-1",
        "result": {"suggest": suggest, "label": label},
        "detail": [strategy],
        **more,
    }


@contextmanager
def running() -> Iterator[FakeApi]:
    """The server on a free port of loopback, for as long as the block."""
    api = FakeApi()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = api.next_reply(Asked(self.path, headers, body, self.client_address))
            if reply.silent is not None:
                reply.silent.wait(60)
            if reply.cut or reply.silent is not None:
                self.close_connection = True
                return
            self.send_response(reply.status)
            if reply.sidecar:
                self.send_header("x-openapi-seqid", "seq-1")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(reply.raw)))
            self.end_headers()
            self.wfile.write(reply.raw)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
