"""One socket: whole frames out, whole messages in (RFC 6455). `wsproto` reads; it is named in this file alone.

A send puts whole frames on the wire although a socket under greenlets may take only a part of them (else a slow
client's stream is corrupt), one writer at a time. A client that never reads holds no sender for ever. One that only
talks cannot fill our memory: nothing is read while a message of its is answered, so what it says waits in its own
buffers. Compression (RFC 7692) is never agreed to: its contexts cost some 300 KB a socket, for frames of a few hundred
bytes.

A socket whose client is silent has no greenlet, only two watchers of the event loop: a greenlet would keep its stack,
up to 16 KB of frames and the request that opened it, for hours in which a phone says a few bytes.
"""

import math
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gevent
from gevent.socket import wait_write
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage
from wsproto.utilities import LocalProtocolError

SEND_SECONDS = 20.0
"""Longest time one send may wait for a slow client, seconds; then the socket is cut and the client resumes. Nothing is
queued for it meanwhile: what comes next is pulled from the log when this is on the wire."""
MAX_FRAME = 32 * 1024
"""Characters of one message from a client (platform.md §2.1)."""
PIECE = 4096
"""Bytes that are read at once: a phone's frame is smaller, and this is what a client that floods us may fill."""
TURN_SECONDS = 0.001
"""Pause before each further read of one who goes on talking."""
LINGER_SECONDS = 2.0
"""How long the goodbye of a client is waited for after ours."""
LINGER_BYTES = 1024 * 1024
PING_SECONDS = 25.0
"""Seconds between two pings; who has not answered one when the next is due has gone."""
TOO_BIG, NO_PONG = 1009, 1008
READABLE = 1
"""libev's event."""


class Closed(Exception):
    """The other side has gone, was too slow, or was told goodbye."""


