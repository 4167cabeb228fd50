"""The decision to accept a send: one transaction, made exact by the user's gate.

Snapshot transactions alone would let two sends of one user decide on the same past (write skew). So each first writes
the same document, the user's own, which also tells whether the account is still the one the message was sealed for: of
two at once one is refused by the server and decides again, seeing the other. Users never meet each other. A transaction
costs some milliseconds more than a single write would, once a message; in return turn, message, conversation and hidden
messages appear together or not at all.
"""

from typing import Any

from pymongo.client_session import ClientSession

from yunliao.adapters.store.mongo.database import Database, Document, Refused
from yunliao.adapters.store.mongo.ledger import OpenBooks
from yunliao.adapters.store.mongo.records import document, load
from yunliao.adapters.store.posting import reserve_in
from yunliao.domain.turn import Turn
from yunliao.ports import AcceptLimits, AcceptOutcome, Draft

TURN: Document = {"events": 0}
"""What is left out when a turn is read."""


def accept(database: Database, draft: Draft, limits: AcceptLimits) -> AcceptOutcome:
    """See `ports.Turns.accept`."""
    return database.transaction(lambda session: _decide(database, session, draft, limits))


def _decide(
    database: Database, session: ClientSession, draft: Draft, limits: AcceptLimits
) -> AcceptOutcome | Refused[AcceptOutcome]:
    turn = draft.turn
    if not pass_gate(database, session, turn.user_id, draft.key_id):
        return Refused(AcceptOutcome(status="no_user"))
    same, live, recent = _standing(database, session, turn, limits)
    if same is not None:
        # Ours: an earlier attempt of this very call was written, and only its answer was lost. In both cases the
        # transaction is committed, so that what it read is sure to stay.
        return AcceptOutcome(status="accepted" if same.id == turn.id else "existing", turn=same)
    if draft.new_conversation is None:
        change: Document = {"$set": {"live_turn_id": turn.id}, "$max": {"last_activity_at": turn.created_at}}
        wanted = {"_id": turn.conversation_id, "user_id": turn.user_id, "deleted_at": {"$in": [None, 0]}}
        if database["conversations"].update_one(wanted, change, session=session).matched_count == 0:
            return Refused(AcceptOutcome(status="no_conversation"))
    if live is not None:
        return Refused(AcceptOutcome(status="turn_in_progress", turn=live))
    if len(recent) >= limits.rate:
        since = turn.created_at - limits.window_ms
        return Refused(AcceptOutcome(status="rate_limited", retry_after_ms=max(1, recent[limits.rate - 1] - since)))
    books = OpenBooks(database, session)
    shortfall = reserve_in(books, turn, draft.charge)
    if shortfall is not None:
        return Refused(AcceptOutcome(status="shortfall", shortfall=shortfall))
    _write(database, session, draft)
    books.flush()
    return AcceptOutcome(status="accepted", turn=turn)


def pass_gate(database: Database, session: ClientSession, user_id: str, key_id: str) -> bool:
    """Meet whatever else is done for this user at this moment, erasing included; False where `key_id` is given and not
    that of the stored user."""
    passed: Document = {"$inc": {"passed": 1}}
    if key_id:
        standing = {"_id": user_id, "key_id": key_id}
        return database["users"].update_one(standing, passed, session=session).matched_count > 0
    database["gates"].update_one({"_id": user_id}, passed, upsert=True, session=session)  # there may be no such user
    return True


def _standing(
    database: Database, session: ClientSession, turn: Turn, limits: AcceptLimits
) -> tuple[Turn | None, Turn | None, list[int]]:
    """By one query: the turn of the same client id, the live one, and the recent ones' times, newest first."""
    branches = [
        {"user_id": turn.user_id, "client_id": turn.client_id},
        {"user_id": turn.user_id, "live": True},
        {"user_id": turn.user_id, "created_at": {"$gt": turn.created_at - limits.window_ms}},
    ]
    same: Turn | None = None
    live: Turn | None = None
    recent: list[int] = []
    for found in database["turns"].find({"$or": branches}, TURN, session=session):
        is_live = found.get("live", False)
        other = load(Turn, found)
        if other.client_id == turn.client_id:
            same = other
        if is_live:
            live = other
        if other.created_at > turn.created_at - limits.window_ms:
            recent.append(other.created_at)
    return same, live, sorted(recent, reverse=True)


def _write(database: Database, session: ClientSession, draft: Draft) -> None:
    turn = draft.turn
    if draft.new_conversation is not None:
        fresh = document(draft.new_conversation) | {"live_turn_id": turn.id}
        fresh["last_activity_at"] = max(draft.new_conversation.last_activity_at, turn.created_at)
        database["conversations"].insert_one(fresh, session=session)
    _hide(database, session, draft)  # before the message that replaces is there
    first = {"b": draft.accepted_event, "t": turn.created_at}
    database["turns"].insert_one(_document(turn) | {"live": True, "events": [first]}, session=session)
    if draft.message is not None:
        database["messages"].insert_one(document(draft.message), session=session)


def _document(turn: Turn) -> Document:
    """With the fields that filters compare, even where they have their default."""
    compared = {"owner": turn.owner, "lease_until": turn.lease_until, "last_seq": turn.last_seq}
    return document(turn) | compared | {"created_at": turn.created_at}


def _hide(database: Database, session: ClientSession, draft: Draft) -> None:
    turn, messages, hidden = draft.turn, database["messages"], {"$set": {"hidden": True}}
    if draft.hide_from_message_id:
        within: dict[str, Any] = {"user_id": turn.user_id, "conversation_id": turn.conversation_id}
        start = messages.find_one({"_id": draft.hide_from_message_id, **within}, {"created_at": 1}, session=session)
        if start is not None:
            at = start["created_at"]
            onward = [{"created_at": {"$gt": at}}, {"_id": {"$gte": start["_id"]}}]
            messages.update_many({**within, "created_at": {"$gte": at}, "$or": onward}, hidden, session=session)
    if draft.hide_message_ids:
        chosen = {"_id": {"$in": list(draft.hide_message_ids)}, "user_id": turn.user_id}
        messages.update_many(chosen, hidden, session=session)
