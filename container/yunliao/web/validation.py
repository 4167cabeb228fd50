"""Bad input becomes a typed error that names the field and repeats nothing (P13)."""

import re
from typing import TypeVar

import msgspec
from flask import request

from yunliao.errors import InvalidRequest, RequestTooLarge, UnsupportedMediaType

MAX_BODY = 100 * 1024
"""The platform's own limit for a request body (platform.md §1.3)."""
SURROGATE = re.compile("[\ud800-\udfff]")

Model = TypeVar("Model", bound=msgspec.Struct)


def body(model: type[Model]) -> Model:
    """The request body as `model`. Raises `UnsupportedMediaType`, `RequestTooLarge`, `InvalidRequest`."""
    if (request.content_length or 0) > MAX_BODY:
        raise RequestTooLarge
    raw = request.get_data(cache=False)
    if raw and request.mimetype != "application/json":
        raise UnsupportedMediaType
    return parse(raw or b"{}", model)


def parse(raw: bytes | str, model: type[Model]) -> Model:
    """JSON as `model`."""
    try:
        found = msgspec.json.decode(raw, type=model)
    except msgspec.ValidationError as wrong:
        raise InvalidRequest(_where(str(wrong))) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidRequest("the body is not JSON") from None
    for name in model.__struct_fields__:
        value = getattr(found, name)
        if isinstance(value, str) and ("\0" in value or SURROGATE.search(value)):
            raise InvalidRequest(f"{name} holds a character that is not text")
    return found


def number(name: str, default: float, low: float, high: float) -> float:
    """A number of the query, clamped to `low`..`high`. Raises `InvalidRequest` for anything but a number."""
    given = request.args.get(name)
    if given is None:
        return default
    if not re.fullmatch(r"\d{1,9}(\.\d{1,6})?", given):
        raise InvalidRequest(f"{name} must be a number")
    return min(max(float(given), low), high)


def integer(name: str, default: int, low: int, high: int) -> int:
    """A whole number of the query, clamped."""
    given = request.args.get(name)
    if given is None:
        return default
    if not re.fullmatch(r"\d{1,9}", given):
        raise InvalidRequest(f"{name} must be a whole number")
    return min(max(int(given), low), high)


def _where(said: str) -> str:
    """msgspec's sentence names types and the place, and in a few cases the value: keep the place, and the rest only
    where it has no value in it."""
    if "Object contains unknown field" in said:
        return "the body has an unknown field"
    said = re.sub(r"Invalid enum value .*? - at", "not one of the allowed values - at", said)
    return re.sub(r"Invalid enum value .*$", "not one of the allowed values", said)
