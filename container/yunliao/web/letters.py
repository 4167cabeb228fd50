"""A push's body as a message of customer service (platform.md §6), JSON or XML."""

import hashlib
import html
from typing import Any

import msgspec

from yunliao.ports_letters import Letter
from yunliao.web.pushes import FIELD

KINDS = ("text", "image", "miniprogrampage", "voice", "video", "shortvideo", "location", "link")


class _Push(msgspec.Struct):
    """The fields that matter here; numbers may come as text."""

    MsgType: str = ""
    ToUserName: str = ""
    FromUserName: str = ""
    CreateTime: int | str = 0
    MsgId: int | str = ""
    Content: str = ""


def letter_of(raw: bytes, appid: str = "") -> Letter | None:
    """The message, or None for an event, the console's probe, and what is neither. `appid` is what the platform's
    header says."""
    push = _read(raw)
    if push is None or push.MsgType not in KINDS or not push.FromUserName:
        return None
    said = hashlib.sha256(push.Content.encode("utf-8", "surrogatepass")).hexdigest()
    key = str(push.MsgId) or f"{push.FromUserName}/{push.CreateTime}/{said}"
    return Letter(
        openid=push.FromUserName, key=f"{push.ToUserName}/{key}", kind=push.MsgType, appid=appid, text=push.Content
    )


def to_human(raw: bytes) -> tuple[bytes, str]:
    """The answer of a push that hands its writer over to a human, in the push's own form, and its content type."""
    push = _read(raw) or _Push()
    answer = {
        "ToUserName": push.FromUserName,
        "FromUserName": push.ToUserName,
        "CreateTime": push.CreateTime,
        "MsgType": "transfer_customer_service",
    }
    if not _is_xml(raw):
        return msgspec.json.encode(answer), "application/json"
    inner = "".join(f"<{name}>{html.escape(str(value))}</{name}>" for name, value in answer.items())
    return f"<xml>{inner}</xml>".encode(), "application/xml; charset=utf-8"


def _is_xml(raw: bytes) -> bool:
    return raw.lstrip()[:1] == b"<"


def _read(raw: bytes) -> _Push | None:
    try:
        if not _is_xml(raw):
            return msgspec.json.decode(raw or b"{}", type=_Push)
        found: dict[str, Any] = {name: data or html.unescape(plain) for name, data, plain in FIELD.findall(_inner(raw))}
        return msgspec.convert({name: found[name] for name in _Push.__struct_fields__ if name in found}, type=_Push)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _inner(raw: bytes) -> str:
    text = raw.decode().strip()
    return text.removeprefix("<xml>").removesuffix("</xml>")
