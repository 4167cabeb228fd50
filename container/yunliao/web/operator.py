"""Routes of the operator plane: a token of its own, and never by way of a mini-program."""

import hmac
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from yunliao.errors import IdentityUntrusted
from yunliao.web.identity import through_wechat

if TYPE_CHECKING:
    from yunliao.bootstrap import Services


def plane(services: "Services") -> Blueprint:
    """The blueprint. Without YUNLIAO_METRICS_TOKEN it is closed in production and open to everybody who reaches the
    port in development (docs/logs-and-metrics.md)."""
    routes = Blueprint("operator", __name__)
    token, open_to_all = services.settings.metrics_token, services.settings.env == "development"

    @routes.before_request
    def check() -> None:
        if through_wechat(request.headers):
            # Every user of the mini-program can make WeChat's link call any path of the service.
            raise IdentityUntrusted("operator routes are not for mini-programs")
        if not token and open_to_all:
            return
        if not token:
            raise IdentityUntrusted("closed: YUNLIAO_METRICS_TOKEN is not set")
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        same = hmac.compare_digest(token.encode(), given.strip().encode("utf-8", "surrogatepass"))
        if scheme.lower() != "bearer" or not same:
            raise IdentityUntrusted("Authorization: Bearer YUNLIAO_METRICS_TOKEN is needed")

    @routes.get("/metrics")
    def metrics() -> Response:
        text, kind = services.metrics.render()
        return Response(text, content_type=kind)

    return routes
