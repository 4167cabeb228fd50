"""Our own small idea of a socket, so that the library behind it is named in one file.

Two things the library leaves to us: a send must put whole frames on the wire although a socket under greenlets may take
only a part of them (else a slow client's stream is corrupt), and a client that never reads must not hold a sender for
ever.
"""

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import gevent
from simple_websocket import ConnectionClosed, Server

SEND_SECONDS = 20.0
"""Longest time one frame may wait for a slow client, seconds; then the socket is closed and the client resumes."""
MAX_FRAME = 32 * 1024
"""Bytes of one frame from a client (platform.md §2.1)."""
PING_SECONDS = 25


class Closed(Exception):
    """The other side has gone, or was too slow."""


class WholeFrames:
    """WSGI middleware: the socket that is handed to the library sends everything or raises, one writer at a time."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if "gunicorn.socket" in environ and environ.get("HTTP_UPGRADE", "").lower() == "websocket":
            environ["gunicorn.socket"] = _WholeSends(environ["gunicorn.socket"])
        return self._app(environ, start_response)


class _WholeSends:
    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._lock = threading.Lock()

    def send(self, data: bytes) -> int:
        with self._lock, gevent.Timeout(SEND_SECONDS, TimeoutError("client too slow")):
            self._sock.sendall(data)
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class Channel:
    """Text frames over one socket; any thread may send."""

    def __init__(self, socket: Server) -> None:
        self._socket = socket

    def send(self, text: str) -> None:
        """Raises `Closed`."""
        try:
            self._socket.send(text)
        except (ConnectionClosed, OSError):
            raise Closed from None

    def receive(self, timeout: float) -> str | None:
        """The next frame, or None after `timeout` seconds. Raises `Closed`."""
        try:
            frame = self._socket.receive(timeout)
        except (ConnectionClosed, OSError):
            raise Closed from None
        if frame is None and not self._socket.connected:
            raise Closed
        return frame.decode("utf-8", "replace") if isinstance(frame, bytes) else frame

    def close(self, code: int, reason: str = "") -> None:
        """Close with a code (docs/api.md); harmless when it is closed already."""
        with suppress(ConnectionClosed, OSError):
            self._socket.close(code, reason)
