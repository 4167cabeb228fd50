"""Connections to one upstream: opened, kept open between answers, and read as bytes arrive."""

import errno
import socket
import ssl
import threading
import weakref
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

from yunliao.adapters.http.framing import Body, Head, NotHttp, parse_head
from yunliao.adapters.http.line import NOTHING_THERE, READ, Line
from yunliao.ports import Clock

MAX_IDLE = 64
"""Connections kept open for the next answer."""
IDLE_SECONDS = 50.0
"""How long one is kept: less than the 60 s after which common servers close it themselves."""
_OPTIONS = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]


class Connection:
    """One socket with the answer that is read from it."""

    def __init__(self, sock: socket.socket, line: Line) -> None:
        self.sock = sock
        self.fresh = True
        self.idle_since = 0.0
        self._line = line
        self._records = isinstance(sock, ssl.SSLSocket)
        self._more = False
        self._body: Body | None = None
        self._ready = b""
        self._failure: OSError | None = None

    def ask(self, line: Line, request: bytes) -> Head:
        """Send a request and read the head of its answer. Raises `OSError` (`TimeoutError`), `NotHttp`."""
        self._line = line
        self._body, self._ready, self._failure = None, b"", None
        line.send(self.sock, request)
        received = b""
        while (parsed := parse_head(received)) is None:
            data = line.receive(self.sock)
            if not data:
                raise ConnectionResetError(errno.ECONNRESET, "closed before an answer")
            received += data
        head, rest = parsed
        self._body = Body(head)
        self._more = True
        self._ready = self._body.feed(rest)
        if self._body.broken:
            self._failure = ConnectionResetError(errno.ECONNRESET, "cut")
        return head

    def read(self) -> bytes:
        """More of the body, all that has arrived; b"" at its end. Raises `OSError` (`TimeoutError`) when it is cut, but
        only after giving all that had come."""
        body = self._body
        assert body is not None  # noqa: S101  `ask` has given it
        payload, self._ready = self._ready, b""
        if not payload and self._failure:
            raise self._failure
        while not payload and not body.done:
            payload = self._receive(body)
        if payload and self._more:
            payload += self._arrived(body, len(payload))
        return payload

    def _receive(self, body: Body) -> bytes:
        data = self._line.receive(self.sock)
        # What a plain socket gave was all it had, unless it filled the buffer; TLS gives one record at a time.
        self._more = len(data) == READ or self._records
        if not data:
            body.end()
        payload = body.feed(data)
        if body.broken:
            self._failure = ConnectionResetError(errno.ECONNRESET, "cut")
            if not payload:
                raise self._failure
        return payload

    def _arrived(self, body: Body, size: int) -> bytes:
        """All else that is there already: however small the upstream's pieces, they cost one wake-up."""
        payload = b""
        self._line.impatient = True
        try:
            while size + len(payload) < READ and not body.done and not body.broken:
                payload += self._receive(body)
        except NOTHING_THERE:
            pass
        except OSError as failure:
            self._failure = failure
        finally:
            self._line.impatient = False
        return payload

    @property
    def answered(self) -> bool:
        """Whether the answer has been read to its end."""
        return self._body is not None and self._body.done

    @property
    def keepable(self) -> bool:
        """Whether another answer may come this way, once the rest of this one has arrived."""
        body = self._body
        return body is not None and body.reusable and not body.broken and not body.excess and self._failure is None

    def settle(self) -> bool:
        """Take what is left of the last answer without waiting; whether the connection is ready for the next."""
        body = self._body
        assert body is not None  # noqa: S101  only asked of a connection that has answered
        self.sock.settimeout(0)
        try:
            while True:
                data = self.sock.recv(READ)
                body.feed(data)
                if not data or body.excess or body.broken:
                    return False
        except NOTHING_THERE:
            return body.done
        except OSError:
            return False

    def close(self) -> None:
        """Close the socket."""
        with suppress(OSError):
            self.sock.close()


class Connections:
    """Opens connections to `url` and keeps those that can serve again."""

    def __init__(self, url: str, connect: float, clock: Clock, context: ssl.SSLContext | None = None) -> None:
        """`connect`: seconds until a connection stands, TLS included. `context` replaces the usual TLS rules."""
        self._address: SplitResult = urlsplit(url)
        self._connect = connect
        self._clock = clock
        self._tls = None
        if self._address.scheme == "https":
            self._tls = context or ssl.create_default_context()
        self._idle: deque[Connection] = deque()
        self._closed = False
        weakref.finalize(self, _close, self._idle)  # of a client that nobody closed and nobody holds any more
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Connections({self._address.hostname!r}, idle={self.idle})"

    @property
    def idle(self) -> int:
        """How many wait for the next answer."""
        return len(self._idle)

    def take(self, line: Line) -> Connection:
        """A kept connection that is ready, else a new one. Raises `OSError`."""
        while True:
            with self._lock:
                kept = self._idle.pop() if self._idle else None
            if kept is None:
                return self.open(line)
            if self._clock.monotonic() - kept.idle_since < IDLE_SECONDS and kept.settle():
                kept.fresh = False
                try:
                    line.hold(kept.sock)
                except OSError:
                    kept.close()
                    raise
                return kept
            kept.close()

    def open(self, line: Line) -> Connection:
        """A new connection. Raises `OSError`, `ssl.SSLError` among them."""
        seconds = min(self._connect, line.patience())
        host = self._address.hostname or ""
        sock = line.dial(host, self._address.port or (443 if self._tls else 80), seconds, _OPTIONS)
        if self._tls is not None:
            try:
                sock = self._tls.wrap_socket(sock, server_hostname=host)
            except BaseException:
                sock.close()
                raise
        return Connection(sock, line)

    def give_back(self, connection: Connection) -> None:
        """Keep it for the next answer, or close it."""
        connection.idle_since = self._clock.monotonic()
        with self._lock:
            if connection.keepable and len(self._idle) < MAX_IDLE and not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close what is kept, and from now on what is given back."""
        self._closed = True
        self.forget()

    def forget(self) -> None:
        """Close what is kept: what broke one of them may have broken all."""
        with self._lock:
            kept = list(self._idle)
            self._idle.clear()
        _close(kept)


def _close(kept: Iterable[Connection]) -> None:
    for connection in kept:
        connection.close()


__all__ = ["Connection", "Connections", "NotHttp"]
