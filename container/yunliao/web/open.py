"""Routes of the open plane: nothing here needs or tells who is calling."""

from typing import TYPE_CHECKING

import msgspec
from flask import Blueprint, Response, current_app

if TYPE_CHECKING:
    from yunliao.bootstrap import Services


def plane(services: "Services") -> Blueprint:
    """The blueprint."""
    routes = Blueprint("open", __name__)

    @routes.get("/healthz")
    def healthz() -> Response:
        return Response(b'{"alive":true}', content_type="application/json")

    @routes.get("/readyz")
    def readyz() -> Response:
        checks = services.health.ready()
        ready = all(check.ok for check in checks)
        shown = msgspec.json.encode({"ready": ready, "checks": checks})
        return Response(shown, 200 if ready else 503, content_type="application/json")

    @routes.get("/openapi.json")
    def openapi() -> Response:
        from yunliao.web.openapi import document  # only developers ask for it

        return Response(msgspec.json.encode(document(current_app)), content_type="application/json")

    return routes