class Channel:
    """Messages over one upgraded connection; any greenlet may send, one receives.

    `sock` is gevent's, and is closed here.
    """

    __slots__ = (
        "_attend", "_cut", "_ended", "_lock", "_over", "_parts", "_ping_at", "_ponged", "_rest", "_size", "_sock",
        "_talks", "_timer", "_watcher", "_ws", "look_at",
    )  # fmt: skip

    def __init__(self, sock: Any) -> None:
        self.look_at = math.inf
        """Who attends wants to be called at this moment too, by the monotonic clock."""
        self._sock = sock
        self._watcher: Any = None
        self._timer: Any = None
        self._ws = Connection(ConnectionType.SERVER)
        self._lock = threading.Lock()
        self._rest = b""
        self._over = self._cut = False
        self._parts: list[str | bytes] = []
        self._size = 0
        self._ponged = True
        self._talks = False
        self._ping_at = time.monotonic() + PING_SECONDS

    # --- sending ---------------------------------------------------------------------------------------------------

    def send(self, *texts: bytes, wanted: Callable[[], bool] | None = None) -> bool:
        """Returns when these texts, and the rest of what was offered before, are with the system, which is asked once
        for all of them. False: `wanted`, asked when no other writer is left before this one, said no, and of the texts
        nothing was sent. Raises `Closed`."""
        with self._lock:
            self._flush(self._rest)
            if wanted is not None and not wanted():
                return False
            self._flush(_frames(texts))
        return True

    def offer(self, *texts: bytes, wanted: Callable[[], bool]) -> bool:
        """As `send`, without waiting. False: nothing was taken, since it is not wanted, another is writing, or the
        client is behind. True: all was taken, and if it is `behind` now somebody has to `send`. Raises `Closed`."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            if self._rest or not wanted():
                return False
            data = _frames(texts)
            self._rest = data[self._at_once(data) :]
            return True
        finally:
            self._lock.release()

    @property
    def behind(self) -> bool:
        """Whether a part of what was offered has still to be sent."""
        return bool(self._rest)

    def close(self, code: int, reason: str = "") -> None:
        """Say goodbye with a code (docs/api.md); harmless when it was said already. May take `SEND_SECONDS`."""
        self._goodbye(CloseConnection(code, reason))
        self._rise()

    def _goodbye(self, last: CloseConnection) -> None:
        with suppress(Closed, LocalProtocolError), self._lock:
            self._flush(self._rest + self._ws.send(last))
            self._over = True

    def _control(self, event: Event) -> None:
        with self._lock:
            if self._over or self._cut:
                raise Closed
            self._flush(self._rest + self._ws.send(event))

    def _flush(self, data: bytes) -> None:
        """Send it all, with the lock held. Raises `Closed`."""
        if not data and not (self._over or self._cut):
            return
        sent = self._at_once(data)
        self._rest = b""
        if sent < len(data):
            try:
                self._patiently(memoryview(data)[sent:])
            except BaseException as failure:
                self.cut()  # part of a frame may be out: nothing that is sent after it can be understood
                if isinstance(failure, OSError):
                    raise Closed from None
                raise

    def _at_once(self, data: bytes) -> int:
        """Bytes that go without waiting, which is all of them for a client that reads. Raises `Closed`."""
        if self._over or self._cut:
            raise Closed
        try:
            sent: int = self._sock.send(data, 0, 0.0)
        except BlockingIOError:
            return 0
        except OSError:
            self.cut()
            raise Closed from None
        return sent

    def _patiently(self, data: memoryview) -> None:
        deadline = time.monotonic() + SEND_SECONDS
        while data:
            wait_write(self._sock.fileno(), max(0.0, deadline - time.monotonic()))
            with suppress(BlockingIOError):
                data = data[self._sock.send(data, 0, 0.0) :]

    # --- receiving -------------------------------------------------------------------------------------------------

    def serve(self, attend: Callable[[], bool], ended: Callable[[], None]) -> None:
        """Returns at once. From here `attend` is called, on a greenlet of its own and never twice at a time, when the
        client said something, at `look_at`, when a ping is due, and when the socket is over; it `receive`s until there
        is no more. When it returns False the connection ends, then `ended` is called."""
        self._attend, self._ended = attend, ended
        self._sock.settimeout(0.0)
        self._watcher = gevent.get_hub().loop.io(self._sock.fileno(), READABLE)
        self._park()

    def _park(self) -> None:
        """No greenlet until something happens."""
        wait = max(0.0, min(self._ping_at, self.look_at) - time.monotonic())
        self._timer = gevent.get_hub().loop.timer(wait)
        self._timer.start(self._rise)
        self._watcher.start(self._rise)

    def _rise(self) -> None:
        """Also what wakes a parked one from outside; without effect on one that is attended to."""
        if self._timer is not None:
            self._watcher.stop()
            self._timer.stop()
            self._timer.close()
            self._timer = None
            gevent.spawn(self._attended)

    def _attended(self) -> None:
        again = self._talks = False
        try:
            again = self._attend() and not self._over
        finally:
            if again:
                self._park()
            else:
                try:
                    self._finish()
                finally:
                    self._ended()

    def receive(self) -> str | bytes | None:
        """The next message; None if no whole one is there, or at `look_at`. Answers and sends pings on the way. Raises
        `Closed`."""
        while True:
            for event in self._ws.events():
                message = self._heard(event)
                if message is not None:
                    return message
            if not self._read():
                return None

    def _heard(self, event: Event) -> str | bytes | None:
        """A whole message, if this event completes one."""
        match event:
            case TextMessage() | BytesMessage():
                return self._joined(event)
            case Ping():
                self._control(event.response())
            case Pong():
                self._ponged = True
            case CloseConnection():  # theirs, or the decoder's about bytes that are no frames
                self._goodbye(event.response())
                raise Closed
        return None

    def _joined(self, part: TextMessage | BytesMessage) -> str | bytes | None:
        self._size += len(part.data)
        if self._size > MAX_FRAME:
            self.close(TOO_BIG, "Message is too big")
            raise Closed
        if self._over:
            raise Closed
        if part.data:
            self._parts.append(part.data if isinstance(part, TextMessage) else bytes(part.data))
        if not part.message_finished:
            return None
        parts, self._parts, self._size = self._parts, [], 0
        empty: Any = "" if isinstance(part, TextMessage) else b""
        return parts[0] if len(parts) == 1 else empty.join(parts)

    def _read(self) -> bool:
        """Whether something has come. It is read before anybody is called silent."""
        if self._over:
            raise Closed
        try:
            data = self._sock.recv(PIECE)
        except BlockingIOError:
            if time.monotonic() >= self._ping_at:
                self._ping()
            return False
        except OSError:
            raise Closed from None
        if not data:
            raise Closed
        if self._talks:
            # It says more than one read holds. Only a wait of some length lets the loop look at everybody else: of
            # none, some fifty would pass before it does.
            gevent.sleep(TURN_SECONDS)
        self._talks = True
        self._ws.receive_data(data)
        return time.monotonic() < self.look_at

    def _ping(self) -> None:
        if not self._ponged:
            self.close(NO_PONG, "Ping/Pong timeout")
            raise Closed
        self._ponged = False
        self._control(Ping())
        self._ping_at = time.monotonic() + PING_SECONDS

    # --- ending ----------------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        """Wait up to `LINGER_SECONDS` for the other side's goodbye, then close. A socket that is closed with unread
        bytes in it is reset, and a reset destroys what is on its way to the client: its reason to reconnect."""
        deadline, left = time.monotonic() + LINGER_SECONDS, LINGER_BYTES
        with suppress(OSError):
            if not self._cut:
                self._sock.shutdown(socket.SHUT_WR)
            while left > 0 and not self._cut:
                self._sock.settimeout(max(0.0, deadline - time.monotonic()))
                piece = self._sock.recv(4 * PIECE)
                if not piece:
                    break
                left -= len(piece)
        self.cut()
        with self._lock:  # no writer is left with a descriptor that will be another's
            self._watcher.close()
            self._sock.close()

    def cut(self) -> None:
        """End the connection without another word; wakes who attends."""
        self._cut = True
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)


def _frames(texts: tuple[bytes, ...]) -> bytes:
    """Whole text frames of a server, which masks nothing (RFC 6455 §5.2)."""
    return b"".join(part for text in texts for part in (_head(len(text)), text))


def _head(size: int) -> bytes:
    if size < 126:
        return bytes((0x81, size))
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big")
    return b"\x81\x7f" + size.to_bytes(8, "big")
