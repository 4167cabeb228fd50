"""Records for the store suites: sealed parts are plain bytes here, a store never looks into them."""

import itertools
from typing import Any

from yunliao.domain.events import EndReason, Problem, Usage
from yunliao.domain.ledger.endings import Metered
from yunliao.domain.ledger.prices import ModelPrice
from yunliao.domain.ledger.reserving import Charge
from yunliao.domain.turn import Ending, Turn
from yunliao.ports import AcceptLimits, Conversation, Draft, EventRow, Message, TurnWrite, User

LIMITS = AcceptLimits(rate=1000, window_ms=60_000)
_numbers = itertools.count(1)


def user(name: str = "u1") -> User:
    return User(id=name, wrapped_key=b"key", sealed_openid=b"openid", created_at=1)


def draft(
    user_id: str = "u1",
    *,
    client_id: str = "",
    at: int = 1_000,
    conversation: str = "",
    owner: str = "me",
    lease_until: int = 5_000,
    hide_from: str = "",
    hide_ids: tuple[str, ...] = (),
    charge: Charge | None = None,
) -> Draft:
    """A send; without `conversation` it makes a new one."""
    number = next(_numbers)
    turn = Turn(
        id=f"turn{number:06d}",
        user_id=user_id,
        conversation_id=conversation or f"conv{number:06d}",
        client_id=client_id or f"client{number}",
        fingerprint=b"f",
        user_message_id=f"msg{number:06d}a",
        answer_message_id=f"msg{number:06d}b",
        owner=owner,
        lease_until=lease_until,
        last_seq=1,
        created_at=at,
        sealed_principal=b"p",
        price_version=charge.price_version if charge else "",
        reserved=charge.amount if charge else 0,
    )
    message = Message(
        id=turn.user_message_id,
        user_id=user_id,
        conversation_id=turn.conversation_id,
        turn_id=turn.id,
        role="user",
        sealed_body=b"question",
        created_at=at,
    )
    fresh = Conversation(id=turn.conversation_id, user_id=user_id, created_at=at, last_activity_at=at)
    return Draft(
        turn=turn,
        message=message,
        new_conversation=None if conversation else fresh,
        accepted_event=b"accepted",
        hide_from_message_id=hide_from,
        hide_message_ids=hide_ids,
        charge=charge,
    )


def charge(amount: int, **more: Any) -> Charge:
    """A reservation where a token of output costs one micro-credit and all else nothing."""
    price = ModelPrice(input=0, output=1_000_000)
    return Charge(amount=amount, model="m", price_version="v1", price=price, **more)


def spent(tokens: int) -> Metered:
    """What costs `tokens` micro-credits by the price of `charge`."""
    return Metered(usage=Usage(output_tokens=tokens), shown=tokens, upstream=Usage(output_tokens=tokens))


def rows(first: int, count: int) -> tuple[EventRow, ...]:
    return tuple(EventRow(seq=seq, body=f"event{seq}".encode(), created_at=1) for seq in range(first, first + count))


def ending(
    reason: EndReason = "complete", *, at: int = 2_000, code: str = "", metered: Metered | None = None
) -> Ending:
    problem = Problem(code=code, message="", message_en="", retryable=False) if code else None
    return Ending(reason=reason, problem=problem, answer=b"answer", ended_at=at, metered=metered)


def last(turn: Turn, seq: int, how: Ending | None = None) -> TurnWrite:
    """The write that ends a turn with one terminal event."""
    return TurnWrite(turn_id=turn.id, rows=rows(seq, 1), ending=how or ending(), turn=turn)
