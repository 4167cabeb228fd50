"""Errors to answers: one body, true statuses, and the envelope for the mini-program (design.md §5)."""

import math
import secrets
from collections.abc import Callable

import msgspec
from flask import Flask, Response, g, request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.routing.exceptions import WebsocketMismatch

from yunliao.errors import (
    Internal,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    Refused,
    RequestTooLarge,
    UnsupportedMediaType,
    YunliaoError,
)
from yunliao.web.identity import call_id
from yunliao.web.schemas import ErrorBody, ErrorOut

HTTP: dict[int, type[YunliaoError]] = {
    404: NotFound,
    405: MethodNotAllowed,
    413: RequestTooLarge,
    415: UnsupportedMediaType,
}
_encoder = msgspec.json.Encoder()


def request_id() -> str:
    """The id of this request: the platform's, else one of ours."""
    if "request_id" not in g:
        g.request_id = identifier_of(request.headers)
    return str(g.request_id)


def identifier_of(headers: Headers) -> str:
    """The platform's id of a request, else a new one of ours."""
    return call_id(headers) or secrets.token_hex(12)


def marks(identifier: str) -> dict[str, str]:
    """What every answer says: the request's id, and that it is neither kept nor guessed at."""
    return {"X-Request-Id": identifier, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def error_body(error: YunliaoError, identifier: str) -> ErrorBody:
    """An error in the words of docs/errors.md. `detail` names a field, header or setting, never a value; only refusals
    have it."""
    detail = error.detail if isinstance(error, Refused) else ""
    turn_id = error.extra.get("turn_id")
    return ErrorBody(
        code=error.code,
        message=error.zh,
        message_en=error.en,
        retryable=error.retryable,
        retry_after=math.ceil(error.retry_after) if error.retry_after is not None else None,
        request_id=identifier,
        detail=detail or None,
        turn_id=str(turn_id) if turn_id else None,
        **{name: int(error.extra[name]) for name in ("needed", "available", "renews_at") if name in error.extra},
    )


def answer(error: YunliaoError) -> Response:
    """The HTTP answer of an error."""
    status, headers, body = told(error, request_id(), request.headers)
    response = Response(body, status, headers)
    if error.status == 405 and status != 200:
        response.headers["Allow"] = ", ".join(sorted(getattr(g, "allowed", None) or ()))
    return response


def told(error: YunliaoError, identifier: str, asked: Headers) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an error, for a request with the headers `asked`."""
    body, status = error_body(error, identifier), error.status
    headers = {"Content-Type": "application/json"}
    if asked.get("X-Client") == "miniprogram":
        body.status, status = error.status, 200
    elif error.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    return status, headers, _encoder.encode(ErrorOut(error=body))


def install(app: Flask, log_fault: Callable[[str, str, str], None]) -> None:
    """Register the handlers. `log_fault` is told the kind of every answer of 500 or more (the error's code, or the type
    of a fault of ours, never its words), the request id and the route."""

    @app.errorhandler(YunliaoError)
    def refused(error: YunliaoError) -> Response:
        if error.status >= 500:
            log_fault(error.code, request_id(), request.endpoint or "")
        return answer(error)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        g.allowed = getattr(error, "valid_methods", None)
        if isinstance(error, WebsocketMismatch):
            return answer(InvalidRequest("only /v1/socket is for WebSocket, and only for that"))
        kind = HTTP.get(error.code or 500, InvalidRequest if (error.code or 500) < 500 else Internal)
        if kind is Internal:
            log_fault(type(error).__name__, request_id(), request.endpoint or "")
        return answer(kind())

    @app.errorhandler(Exception)
    def fault(error: Exception) -> Response:
        log_fault(type(error).__name__, request_id(), request.endpoint or "")
        return answer(Internal())
