"""Every error code of msg_sec_check and of the open interface service, and what is done about it.

The table is platform.md §5.1 (content safety) and §4 (open interface service) in code; docs/moderation.md shows it to
operators, and a test compares the two. A code that is not listed has no decision in it: fail closed.
"""

from enum import StrEnum

import msgspec


class Handling(StrEnum):
    """What to do with an answer that carries a code."""

    DECIDE = "decide"
    """The call worked: `result.suggest` decides."""
    RETRY = "retry once"
    RISKY = "treat as risky"
    REVISIT = "ask the user to re-enter"
    BACKOFF = "back off"
    STOP = "stop until midnight"
    REFUSED = "no retry"
    OPERATOR = "operator must act"
    BUG = "fault of Yunliao"


class Errcode(msgspec.Struct, frozen=True):
    """A code, its handling, and a sentence for the operator's log."""

    code: int
    handling: Handling
    detail: str


TABLE: tuple[Errcode, ...] = (
    Errcode(0, Handling.DECIDE, "the call worked"),
    Errcode(-1, Handling.RETRY, "WeChat is busy"),
    Errcode(40001, Handling.OPERATOR, "no valid token: switch on the open interface service, then make a new version"),
    Errcode(40003, Handling.REFUSED, "the openid is not valid for this mini-program"),
    Errcode(40129, Handling.BUG, "the scene is not one of 1 to 4"),
    Errcode(43002, Handling.BUG, "the call was not a POST"),
    Errcode(43104, Handling.OPERATOR, "the openid belongs to another mini-program: check the resource sharing set-up"),
    Errcode(44002, Handling.BUG, "the body was empty"),
    Errcode(44991, Handling.BACKOFF, "the limit per minute is used up"),
    Errcode(45009, Handling.STOP, "the limit per day is used up"),
    Errcode(47001, Handling.BUG, "the body was not the JSON expected"),
    Errcode(48001, Handling.OPERATOR, "the account lacks the permission for this interface"),
    Errcode(61010, Handling.REVISIT, "the user has not been in the mini-program for two hours"),
    Errcode(85105, Handling.OPERATOR, "the account lacks the permission for this interface"),
    Errcode(85107, Handling.OPERATOR, "add /wxa/msg_sec_check to the permission list of cloud calls in the console"),
    Errcode(85112, Handling.RETRY, "the platform's gateway failed"),
    Errcode(85113, Handling.OPERATOR, "the token of a first version is not ready yet: it comes within minutes"),
    Errcode(87014, Handling.RISKY, "the content is risky (the form of the first version of the interface)"),
)
_BY_CODE = {row.code: row for row in TABLE}


def lookup(code: int) -> Errcode:
    """The row of `code`; an unlisted code is for the operator."""
    return _BY_CODE.get(code) or Errcode(code, Handling.OPERATOR, "a code that is not in the documentation")
