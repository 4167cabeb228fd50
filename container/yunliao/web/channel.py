"""Our own small idea of a socket, so that the library behind it is named in one file.

What the library leaves to us: a send must put whole frames on the wire although a socket under greenlets may take only
a part of them (else a slow client's stream is corrupt); a client that never reads must not hold a sender for ever; one
that only talks must not fill our memory.
"""

import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import gevent
from simple_websocket import ConnectionClosed, Server
from wsproto.events import TextMessage
from wsproto.utilities import LocalProtocolError

SEND_SECONDS = 20.0
"""Longest time one frame may wait for a slow client, seconds; then the socket is cut and the client resumes. Nothing is
queued for it meanwhile: whoever sends pulls the next event from the log only when this one is on the wire."""
MAX_FRAME = 32 * 1024
"""Characters of one frame from a client (platform.md §2.1)."""
MAX_BACKLOG = 64
"""Frames from a client that may wait to be answered; beyond it nothing more is read from the network, so a client that
only talks is slowed down and fills its own buffers, not our memory."""
BACKLOG_PAUSE = 0.02
LINGER_SECONDS = 2.0
"""How long the goodbye of a client is waited for after ours."""
LINGER_BYTES = 1024 * 1024
PING_SECONDS = 25
OPTIONS = {"ping_interval": PING_SECONDS, "max_message_size": MAX_FRAME}
"""What the library is started with: both are off by default."""


class Closed(Exception):
    """The other side has gone, or was too slow."""


class WholeFrames:
    """WSGI middleware: the socket that is handed to the library sends everything or raises, one writer at a time.

    It also declines compression (RFC 7692): the contexts cost some 300 KB a socket for frames of a few hundred bytes,
    and the library does not keep the order of two senders' compressed frames.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if "gunicorn.socket" in environ and environ.get("HTTP_UPGRADE", "").lower() == "websocket":
            environ["gunicorn.socket"] = _WholeSends(environ["gunicorn.socket"])
            environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        return self._app(environ, start_response)


class _WholeSends:
    """A socket whose `send` is all or nothing, and whose `recv` waits while `flooded`."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._lock = threading.Lock()
        self._cut = False
        self.flooded: Callable[[], bool] = lambda: False

    def send(self, data: bytes) -> int:
        with self._lock:
            if self._cut:
                raise BrokenPipeError("the socket was cut")
            try:
                sent = self._at_once(data)
                if sent < len(data):
                    with gevent.Timeout(SEND_SECONDS, TimeoutError("client too slow")):
                        self._sock.sendall(data[sent:])
            except OSError:
                # Part of a frame may be out: nothing that is sent after it can be understood.
                self.cut()
                raise
        return len(data)

    def _at_once(self, data: bytes) -> int:
        """What goes without waiting, which is all of it for a client that reads: a timer costs more than the send."""
        with suppress(BlockingIOError):
            sent: int = self._sock.send(data, 0, 0.0)
            return sent
        return 0

    def recv(self, size: int) -> bytes:
        while self.flooded() and not self._cut:
            gevent.sleep(BACKLOG_PAUSE)
        return b"" if self._cut else self._sock.recv(size)

    def finish(self) -> None:
        """Let a close frame arrive, then end the connection and wake the reader. A socket that is closed with unread
        bytes in it is reset, and a reset destroys what is on its way to the client: its reason to reconnect."""
        with suppress(OSError), gevent.Timeout(LINGER_SECONDS, False):
            if not self._cut:
                self._sock.shutdown(socket.SHUT_WR)
            left = LINGER_BYTES
            while left > 0 and not self._cut and (piece := self._sock.recv(65536)):
                left -= len(piece)
        self.cut()

    def close(self) -> None:
        """Left to the server, which does it when the view has returned: the library closes as soon as it has said
        goodbye."""

    def cut(self) -> None:
        """End the connection without another word; wakes the reader."""
        self._cut = True
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class Channel:
    """Frames over one socket; any thread may send."""

    def __init__(self, server: Server) -> None:
        self._socket = server
        self._raw = server.sock if isinstance(server.sock, _WholeSends) else None
        if self._raw:
            self._raw.flooded = lambda: len(server.input_buffer) > MAX_BACKLOG

    def send(self, *texts: str) -> None:
        """Returns when the frames are with the system, which is asked once for all of them. Raises `Closed`."""
        server = self._socket
        try:
            if not server.connected:
                raise Closed
            server.sock.send(b"".join(server.ws.send(TextMessage(text)) for text in texts))
        except (ConnectionClosed, LocalProtocolError, OSError):
            raise Closed from None

    def receive(self, timeout: float) -> str | bytes | None:
        """The next frame, or None after `timeout` seconds. Raises `Closed`."""
        try:
            frame: str | bytes | None = self._socket.receive(timeout)
        except (ConnectionClosed, OSError):
            raise Closed from None
        if frame is None and not self._socket.connected:
            raise Closed
        return frame

    def close(self, code: int, reason: str = "") -> None:
        """Close with a code (docs/api.md); harmless when it is closed already. May take `SEND_SECONDS`."""
        with suppress(ConnectionClosed, LocalProtocolError, OSError):
            self._socket.close(code, reason)

    def finish(self) -> None:
        """The last call: waits up to `LINGER_SECONDS` for the other side's goodbye."""
        if self._raw:
            self._raw.finish()
