"""One JSON question to one server over kept-open connections, with a limit on every wait and on the answer's size."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
import urllib3

POOL = 64
"""Kept-open connections: the windows of many answers are checked at the same time."""
LARGEST_ANSWER = 256 * 1024
"""A verdict has some hundred bytes; anything larger than this is not one."""
PIECE = 16 * 1024


class PostFailed(Exception):
    """No answer came. `outcome` is `unreachable`, `timeout` or `garbled`; `kind` names the error underneath."""

    def __init__(self, outcome: str, kind: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.kind = kind


class Answer(msgspec.Struct, frozen=True):
    """Status, headers (any case) and decoded body; `body` is None if it was not JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any


class JsonPost:
    """Thread-safe. Touches the network at the first `send` only. Seconds: to connect, between two pieces of the answer,
    and for the whole body. Proxies of the environment are not used, redirects are not followed, nothing is repeated."""

    def __init__(self, base_url: str, *, connect: float, read: float, total: float) -> None:
        self._path = urlsplit(base_url).path.rstrip("/")
        self._total = total
        self._pool = urllib3.connection_from_url(
            base_url, maxsize=POOL, block=False, retries=False, timeout=urllib3.Timeout(connect=connect, read=read)
        )

    def send(self, path: str, question: object, headers: Mapping[str, str] | None = None) -> Answer:
        """POST `question` as UTF-8 JSON, never `\\u`-escaped. Raises `PostFailed`."""
        try:
            content = msgspec.json.encode(question)
        except UnicodeEncodeError:
            raise PostFailed("garbled", "lone surrogate in the text") from None
        fixed = {"Content-Type": "application/json; charset=utf-8", "Accept": "application/json"}
        try:
            response = self._pool.request(
                "POST",
                self._path + path,
                body=content,
                headers=fixed | dict(headers or {}),
                redirect=False,
                preload_content=False,
            )
            data = self._read(response)
        except urllib3.exceptions.NewConnectionError as wrong:  # a kind of time-out to urllib3, but nobody listens
            raise PostFailed("unreachable", type(wrong).__name__) from None
        except urllib3.exceptions.TimeoutError as wrong:
            raise PostFailed("timeout", type(wrong).__name__) from None
        except (urllib3.exceptions.HTTPError, OSError) as wrong:
            raise PostFailed("unreachable", type(wrong).__name__) from None
        try:
            body = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            body = None
        return Answer(response.status, response.headers, body)

    def close(self) -> None:
        """Close the kept connections."""
        self._pool.close()

    def _read(self, response: urllib3.BaseHTTPResponse) -> bytes:
        until = time.monotonic() + self._total
        data = bytearray()
        complete = False
        try:
            while piece := response.read1(PIECE, decode_content=True):
                data += piece
                if len(data) > LARGEST_ANSWER:
                    raise PostFailed("garbled", "answer too large")
                if time.monotonic() > until:
                    raise PostFailed("timeout", "total")
            complete = True
        finally:
            if complete:
                response.release_conn()
            else:
                response.close()
        return bytes(data)
