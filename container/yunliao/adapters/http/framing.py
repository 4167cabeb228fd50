"""HTTP/1.1 responses, decoded on bytes without a socket (RFC 9112 §4 to §7).

However the bytes are cut, the payload is the same, and half a chunk's size line does not hold up the payload before it.
"""

import msgspec

MAX_HEAD = 64 * 1024
"""Bytes of a response head."""
MAX_LINE = 4 * 1024
"""Bytes of a chunk's size line, or of one trailer."""
MAX_DIGITS = 15
"""Of a length; Python itself refuses to read thousands of them."""


class NotHttp(ValueError):
    """These bytes are not an HTTP/1.1 response."""


class Head(msgspec.Struct, frozen=True):
    """Status and headers, names in lower case; of a repeated header the last one counts."""

    status: int
    headers: dict[str, str]


def parse_head(data: bytes) -> tuple[Head, bytes] | None:
    """The head and the bytes after it; None while it is not whole. Interim answers (1xx) are skipped. Raises
    `NotHttp`."""
    while True:
        end = data.find(b"\r\n\r\n")
        if end < 0:
            if len(data) > MAX_HEAD or not b"HTTP/1.".startswith(data[:7]):
                raise NotHttp("no response head")
            return None
        first, *lines = data[:end].decode("latin-1").split("\r\n")
        rest = data[end + 4 :]
        version, _, tail = first.partition(" ")
        code = tail[:3]
        if version not in ("HTTP/1.1", "HTTP/1.0") or not (code.isascii() and code.isdigit() and len(code) == 3):
            raise NotHttp("no status line")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if version == "HTTP/1.0":
            headers.setdefault("connection", "close")
        if code[0] != "1":
            return Head(int(code), headers), rest
        data = rest


class Body:
    """Takes the bytes after a head and gives the payload. `done`: it is whole; `broken`: it cannot become so."""

    def __init__(self, head: Head) -> None:
        """Raises `NotHttp`."""
        headers = head.headers
        self.done = self.broken = False
        self.excess = False
        """Whether bytes came after the end: the connection cannot be used again."""
        self.reusable = "close" not in headers.get("connection", "").lower()
        self._chunked = "chunked" in headers.get("transfer-encoding", "").lower()
        self._left = -1
        self._buffer = b""
        self._state = "size"
        if head.status in (204, 304):
            self.done = True
        elif not self._chunked:
            length = headers.get("content-length", "")
            if length.isascii() and length.isdigit():
                if len(length) > MAX_DIGITS:
                    raise NotHttp("no body is so long")
                self._left = int(length)
                self.done = self._left == 0
            else:
                self.reusable = False

    def feed(self, data: bytes) -> bytes:
        """The payload in these bytes."""
        if self.done:
            self.excess = self.excess or bool(data)
            return b""
        if self._chunked:
            return self._chunks(data)
        if self._left < 0:
            return data
        payload, more = data[: self._left], data[self._left :]
        self._left -= len(payload)
        self.done = self._left == 0
        self.excess = bool(more)
        return payload

    def end(self) -> None:
        """The connection was closed: the end of a body without a length, a cut for any other."""
        if not self.done:
            self.done = not self._chunked and self._left < 0
            self.broken = not self.done
        self.reusable = False

    def _chunks(self, data: bytes) -> bytes:
        buffer, at = self._buffer + data, 0
        pieces = []
        while at < len(buffer) and not self.done and not self.broken:
            if self._state == "data":
                piece = buffer[at : at + self._left]
                pieces.append(piece)
                at += len(piece)
                self._left -= len(piece)
                if self._left == 0:
                    self._state = "after"
                continue
            end = buffer.find(b"\n", at)
            if end < 0:
                self.broken = len(buffer) - at > MAX_LINE
                break
            line, at = buffer[at:end], end + 1
            self._line(line.removesuffix(b"\r"))
            if self._state == "data" and buffer.startswith(b"\r\n", at + self._left):  # a whole chunk: nearly always
                pieces.append(buffer[at : at + self._left])
                at += self._left + 2
                self._state = "size"
        self.excess = self.done and at < len(buffer)
        self._buffer = b"" if self.done else buffer[at:]
        return b"".join(pieces)

    def _line(self, line: bytes) -> None:
        """One line between the data: a size, the end of a chunk, or a trailer."""
        if self._state == "after":
            self._state, self.broken = "size", bool(line)
        elif self._state == "trailers":
            self.done = not line
        else:
            digits = line.partition(b";")[0].strip()
            try:
                self._left = int(digits, 16) if digits.isalnum() and len(digits) <= 12 else -1
            except ValueError:
                self._left = -1
            self.broken = self._left < 0
            self._state = "data" if self._left else "trailers"
