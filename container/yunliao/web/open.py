"""Routes that need no caller: health, metrics and the schema."""

import hmac
from typing import TYPE_CHECKING

import msgspec
from flask import Blueprint, Response, current_app, request

from yunliao.errors import IdentityUntrusted

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

    @routes.get("/metrics")
    def metrics() -> Response:
        token = services.settings.metrics_token
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token:
            allowed = hmac.compare_digest(token.encode(), given.encode("utf-8", "surrogatepass"))
        else:
            allowed = services.settings.env == "development"
        if not allowed:
            raise IdentityUntrusted("Authorization: Bearer YUNLIAO_METRICS_TOKEN is needed")
        text, kind = services.metrics.render()
        return Response(text, content_type=kind)

    @routes.get("/openapi.json")
    def openapi() -> Response:
        from yunliao.web.openapi import document  # only developers ask for it

        return Response(msgspec.json.encode(document(current_app)), content_type="application/json")

    return routes
