"""Who finds no room is told so before the framework is asked: refusing must stay cheap when most are refused.

Nothing is decided here that is not decided behind it as well, in the same order and words: identity first (P1), then
room. What needs more than headers to be judged goes through.
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from werkzeug.datastructures import EnvironHeaders, Headers

from yunliao.errors import YunliaoError
from yunliao.web.callers import HEADER
from yunliao.web.failures import identifier_of, marks, told
from yunliao.web.identity import principal_of
from yunliao.web.validation import MAX_BODY

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

SEND = "/v1/turns"
ROUTE = "user.send"
"""The name of the route in the log, as the framework has it."""

Start = Callable[..., Any]


class NoRoom:
    """WSGI middleware before the framework."""

    def __init__(self, app: Callable[[dict[str, Any], Start], Iterable[bytes]], services: "Services") -> None:
        self._app = app
        self._services = services
        self._label = quote(services.settings.ai_label)

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        if environ["PATH_INFO"] == SEND and environ["REQUEST_METHOD"] == "POST" and self._services.turns.full:
            headers = EnvironHeaders(environ)
            if self._judged_by_headers(headers):
                try:
                    self._services.turns.check_room()
                except YunliaoError as error:
                    return self._refuse(error, headers, start_response)
        return self._app(environ, start_response)

    def _judged_by_headers(self, headers: Headers) -> bool:
        """Whether only room can be lacking: the platform names the caller, and the body may be as long as it is."""
        settings, length = self._services.settings, headers.get("Content-Length") or "0"
        if settings.public or HEADER in headers or not (length.isdecimal() and int(length) <= MAX_BODY):
            return False
        try:
            principal_of(headers, settings)
        except YunliaoError:
            return False
        return True

    def _refuse(self, error: YunliaoError, asked: Headers, start_response: Start) -> Iterable[bytes]:
        identifier = identifier_of(asked)
        status, headers, body = told(error, identifier, asked)
        self._services.turn_log.fault(error.code, identifier, ROUTE)
        headers |= {"Content-Length": str(len(body)), "X-AI-Label": self._label, **marks(identifier)}
        start_response(f"{status} {HTTPStatus(status).phrase.upper()}", list(headers.items()))
        return [body]
