"""The decision to accept a send: one transaction, made exact by the user's gate.

Snapshot transactions alone would let two sends of one user decide on the same past (write skew). So each first writes
the same document, the user's own, which also tells whether the account is still the one the message was sealed for: of
two at once one is refused by the server and decides again, seeing the other. Users never meet each other. A transaction
costs some milliseconds more than a single write would, once a message; in return turn, message, conversation and hidden
messages appear together or not at all.

Most sends are accepted, and a command costs the driver more than anything it carries. So the gate also keeps the times
of the newest sends, and who passes it with room to spare writes at once: unique indexes refuse a second turn of a
client id and a second live one. Only where something stands in the way all is asked, and decided in order.
"""

from typing import Any

from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from yunliao.adapters.store.mongo.database import Database, Document, Refused
from yunliao.adapters.store.mongo.gate import pass_gate
from yunliao.adapters.store.mongo.ledger import OpenBooks
from yunliao.adapters.store.mongo.records import document, load
from yunliao.adapters.store.posting import reserve_in
from yunliao.domain.turn import Turn
from yunliao.ports import AcceptLimits, AcceptOutcome, Draft

TURN: Document = {"events": 0}
"""What is left out when a turn is read."""


class _Ask(Exception):
    """Something stands in the way of a send that has not asked what; it may be that the send was made before."""


def accept(database: Database, draft: Draft, limits: AcceptLimits) -> AcceptOutcome:
    """See `ports.Turns.accept`."""
    try:
        return database.transaction(lambda session: _decide(database, session, draft, limits, asked=False))
    except _Ask:
        return database.transaction(lambda session: _decide(database, session, draft, limits, asked=True))


def _decide(
    database: Database, session: ClientSession, draft: Draft, limits: AcceptLimits, *, asked: bool
) -> AcceptOutcome | Refused[AcceptOutcome]:
    turn = draft.turn
    gate = pass_gate(database, session, turn.user_id, draft.key_id, permit=draft.permit, sent_at=turn.created_at)
    if gate.status is not None:
        return Refused(AcceptOutcome(status=gate.status))
    since = turn.created_at - limits.window_ms
    asked = asked or not gate.has_room(since, limits.rate)
    same, live, recent = _standing(database, session, turn, since) if asked else (None, None, [])
    if same is not None:
        # Ours: an earlier attempt of this very call was written, and only its answer was lost. In both cases the
        # transaction is committed, so that what it read is sure to stay.
        return AcceptOutcome(status="accepted" if same.id == turn.id else "existing", turn=same)
    books = OpenBooks(database, session)
    refused = _hindrance(database, session, draft, limits, live, recent) or _short(books, draft)
    if refused is not None:
        if not asked:
            raise _Ask
        return Refused(refused)
    try:
        _write(database, session, draft)
    except DuplicateKeyError:
        if asked:
            raise
        raise _Ask from None
    books.flush()
    if asked and (anew := gate.begun_anew(since, [*recent, turn.created_at])):
        database["users"].update_one({"_id": turn.user_id}, anew, session=session)
    return AcceptOutcome(status="accepted", turn=turn)


def _hindrance(
    database: Database,
    session: ClientSession,
    draft: Draft,
    limits: AcceptLimits,
    live: Turn | None,
    recent: list[int],
) -> AcceptOutcome | None:
    """What stands in the way of the draft; where nothing does, its old conversation is touched by it."""
    turn = draft.turn
    if draft.new_conversation is None:
        change: Document = {"$set": {"live_turn_id": turn.id}, "$max": {"last_activity_at": turn.created_at}}
        wanted = {"_id": turn.conversation_id, "user_id": turn.user_id, "deleted_at": {"$in": [None, 0]}}
        if database["conversations"].update_one(wanted, change, session=session).matched_count == 0:
            return AcceptOutcome(status="no_conversation")
    if live is not None:
        return AcceptOutcome(status="turn_in_progress", turn=live)
    if len(recent) >= limits.rate:
        since = turn.created_at - limits.window_ms
        return AcceptOutcome(status="rate_limited", retry_after_ms=max(1, recent[limits.rate - 1] - since))
    return None


def _short(books: OpenBooks, draft: Draft) -> AcceptOutcome | None:
    shortfall = reserve_in(books, draft.turn, draft.charge)
    return None if shortfall is None else AcceptOutcome(status="shortfall", shortfall=shortfall)


def _standing(
    database: Database, session: ClientSession, turn: Turn, since: int
) -> tuple[Turn | None, Turn | None, list[int]]:
    """By one query: the turn of the same client id, the live one, and the recent ones' times, newest first."""
    branches = [
        {"user_id": turn.user_id, "client_id": turn.client_id},
        {"user_id": turn.user_id, "live": True},
        {"user_id": turn.user_id, "created_at": {"$gt": since}},
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
        if other.created_at > since:
            recent.append(other.created_at)
    return same, live, sorted(recent, reverse=True)


def _write(database: Database, session: ClientSession, draft: Draft) -> None:
    turn = draft.turn
    first = {"b": draft.accepted_event, "t": turn.created_at}
    database["turns"].insert_one(_document(turn) | {"live": True, "events": [first]}, session=session)
    if draft.new_conversation is not None:
        fresh = document(draft.new_conversation) | {"live_turn_id": turn.id}
        fresh["last_activity_at"] = max(draft.new_conversation.last_activity_at, turn.created_at)
        database["conversations"].insert_one(fresh, session=session)
    _hide(database, session, draft)  # before the message that replaces is there
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
