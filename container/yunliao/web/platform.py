"""Routes of the platform plane: WeChat's push and the timer's jobs."""

import hmac
from typing import TYPE_CHECKING

import msgspec
from flask import Blueprint, Response, request

from yunliao.errors import IdentityUntrusted
from yunliao.web.identity import by_a_client, through_wechat
from yunliao.web.pushes import event_of
from yunliao.web.schemas import EmptyIn
from yunliao.web.validation import body, raw_body

if TYPE_CHECKING:
    from yunliao.bootstrap import Services


def plane(services: "Services") -> Blueprint:
    """The blueprint."""
    routes = Blueprint("platform", __name__)

    @routes.post("/wx/push")
    @routes.post("/wx/push/<secret>")
    def push(secret: str = "") -> Response:
        """Message push, and the console's probe {"action": "CheckContainerPath"}: both want 200 and "success"
        (platform.md §6). No caller is named by a push's headers, so what it says is believed only where no user of the
        mini-program can have sent it."""
        if not through_wechat(request.headers):
            raise IdentityUntrusted("X-WX-SOURCE is missing: the push did not come through WeChat")
        if by_a_client(request.headers):
            raise IdentityUntrusted("pushes are not for mini-programs")
        wanted = services.settings.push_secret
        if not hmac.compare_digest(wanted.encode(), secret.encode("utf-8", "surrogatepass")):
            raise IdentityUntrusted("the path of a push is /wx/push/YUNLIAO_PUSH_SECRET, or /wx/push where none is set")
        services.pushes.take(event_of(raw_body()))
        return Response("success", content_type="text/plain; charset=utf-8")

    @routes.post("/jobs/<name>")
    def jobs(name: str) -> Response:
        secret = services.settings.jobs_secret
        given = request.headers.get("X-Yunliao-Secret", "")
        if not secret:
            raise IdentityUntrusted("jobs are off: YUNLIAO_JOBS_SECRET is not set")
        if not hmac.compare_digest(secret.encode(), given.encode("utf-8", "surrogatepass")):
            raise IdentityUntrusted("X-Yunliao-Secret is not YUNLIAO_JOBS_SECRET")
        body(EmptyIn)
        return Response(msgspec.json.encode(services.jobs.run(name)), content_type="application/json")

    return routes
