"""One JSON question to one server over kept-open connections, with a limit on every wait and on the answer's size.

Over the connections of adapters/http: an answer costs some five checks, and a general HTTP client costs three times the
processor time for each (docs/performance.md).
"""

import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from yunliao.adapters.clock import SystemClock
from yunliao.adapters.http.connection import Connection, Connections
from yunliao.adapters.http.framing import Head, NotHttp
from yunliao.adapters.http.line import Limits, Line

LARGEST_ANSWER = 256 * 1024
"""A verdict has some hundred bytes; anything larger than this is not one."""
FIXED = {
    "User-Agent": "yunliao",
    "Content-Type": "application/json; charset=utf-8",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
}


class PostFailed(Exception):
    """No answer came. `outcome` is `unreachable`, `timeout` or `garbled`; `kind` names the error underneath."""

    def __init__(self, outcome: str, kind: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.kind = kind


class Answer(msgspec.Struct, frozen=True):
    """Status, headers (names in lower case) and decoded body; `body` is None if it was not JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any


class JsonPost:
    """Thread-safe. Touches the network at the first `send` only. Seconds: to connect, between two pieces of the answer,
    and for the whole. Proxies of the environment are not used, redirects are not followed, nothing is repeated."""

    def __init__(self, base_url: str, *, connect: float, read: float, total: float) -> None:
        parts = urlsplit(base_url)
        self._path = parts.path.rstrip("/")
        host = parts.netloc.rpartition("@")[2]
        self._clock = SystemClock()
        self._limits = Limits(connect=connect, first_byte=connect + read, silence=read, total=connect + total)
        self._connections = Connections(base_url, connect, self._clock)
        self._fixed = "".join(f"{name}: {value}\r\n" for name, value in ({"Host": host} | FIXED).items())

    def send(self, path: str, question: object, headers: Mapping[str, str] | None = None) -> Answer:
        """POST `question` as UTF-8 JSON, never `\\u`-escaped. Raises `PostFailed`."""
        try:
            content = msgspec.json.encode(question)
        except UnicodeEncodeError:
            raise PostFailed("garbled", "lone surrogate in the text") from None
        own = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        lines = f"{self._fixed}{own}Content-Length: {len(content)}\r\n"
        head, data = self._exchange(f"POST {self._path}{path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + content)
        try:
            body = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            body = None
        return Answer(head.status, head.headers, body)

    def close(self) -> None:
        """Close the kept connections."""
        self._connections.close()

    def _exchange(self, request: bytes) -> tuple[Head, bytes]:
        line = Line(self._limits, self._clock, breakable=False)
        line.begin()
        connection: Connection | None = None
        done = False
        try:
            connection = self._connections.take(line)
            head = connection.ask(line, request)
            data = _whole(connection, line)
            done = True
        except TimeoutError as wrong:
            raise PostFailed("timeout", type(wrong).__name__) from None
        except (OSError, NotHttp, ssl.SSLError) as wrong:
            raise PostFailed("unreachable", type(wrong).__name__) from None
        finally:
            if connection is not None:
                if done:
                    self._connections.give_back(connection)
                else:
                    connection.close()
                    if not connection.fresh:  # so that a second try of the caller does not meet the next broken one
                        self._connections.forget()
        return head, data


def _whole(connection: Connection, line: Line) -> bytes:
    data = b""
    while piece := connection.read():
        line.answering = True
        data += piece
        if len(data) > LARGEST_ANSWER:
            raise PostFailed("garbled", "answer too large")
    return data
