"""Bad input becomes a typed error that names the field and repeats nothing (P13)."""

import re
from functools import lru_cache
from typing import Any, TypeVar

import gevent
import msgspec
from flask import g, request
from werkzeug.exceptions import HTTPException

from yunliao.errors import InvalidRequest, RequestTooLarge, UnsupportedMediaType, YunliaoError

MAX_BODY = 100 * 1024
"""The platform's own limit for a request body (platform.md §1.3)."""
BODY_SECONDS = 15.0
"""Longest time a body may take to arrive: the platform gives up on the whole call by then."""
NOT_TEXT = re.compile("[\0\ud800-\udfff]")
"""NUL and lone surrogates: JSON can write them, but neither a database nor UTF-8 takes them."""

Model = TypeVar("Model", bound=msgspec.Struct)


def body(model: type[Model]) -> Model:
    """The request body as `model`; an empty one is `{}`. Raises `UnsupportedMediaType`, `RequestTooLarge`,
    `InvalidRequest`."""
    raw = raw_body()
    if raw and not _is_json():
        raise UnsupportedMediaType
    found: Model = parse(raw or b"{}", model)
    return found


def parse(raw: bytes | str, model: Any, what: str = "the body") -> Any:
    """JSON as `model` (a struct, or a union of tagged ones); `what` is its name in the error. Raises
    `InvalidRequest`."""
    try:
        found = _decoder(model).decode(raw)
    except msgspec.ValidationError as wrong:
        raise InvalidRequest(_where(str(wrong), what)) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise InvalidRequest(f"{what} is not JSON in UTF-8") from None
    _check_text(found, "")
    return found


def number(name: str, default: float, low: float, high: float) -> float:
    """A number of the query, clamped to `low`..`high`. Raises `InvalidRequest` for anything but a number."""
    given = request.args.get(name)
    if given is None:
        return default
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", given):
        raise InvalidRequest(f"{name} must be a number")
    return min(max(float(given), low), high)


def integer(name: str, default: int, low: int, high: int) -> int:
    """A whole number of the query, clamped."""
    given = request.args.get(name)
    if given is None:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", given):
        raise InvalidRequest(f"{name} must be a whole number")
    return min(max(int(given), low), high)


def flag(name: str) -> bool:
    """`true` or `false` of the query; false when it is not there. Raises `InvalidRequest` for anything else."""
    given = request.args.get(name, "false")
    if given not in ("true", "false"):
        raise InvalidRequest(f"{name} must be true or false")
    return given == "true"


def choice(name: str, known: tuple[str, ...], default: str) -> str:
    """One of a few words of the query."""
    given = request.args.get(name)
    if given is None:
        return default
    if given not in known:
        raise InvalidRequest(f"{name} must be " + " or ".join(known))
    return given


def cursor(name: str, longest: int = 120) -> str | None:
    """A page's cursor as an earlier answer gave it; the service knows what it means."""
    given = request.args.get(name)
    if given is not None and not (len(given) <= longest and re.fullmatch(r"[A-Za-z0-9_=-]+", given)):
        raise InvalidRequest(f"{name} is not a cursor of this list")
    return given


def raw_body() -> bytes:
    """The bytes of the request's body, read once. Raises `RequestTooLarge`, `InvalidRequest`."""
    if "raw_body" not in g:
        g.raw_body = _read()
    return bytes(g.raw_body)


def _read() -> bytes:
    if (request.content_length or 0) > MAX_BODY:
        raise RequestTooLarge("the body is too large")
    try:
        with gevent.Timeout(BODY_SECONDS, InvalidRequest("the body did not arrive in time")):
            raw = request.get_data(cache=False)
    except (HTTPException, YunliaoError):
        raise
    except Exception:  # broken chunks and the like: each server has exceptions of its own, all of the client's making
        raise InvalidRequest("the body could not be read") from None
    if len(raw) > MAX_BODY:
        raise RequestTooLarge("the body is too large")
    return raw


def _is_json() -> bool:
    charset = request.mimetype_params.get("charset", "utf-8")
    return request.mimetype == "application/json" and charset.lower() in ("utf-8", "utf8")


@lru_cache(maxsize=64)
def _decoder(model: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(model)


def _check_text(value: Any, name: str) -> None:
    if isinstance(value, str):
        if NOT_TEXT.search(value):
            raise InvalidRequest(f"{name} holds a character that is not text")
    elif isinstance(value, list | tuple):
        for item in value:
            _check_text(item, name)
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            _check_text(getattr(value, field), field)


def _where(said: str, what: str) -> str:
    """msgspec's sentence names types and the place, and in a few cases what was sent: of those only the place is
    kept."""
    _, found, place = said.partition(" - at `$")
    if said.startswith("Object contains unknown field"):
        said = f"{what} has an unknown field"
    elif said.startswith("Invalid "):
        said = "not one of the allowed values" + (f" - at `${place}" if found else "")
    return said
