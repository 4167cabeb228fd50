"""Where sockets come in: the handshake at /v1/socket (RFC 6455 §4.2; platform.md §2).

What a socket needs is loaded with the first one: a start, and who never opens one, do not pay for it.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, request
from werkzeug.datastructures import EnvironHeaders, Headers

from yunliao.errors import InvalidRequest
from yunliao.web.failures import request_id
from yunliao.web.sockets import Sockets

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

OPENED = "yunliao.socket"
"""Where the view leaves what runs the socket, in the request's environment."""
ACCEPTED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Opened = Callable[[dict[str, Any]], None]


class Upgrades:
    """WSGI middleware: a connection is handed over when the request that asked for it is over, so that what belongs to
    the request is not kept as long as the socket lives. The server closes its own descriptor of it."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = self._app(environ, start_response)
        run: Opened | None = environ.pop(OPENED, None)
        if run is None:
            return answer
        run(environ)
        raise StopIteration  # to gunicorn: close the connection, there is nothing to answer


class _Silent(Response):
    """Says nothing: the connection is no longer HTTP's."""

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        return []


def install(app: Flask, services: "Services", sockets: Sockets) -> None:
    """Register /v1/socket."""
    # A plane of its own: identity comes by ticket here, not by the handshake's headers.
    plane = Blueprint("ticket", __name__)

    @plane.route("/v1/socket", websocket=True)
    def socket() -> Response:
        sockets.check_room()
        answer, identifier = accepted(), request_id()
        return opened(lambda environ: _run(environ, answer, services, sockets, identifier))

    app.register_blueprint(plane)


def opened(run: Opened) -> Response:
    """What a view returns that hands the connection over: `run` has it when the request is over (`Upgrades`)."""
    request.environ[OPENED] = run
    return _Silent()


def accepted() -> bytes:
    """The answer to this request's handshake. No extension and no subprotocol is ever agreed to. Raises
    `InvalidRequest`."""
    if request.method != "GET":
        raise InvalidRequest("a socket is opened with GET")
    if request.headers.get("Sec-WebSocket-Version") != "13":
        raise InvalidRequest("Sec-WebSocket-Version must be 13")
    key = request.headers.get("Sec-WebSocket-Key", "").encode()
    try:
        size = len(base64.b64decode(key, validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if size != 16:
        raise InvalidRequest("Sec-WebSocket-Key must be 16 bytes in base64")
    proof = hashlib.sha1(key + MAGIC, usedforsecurity=False).digest()
    return ACCEPTED + base64.b64encode(proof) + b"\r\n\r\n"


def _run(environ: dict[str, Any], answer: bytes, services: "Services", sockets: Sockets, identifier: str) -> None:
    """From the handshake's answer on; returns at once."""
    from yunliao.web.channel import Channel
    from yunliao.web.session import Session

    sock = environ["gunicorn.socket"]
    sock.sendall(answer)
    channel = Channel(sock.dup())  # the server closes its own
    sockets.add(channel)
    services.metrics.listeners("socket", 1)

    def ended() -> None:
        services.metrics.listeners("socket", -1)
        sockets.remove(channel)

    session = Session(channel, services, sockets, identifier, Headers(EnvironHeaders(environ)))
    channel.serve(session.attend, ended)
    if sockets.draining:
        channel.close(1012, "restart")
