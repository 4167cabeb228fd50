"""Cursors of lists that are ordered by time and id."""

import base64
import binascii

from yunliao.errors import InvalidRequest


def cursor(at: int, record: str) -> str:
    """An opaque place in such a list."""
    return base64.urlsafe_b64encode(f"{at}:{record}".encode()).decode()


def place(text: str | None) -> tuple[int, str] | None:
    """The place of a cursor. Raises `InvalidRequest` for one that is not ours."""
    if text is None:
        return None
    try:
        at, _, record = base64.urlsafe_b64decode(text.encode("ascii", "strict")).decode().partition(":")
        return int(at), record
    except (binascii.Error, ValueError):
        raise InvalidRequest("before is not a cursor of this list") from None
