"""An upstream on raw sockets, for faults below HTTP.

Each connection that comes in is handed to the next script, a function that reads requests and sends bytes as it likes.
After the last script, connections are closed without a word. Scripts run on threads (greenlets, when patched) and their
exceptions fail the test in `Upstream.close`.
"""

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

WAIT = 30.0
"""Seconds after which a wait in a script has failed; generous, for busy machines."""

Script = Callable[["Peer"], None]


class Request:
    """One request as it came."""

    def __init__(self, head: bytes, body: bytes) -> None:
        lines = head.decode("latin-1").split("\r\n")
        self.line = lines[0]
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        self.raw_body = body

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.raw_body)


class Peer:
    """The server's end of one connection. `gone` is set once the script saw the client close it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.requests: list[Request] = []
        self.gone = threading.Event()
        self.asked = threading.Event()
        """Set once a request was read."""
        sock.settimeout(WAIT)

    def read_request(self) -> Request:
        """The next request. Raises `ConnectionError` when the client closes instead."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._receive()
        head, _, body = data.partition(b"\r\n\r\n")
        request = Request(head, body)
        while len(request.raw_body) < int(request.headers.get("content-length", "0")):
            request.raw_body += self._receive()
        self.requests.append(request)
        self.asked.set()
        return request

    def _receive(self) -> bytes:
        data = self._sock.recv(65536)
        if not data:
            self.gone.set()
            raise ConnectionError("client closed")
        return data

    def send(self, *pieces: bytes) -> None:
        """Each piece in a send of its own."""
        for piece in pieces:
            self._sock.sendall(piece)

    def wait_gone(self) -> None:
        """Until the client closes. Raises `TimeoutError` if it does not."""
        try:
            while self._sock.recv(65536):
                pass
        except ConnectionError:
            pass
        self.gone.set()

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()

    def close(self) -> None:
        self._sock.close()


class Upstream:
    """Listens on loopback; `url` is its base address."""

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self._scripts = list(scripts)
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._closing = False
        self._threads: list[threading.Thread] = []
        self.peers: list[Peer] = []
        self.faults: list[BaseException] = []
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def requests(self) -> list[Request]:
        """All requests of all connections."""
        return [request for peer in self.peers for request in peer.requests]

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            if self._closing:
                sock.close()
                return
            with self._lock:
                script = self._scripts.pop(0) if self._scripts else None
            if script is None:
                sock.close()
                continue
            thread = threading.Thread(target=self._serve, args=(sock, script), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, script: Script) -> None:
        peer = None
        try:
            if self._tls:
                sock.settimeout(WAIT)
                sock = self._tls.wrap_socket(sock, server_side=True)
            peer = Peer(sock)
            self.peers.append(peer)
            script(peer)
        except ConnectionError:
            if peer:
                peer.gone.set()
        except BaseException as fault:
            self.faults.append(fault)
        finally:
            sock.close()

    def close(self) -> None:
        """Raises what went wrong in a script."""
        self._closing = True
        with_wake = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT)
        self._listener.close()
        with_wake.close()
        self._accepting.join(WAIT)
        for thread in self._threads:
            thread.join(WAIT)
            assert not thread.is_alive(), "a script did not end"
        if self.faults:
            raise self.faults[0]

    def __enter__(self) -> "Upstream":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()


# --- bytes to send ------------------------------------------------------------------------------------------------

DONE = b"data: [DONE]\n\n"


def chunk(text: str = "", *, finish: str | None = None, **delta: Any) -> bytes:
    """One event with a chat.completion.chunk."""
    fields = ({"content": text} if text else {}) | delta
    data = {"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def usage(prompt: int, completion: int) -> bytes:
    """The event with the usage."""
    data = {"choices": [], "usage": {"prompt_tokens": prompt, "completion_tokens": completion}}
    return f"data: {json.dumps(data)}\n\n".encode()


def answer(*texts: str) -> bytes:
    """The whole event stream of a complete answer."""
    return b"".join(map(chunk, texts)) + chunk(finish="stop") + usage(7, 5) + DONE


def head(status: str = "200 OK", *, framing: str = "chunked", kind: str = "text/event-stream", **headers: str) -> bytes:
    """A response head. `framing`: `chunked`, `close`, or the content length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}"]
    frame = {"chunked": "Transfer-Encoding: chunked", "close": "Connection: close"}
    lines.append(frame.get(framing, f"Content-Length: {framing}"))
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def frame(data: bytes) -> bytes:
    """One HTTP chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


END = b"0\r\n\r\n"


def framed(framing: str, body: bytes, *, size: int = 0) -> bytes:
    """`body` with its head, framed in this way (`length`, `chunked`, `close`); chunks of `size` bytes."""
    if framing == "length":
        return head(framing=str(len(body))) + body
    if framing == "close":
        return head(framing="close") + body
    size = size or len(body) or 1
    return head() + b"".join(frame(body[i : i + size]) for i in range(0, len(body), size)) + END


def refuse(status: str, body: bytes = b"{}", **headers: str) -> Script:
    """A script that answers one request with an error."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(head(status, framing=str(len(body)), kind="application/json", **headers) + body)

    return script


def say(*pieces: bytes) -> Script:
    """A script that answers one request with these bytes, each in a send of its own, and closes."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(*pieces)

    return script


def serve(answers: Iterable[bytes]) -> Script:
    """A script that answers one request after another on one connection."""

    def script(peer: Peer) -> None:
        for data in answers:
            peer.read_request()
            peer.send(data)
        peer.wait_gone()

    return script
