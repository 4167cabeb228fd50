"""Where sockets come in: the handshake at /v1/socket (platform.md §2)."""

import base64
import binascii
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, request
from flask_sock import Sock
from werkzeug.datastructures import Headers

from yunliao.errors import InvalidRequest
from yunliao.web.channel import OPTIONS, Channel
from yunliao.web.failures import request_id
from yunliao.web.session import Session
from yunliao.web.sockets import Sockets

if TYPE_CHECKING:
    from yunliao.bootstrap import Services


def install(app: Flask, services: "Services", sockets: Sockets) -> None:
    """Register /v1/socket."""
    app.config["SOCK_SERVER_OPTIONS"] = OPTIONS
    # A plane of its own: identity comes by ticket here, not by the handshake's headers.
    plane = Blueprint("ticket", __name__)
    sock = Sock(plane)

    @plane.before_request
    def handshake() -> None:
        """What the library would refuse by an exception is refused in words (RFC 6455 §4.2.1)."""
        if request.headers.get("Sec-WebSocket-Version") != "13":
            raise InvalidRequest("Sec-WebSocket-Version must be 13")
        try:
            key = base64.b64decode(request.headers.get("Sec-WebSocket-Key", ""), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != 16:
            raise InvalidRequest("Sec-WebSocket-Key must be 16 bytes in base64")

    @sock.route("/v1/socket")  # type: ignore[untyped-decorator]
    def socket(server: Any) -> None:
        channel = Channel(server)
        sockets.add(channel)
        services.metrics.listeners("socket", 1)
        try:
            if sockets.draining:
                channel.close(1012, "restart")
            else:
                Session(channel, services, sockets, request_id()).run(Headers(request.headers))
        finally:
            services.metrics.listeners("socket", -1)
            sockets.remove(channel)
            channel.finish()

    app.register_blueprint(plane)
