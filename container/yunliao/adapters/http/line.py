"""The hold of one stream on its connection: how long each wait may last, and the means to break it off.

* Every single receive asks its `Line` how long it may wait, so that bytes that trickle in, in a header or inside a
  chunk, cannot stretch a limit.
* `Line.close`, from any thread, ends a connect, a TLS handshake, a send, a receive or a pause between tries at once,
  and the upstream sees the connection close. It shuts down a duplicate of the socket: the TLS object and the reader
  are touched by their own thread alone.
"""

import errno
import fcntl
import math
import os
import select
import socket
import ssl
import sys
import termios
import threading
import time
from contextlib import suppress
from typing import Any

import msgspec

from yunliao.adapters.beat import Beat, wake
from yunliao.ports import Clock

NOTHING_THERE = (BlockingIOError, ssl.SSLWantReadError)
READ = 64 * 1024
"""Bytes asked for at once."""
DIAL_STEP = 0.05
"""Seconds between two looks at whether a connect is still wanted."""
_UNDER_WAY = {errno.EINPROGRESS, errno.EALREADY, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", -1)}


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds. `connect`: until a connection stands, TLS included. `first_byte`: from asking until the first byte of
    the answer's body, all tries and pauses included. `silence`: between two receives after that; comments and
    keep-alives are signs of life and count. `total`: from asking until the end, whatever comes."""

    connect: float = 5.0
    first_byte: float = 60.0
    silence: float = 30.0
    total: float = 300.0


class Line:
    """The hold of one stream on its connection."""

    def __init__(self, limits: Limits, clock: Clock, *, breakable: bool = True) -> None:
        """One that is not `breakable` waits out its limits: `close` does not reach its socket, which spares a system
        call or two."""
        self._breakable = breakable
        self._limits = limits
        self._clock = clock
        self._closed = False
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self._place: threading.Lock | None = None
        self._first_byte_at = self._total_at = 0.0
        self._farewell_at = math.inf
        self._there = -1
        """Bytes that lay unread at the last look of a pause."""
        self.answering = False
        """Whether a byte of the body has come."""
        self.impatient = False
        """Whether a receive takes only what is there already."""

    def begin(self, first_byte: float | None = None) -> None:
        """The limits count from now; `first_byte` may be shorter than the one of the limits."""
        now = self._clock.monotonic()
        self._first_byte_at = now + min(self._limits.first_byte, first_byte or self._limits.first_byte)
        self._total_at = now + self._limits.total

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    @property
    def overdue(self) -> bool:
        """Whether the total limit is over."""
        return self._clock.monotonic() >= self._total_at

    @property
    def opening(self) -> float:
        """Seconds left until the first byte of the body must be there; may be negative."""
        return min(self._first_byte_at, self._total_at) - self._clock.monotonic()

    def hurry(self, seconds: float) -> None:
        """Whatever still comes, it must come within `seconds` from now."""
        self._farewell_at = self._clock.monotonic() + seconds

    def patience(self) -> float:
        """Seconds the next receive may wait. Raises `TimeoutError` when a limit is over already."""
        if self.impatient:
            return 0.0
        left = self.opening
        if self.answering:
            left = min(self._limits.silence, min(self._farewell_at, self._total_at) - self._clock.monotonic())
        if left <= 0:
            raise TimeoutError
        return left

    def receive(self, sock: socket.socket) -> bytes:
        """What comes next, b"" at the end. Raises `TimeoutError` when a limit is met, `OSError` when it is cut, and
        `BlockingIOError` or `ssl.SSLWantReadError` when an impatient receive finds nothing."""
        sock.settimeout(self.patience())
        try:
            return sock.recv(READ)
        except TimeoutError:
            if self.overdue:
                raise
        # It may be us who stood still, and what came meanwhile lies there: that is no silence.
        sock.settimeout(0)
        try:
            return sock.recv(READ)
        except NOTHING_THERE:
            raise TimeoutError from None

    def send(self, sock: socket.socket, data: bytes) -> None:
        """Raises as `receive`."""
        sock.settimeout(self.patience())
        sock.sendall(data)

    def rest(self, seconds: float, beat: Beat) -> None:
        """Wait about so long; ends at once when closed, and soon when what came stands still or was its end: then
        nothing is gained by waiting for more."""
        if seconds <= 0:
            return
        place = threading.Lock()
        place.acquire()
        self._place = place
        self._there = -1
        if not self.closed:
            beat.rest(seconds, place, self._stands_still)
        self._place = None

    def _stands_still(self) -> bool:
        handle = self._handle
        if handle is None:
            return False
        before = self._there
        try:
            self._there = int.from_bytes(fcntl.ioctl(handle.fileno(), termios.FIONREAD, bytes(4)), sys.byteorder)
            return self._there == before if self._there else handle.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except (OSError, ValueError):  # cut, or let go meanwhile
            return True

    def hold(self, sock: socket.socket) -> None:
        """Let `close` reach this socket. Raises `ConnectionAbortedError` when it was called already."""
        if not self._breakable:
            return
        handle = socket.fromfd(sock.fileno(), sock.family, sock.type)
        handle.settimeout(0)  # it only looks; the socket itself is set anew before every use
        with self._lock:
            old, self._handle = self._handle, handle
        if old is not None:
            old.close()
        if self.closed:  # a close between the two lines above found the handle itself
            self.close()
            raise ConnectionAbortedError

    def let_go(self) -> None:
        """From here on `close` does not touch the connection."""
        with self._lock:
            handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()

    def close(self) -> None:
        """Break off; any thread, any number of times."""
        self._closed = True
        place = self._place
        if place is not None:
            wake(place)
        with self._lock:
            if self._handle is not None:
                with suppress(OSError):
                    self._handle.shutdown(socket.SHUT_RDWR)

    def dial(self, host: str, port: int, seconds: float, options: list[tuple[int, int, int]]) -> socket.socket:
        """A connected TCP socket with timeout `seconds`, trying each address of `host` in turn. Raises `OSError`;
        looking up the name itself cannot be broken off."""
        until = time.monotonic() + seconds
        failure = OSError(errno.EADDRNOTAVAIL, "no address")
        for family, kind, proto, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            sock = socket.socket(family, kind, proto)
            try:
                for option in options:
                    sock.setsockopt(*option)
                self._connect(sock, address, until)
                self.hold(sock)
                sock.settimeout(max(0.001, until - time.monotonic()))
            except OSError as error:
                sock.close()
                failure = error
                if self.closed:
                    break
            except BaseException:
                sock.close()
                raise
            else:
                return sock
        raise failure

    def _connect(self, sock: socket.socket, address: Any, until: float) -> None:
        sock.setblocking(False)
        code = sock.connect_ex(address)
        while code in _UNDER_WAY:
            left = until - time.monotonic()
            if self.closed:
                raise ConnectionAbortedError
            if left <= 0:
                raise TimeoutError
            if _writable(sock, min(left, DIAL_STEP)):
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                break
        if code:
            raise OSError(code, os.strerror(code))


def _writable(sock: socket.socket, seconds: float) -> bool:
    poll = select.poll()  # not select: that one knows no descriptor from 1024 on
    poll.register(sock, select.POLLOUT)
    return bool(poll.poll(seconds * 1000))
