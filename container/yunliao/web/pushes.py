"""A push's body, JSON or XML as the operator chose in the console (platform.md §6)."""

import re
from typing import Any

import msgspec

from yunliao.errors import InvalidRequest
from yunliao.services.pushes import PushEvent

FIELD = re.compile(r"<(\w{1,64})>(?:<!\[CDATA\[(.*?)\]\]>|([^<]*))</\1>", re.DOTALL)
"""A push's XML is flat. What is read this way has no entities and no depth, so there is nothing to be attacked by."""


class _Json(msgspec.Struct):
    """Unknown fields are the platform's business."""

    Event: str = ""
    OpenID: str = ""
    AppID: str = ""
    CreateTime: int | str = 0


def event_of(raw: bytes) -> PushEvent:
    """The event; an empty one for the console's probe and for what is no event. Raises `InvalidRequest`."""
    try:
        found = _of_xml(raw.decode()) if raw.lstrip()[:1] == b"<" else msgspec.json.decode(raw or b"{}", type=_Json)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise InvalidRequest("the push is neither JSON nor XML of a known form") from None
    made = str(found.CreateTime)
    return PushEvent(
        event=found.Event,
        openid=found.OpenID,
        appid=found.AppID,
        created_at=int(made) if re.fullmatch(r"[0-9]{1,12}", made) else 0,
    )


def _of_xml(text: str) -> _Json:
    inner = re.sub(r"^\s*<xml>|</xml>\s*$", "", text)
    fields: dict[str, Any] = {name: data or plain for name, data, plain in FIELD.findall(inner)}
    return msgspec.convert({name: fields[name] for name in _Json.__struct_fields__ if name in fields}, type=_Json)
