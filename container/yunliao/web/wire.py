"""How the server puts answers on the wire, where its own way costs more than it must (docs/performance.md).

Nothing of HTTP is decided here: what is sent is byte for byte what the server would send.
"""

from typing import Any

from gunicorn.http import wsgi
from gunicorn.http.wsgi import Response


class OneSend(Response):  # type: ignore[misc]
    """The head of an answer goes out together with the first part of its body: one system call, and one wake-up of who
    waits for it, instead of two."""

    _head = b""
    headers_sent: bool

    def send_headers(self) -> None:
        """Held until there is something to send with them."""
        if not self.headers_sent:
            lines = [*self.default_headers(), *(f"{name}: {value}\r\n" for name, value in self.headers), "\r\n"]
            self._head = "".join(lines).encode("latin-1")
            self.headers_sent = True

    def close(self) -> None:
        """The end of the body; what was held goes now."""
        self.send_headers()
        self._put(b"0\r\n\r\n" if self.chunked else b"")

    def _emit_body(self, data: bytes) -> None:
        self._put(b"%X\r\n%b\r\n" % (len(data), data) if self.chunked else data)

    def _put(self, data: bytes) -> None:
        head, self._head = self._head, b""
        if head or data:
            self.sock.sendall(head + data)


def install(worker: Any) -> None:
    """For every answer of this worker."""
    wsgi.Response = OneSend
    # Its settings are what they are from here on: each was looked up in two steps, some twenty times a request.
    config = worker.cfg
    vars(config).update({name: setting.get() for name, setting in config.settings.items()})
