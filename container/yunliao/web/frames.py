"""What a socket's client may say (docs/api.md): checked like request bodies, by the same structs' rules."""

from typing import Annotated

import msgspec
from msgspec import Meta

from yunliao.web.schemas import ClientId, In, ModelId, RecordId, Words
from yunliao.web.validation import parse

MAX_CURSOR = 10**9


class Hello(In, tag_field="op", tag="hello"):
    """The first frame."""

    ticket: Annotated[str, Meta(min_length=1, max_length=200)]


class Send(In, tag_field="op", tag="send"):
    """As POST /v1/turns."""

    client_id: ClientId
    text: Words
    conversation_id: RecordId | None = None
    model: ModelId | None = None
    replaces: RecordId | None = None


class Resume(In, tag_field="op", tag="resume"):
    """Events after a cursor."""

    turn: RecordId
    after: Annotated[int, Meta(ge=0, le=MAX_CURSOR)] = 0


class Stop(In, tag_field="op", tag="stop"):
    """End an answer."""

    turn: RecordId


class Ping(In, tag_field="op", tag="ping"):
    """Answered with the same `t`, whatever it is."""

    t: msgspec.Raw = msgspec.Raw(b"null")


Asked = Hello | Send | Resume | Stop | Ping


def hello(received: str | bytes) -> Hello:
    """The first frame. Raises `InvalidRequest` for any other."""
    found: Hello = parse(received, Hello, "the frame")
    return found


def asked(received: str | bytes) -> Asked:
    """A later frame. Raises `InvalidRequest`."""
    found: Asked = parse(received, Asked, "the frame")
    return found
