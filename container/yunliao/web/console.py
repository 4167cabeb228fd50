"""The operators' console: one page with its scripts and styles, all of this origin (docs/console.md).

The files hold nothing that anybody may not read: what they show comes from `/op/v1`, by a session of an operator. They
are refused to mini-programs all the same, as that plane is: there the pages of the mini-program are the console.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from yunliao.errors import IdentityUntrusted, NotFound
from yunliao.web.identity import through_wechat

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

FOLDER = Path(__file__).parents[1] / "console"
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        # No text can become markup, whatever a script of ours does with it; 'none': not even through a policy.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def plane(services: "Services") -> Blueprint:
    """The blueprint."""
    routes = Blueprint("console", __name__, url_prefix="/op")
    served = {one.name: (one, KINDS[one.suffix]) for one in FOLDER.iterdir() if one.suffix in KINDS}

    @routes.before_request
    def check() -> None:
        if through_wechat(request.headers):
            raise IdentityUntrusted("operator routes are not for mini-programs")

    @routes.after_request
    def protect(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    @routes.get("/console")
    def page() -> Response:
        return _file("index.html")

    @routes.get("/console/<operator:name>")
    def file(name: str) -> Response:
        return _file(name)

    def _file(name: str) -> Response:
        if name not in served:  # a fixed list: nothing of a request becomes a path
            raise NotFound("file")
        content, kind = served[name]
        return Response(content.read_bytes(), content_type=kind)

    return routes
