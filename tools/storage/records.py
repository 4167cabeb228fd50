"""Turns as the services make them, of the sizes that real ones have; sealed parts are random bytes."""

import itertools
import os
import secrets
import time

from yunliao.adapters.store.mongo import MongoStore
from yunliao.domain.turn import Turn
from yunliao.ports import AcceptLimits, Conversation, Draft, Message

SEAL = 44
"""What sealing adds to a text: version, key id, nonce and tag."""
UNLIMITED = AcceptLimits(rate=100_000, window_ms=1)
_numbers = itertools.count(1)


def new_id(prefix: str) -> str:
    """Like the service's: sorted by time, 26 characters."""
    return f"{prefix}_{next(_numbers):012d}{secrets.token_hex(7).upper()}"


def draft(user_id: str, *, owner: str, conversation_id: str = "", question: int = 90) -> Draft:
    """A send of `question` bytes of text."""
    now = int(time.time() * 1000)
    turn = Turn(
        id=new_id("turn"),
        user_id=user_id,
        conversation_id=conversation_id or new_id("conv"),
        client_id=secrets.token_hex(16),
        fingerprint=os.urandom(43),
        model="deepseek-chat",
        user_message_id=new_id("msg"),
        answer_message_id=new_id("msg"),
        owner=owner,
        lease_until=now + 6_000,
        last_seq=1,
        created_at=now,
        sealed_principal=os.urandom(SEAL + 170),
    )
    message = Message(
        id=turn.user_message_id,
        user_id=user_id,
        conversation_id=turn.conversation_id,
        turn_id=turn.id,
        role="user",
        sealed_body=os.urandom(SEAL + question),
        created_at=now,
    )
    fresh = Conversation(
        id=turn.conversation_id,
        user_id=user_id,
        created_at=now,
        last_activity_at=now,
        sealed_title=os.urandom(SEAL + 40),
        titled="auto",
        sealed_snippet=os.urandom(SEAL + 100),
    )
    return Draft(
        turn=turn,
        message=message,
        new_conversation=None if conversation_id else fresh,
        accepted_event=os.urandom(SEAL + 220),
    )


def accept(store: MongoStore, user_id: str, *, owner: str, conversation_id: str = "") -> Turn:
    """An accepted turn."""
    outcome = store.turns.accept(draft(user_id, owner=owner, conversation_id=conversation_id), UNLIMITED)
    assert outcome.turn is not None
    return outcome.turn
