"""Server-sent events, decoded on bytes (WHATWG HTML, "Server-sent events").

Lines end at CR, LF or CRLF only: a text splitter would also cut at U+2028 or U+0085 inside JSON. However the bytes are
cut, the events are the same; whole events of one line each, which is nearly all there ever is, are split in one step.
What some upstreams do beside the standard is understood: an error in a field `error:` or
under `event: error`, a bare line of JSON, and a last `[DONE]` without the empty line after it (docs/relays.md).
"""

from yunliao.errors import RelayMalformed

MAX_LINE = 1 << 20
"""Bytes of one line, and of the data of one event; no chunk of an answer comes near it."""
BOM = b"\xef\xbb\xbf"
"""Counts for nothing at the very beginning, and only there."""


class SseDecoder:
    """`feed` returns the `data` of the events completed by these bytes."""

    def __init__(self) -> None:
        self._buffer = b""
        self._data: list[bytes] = []
        self._size = 0
        self._named_error = False
        self._first = True
        self._skip_lf = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Raises `RelayMalformed` when a line or an event is too large. An unfinished last event is never given out."""
        if self._skip_lf and chunk:
            chunk = chunk[1:] if chunk[:1] == b"\n" else chunk
            self._skip_lf = False
        buffer = self._buffer + chunk
        if buffer[:6] == b"data: " and buffer[-2:] == b"\n\n" and not (self._data or self._named_error):
            plain = buffer[6:-2].split(b"\n\ndata: ")
            single = buffer.count(b"\n") == 2 * len(plain) and b"\r" not in buffer
            if single and (len(buffer) < MAX_LINE or max(map(len, plain)) <= MAX_LINE):
                self._buffer, self._first = b"", False
                return plain
        if self._first and not BOM.startswith(buffer):
            buffer = buffer.removeprefix(BOM)
            self._first = False
        events: list[bytes] = []
        start = 0
        while (end := _line_end(buffer, start)) >= 0:
            self._line(buffer[start:end], events)
            start = end + 1
            if buffer[end] == 13:
                if start == len(buffer):
                    self._skip_lf = True
                elif buffer[start] == 10:
                    start += 1
        self._buffer = buffer[start:]
        if len(self._buffer) > MAX_LINE:
            raise RelayMalformed("line too long")
        return events

    def finish(self) -> list[bytes]:
        """The bytes have ended: of what is unfinished only a `[DONE]` counts."""
        lines = [*self._data, self._buffer.partition(b":")[2]]
        return [b"[DONE]"] if any(line.strip() == b"[DONE]" for line in lines) else []

    def _line(self, line: bytes, events: list[bytes]) -> None:
        if not line:
            if self._data:
                data = b"\n".join(self._data)
                events.append(_as_error(data) if self._named_error else data)
            self._data, self._size, self._named_error = [], 0, False
            return
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._size += len(value)
            if self._size > MAX_LINE:
                raise RelayMalformed("event too large")
            self._data.append(value)
        elif name == b"event":
            self._named_error = value.strip() == b"error"
        elif name == b"error":
            events.append(_as_error(value))
        elif line[:1] == b"{":
            events.append(line)


def _as_error(data: bytes) -> bytes:
    """An error object in the wrapping that all others have."""
    return b'{"error":' + (data if data.lstrip()[:1] == b"{" else b'"stream"') + b"}"


def _line_end(buffer: bytes, start: int) -> int:
    newline = buffer.find(b"\n", start)
    carriage = buffer.find(b"\r", start, newline if newline >= 0 else len(buffer))
    return carriage if carriage >= 0 else newline
