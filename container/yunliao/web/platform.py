"""Routes of the platform plane: WeChat's push and the timer's jobs."""

import hmac
from typing import TYPE_CHECKING

import msgspec
from flask import Blueprint, Response, request

from yunliao.errors import IdentityUntrusted
from yunliao.web.identity import through_wechat
from yunliao.web.schemas import EmptyIn
from yunliao.web.validation import body

if TYPE_CHECKING:
    from yunliao.bootstrap import Services


def plane(services: "Services") -> Blueprint:
    """The blueprint."""
    routes = Blueprint("platform", __name__)

    @routes.post("/wx/push")
    def push() -> Response:
        # Message push, and the console's probe {"action": "CheckContainerPath"}: both want 200 and "success"
        # (platform.md §6). Nothing is acted upon yet, so nothing in the body is read.
        if services.settings.public or not through_wechat(request.headers):
            raise IdentityUntrusted("X-WX-SOURCE is missing: the push did not come through WeChat")
        return Response("success", content_type="text/plain; charset=utf-8")

    def check_secret() -> None:
        secret = services.settings.jobs_secret
        given = request.headers.get("X-Yunliao-Secret", "")
        if not secret:
            raise IdentityUntrusted("jobs are off: YUNLIAO_JOBS_SECRET is not set")
        if not hmac.compare_digest(secret.encode(), given.encode("utf-8", "surrogatepass")):
            raise IdentityUntrusted("X-Yunliao-Secret is not YUNLIAO_JOBS_SECRET")

    @routes.get("/jobs")
    def job_names() -> Response:
        check_secret()
        return Response(msgspec.json.encode({"jobs": services.jobs.names}), content_type="application/json")

    @routes.post("/jobs/<name>")
    def jobs(name: str) -> Response:
        check_secret()
        body(EmptyIn)
        return Response(msgspec.json.encode(services.jobs.run(name)), content_type="application/json")

    return routes
