"""Routes of the platform plane: WeChat's push and the timer's jobs."""

import hmac
from typing import TYPE_CHECKING

import msgspec
from flask import Blueprint, Response, request

from yunliao.errors import IdentityUntrusted
from yunliao.web.identity import by_a_client, through_wechat
from yunliao.web.letters import letter_of, to_human
from yunliao.web.pushes import event_of
from yunliao.web.schemas import EmptyIn
from yunliao.web.validation import body, raw_body

if TYPE_CHECKING:
    from yunliao.bootstrap import Services


def plane(services: "Services") -> Blueprint:
    """The blueprint."""
    routes = Blueprint("platform", __name__)

    @routes.get("/wx/push")
    def push_address() -> Response:
        """The mp console's question when the address of a push over a public domain is saved."""
        return Response(services.push_codec.echo(request.args), content_type="text/plain; charset=utf-8")

    @routes.post("/wx/push")
    @routes.post("/wx/push/<secret>")
    def push(secret: str = "") -> Response:
        """Message push, and the console's probe {"action": "CheckContainerPath"}: both want 200 and "success"
        (platform.md §6)."""
        if "msg_signature" in request.args:
            raw, appid = services.push_codec.open(request.args, raw_body())
        else:
            _by_the_platform(services, secret)
            raw, appid = raw_body(), request.headers.get("X-WX-APPID", "")
        services.pushes.take(event_of(raw))
        return _answered(services, raw, appid)

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


def _by_the_platform(services: "Services", secret: str) -> None:
    """No caller is named by a push's headers, so what it says is believed only where no user of the mini-program can
    have sent it. Raises `IdentityUntrusted`."""
    if services.settings.public or not through_wechat(request.headers):
        raise IdentityUntrusted("X-WX-SOURCE is missing: the push did not come through WeChat")
    if by_a_client(request.headers):
        raise IdentityUntrusted("pushes are not for mini-programs")
    wanted = services.settings.push_secret
    if not hmac.compare_digest(wanted.encode(), secret.encode("utf-8", "surrogatepass")):
        raise IdentityUntrusted("the path of a push is /wx/push/YUNLIAO_PUSH_SECRET, or /wx/push where none is set")


def _answered(services: "Services", raw: bytes, appid: str) -> Response:
    """The answer of a push: "success", or that a human shall answer its writer."""
    desk = services.customer_service
    letter = letter_of(raw, appid) if desk else None
    if desk and letter and desk.take(letter):
        answer, kind = to_human(raw)
        return Response(answer, content_type=kind)
    return Response("success", content_type="text/plain; charset=utf-8")
