"""The decision to accept a send: one transaction, made exact by the user's gate.

Snapshot transactions alone would let two sends of one user decide on the same past (write skew). So each first writes
the same document, the user's own, which also tells whether the account is still the one the message was sealed for: of
two at once one is refused by the server and decides again, seeing the other. Users never meet each other. A transaction
costs some milliseconds more than a single write would, once a message; in return turn, message, conversation and hidden
messages appear together or not at all.

Most sends are accepted. So a first attempt asks for nothing: the gate remembers the newest sends, and who passes it
with room to spare writes at once, where unique indexes refuse a second turn of a client id and a second live one.
Whatever stands in the way, a second attempt asks for all of it and decides in order.
"""

from pymongo.client_session import ClientSession

from yunliao.adapters.store.mongo.database import Database, Document, Hindered, Refused
from yunliao.adapters.store.mongo.gate import pass_gate
from yunliao.adapters.store.mongo.ledger import OpenBooks
from yunliao.adapters.store.mongo.records import document, load
from yunliao.adapters.store.mongo.steps import Steps, Update
from yunliao.adapters.store.posting import reserve_in
from yunliao.domain.turn import Turn
from yunliao.ports import AcceptLimits, AcceptOutcome, Draft

TURN: Document = {"events": 0}
"""What is left out when a turn is read."""


def accept(database: Database, draft: Draft, limits: AcceptLimits) -> AcceptOutcome:
    """See `ports.Turns.accept`."""

    def asking(session: ClientSession) -> AcceptOutcome | Refused[AcceptOutcome]:
        return _asking(database, session, draft, limits)

    if draft.hide_from_message_id or draft.hide_message_ids or not (draft.key_id or draft.permit):
        return database.transaction(asking)
    return database.quickly(
        lambda lines: lines.transaction(lambda steps: _at_once(steps, draft, limits)),
        lambda: database.transaction(asking),
    )


def _at_once(steps: Steps, draft: Draft, limits: AcceptLimits) -> AcceptOutcome | Refused[AcceptOutcome]:
    turn = draft.turn
    gate = pass_gate(steps, turn.user_id, draft.key_id, permit=draft.permit, sent_at=turn.created_at)
    if gate.status is not None:
        return Refused(AcceptOutcome(status=gate.status))
    if not gate.has_room(turn.created_at - limits.window_ms, limits.rate) or not _touched(steps, draft):
        raise Hindered
    books = OpenBooks(steps)
    if reserve_in(books, turn, draft.charge) is not None:
        raise Hindered
    _write(steps, draft)
    books.flush()
    return AcceptOutcome(status="accepted", turn=turn)


def _asking(
    database: Database, session: ClientSession, draft: Draft, limits: AcceptLimits
) -> AcceptOutcome | Refused[AcceptOutcome]:
    turn, steps = draft.turn, database.steps(session)
    gate = pass_gate(steps, turn.user_id, draft.key_id, permit=draft.permit, sent_at=turn.created_at)
    if gate.status is not None:
        return Refused(AcceptOutcome(status=gate.status))
    since = turn.created_at - limits.window_ms
    same, live, recent = _standing(database, session, turn, since)
    if same is not None:
        # Ours: an earlier attempt of this very call was written, and only its answer was lost. In both cases the
        # transaction is committed, so that what it read is sure to stay.
        return AcceptOutcome(status="accepted" if same.id == turn.id else "existing", turn=same)
    if not _touched(steps, draft):
        return Refused(AcceptOutcome(status="no_conversation"))
    if live is not None:
        return Refused(AcceptOutcome(status="turn_in_progress", turn=live))
    if len(recent) >= limits.rate:
        return Refused(AcceptOutcome(status="rate_limited", retry_after_ms=max(1, recent[limits.rate - 1] - since)))
    books = OpenBooks(steps)
    shortfall = reserve_in(books, turn, draft.charge)
    if shortfall is not None:
        return Refused(AcceptOutcome(status="shortfall", shortfall=shortfall))
    _hide(database, session, draft)  # before the message that replaces is there
    _write(steps, draft)
    books.flush()
    if anew := gate.begun_anew(since, [*recent, turn.created_at]):
        steps.update("users", [Update({"_id": turn.user_id}, anew)])
    return AcceptOutcome(status="accepted", turn=turn)


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


def _touched(steps: Steps, draft: Draft) -> bool:
    """Whether the draft's conversation is there, and now its turn's, or will be made with it."""
    turn = draft.turn
    if draft.new_conversation is not None:
        return True
    change: Document = {"$set": {"live_turn_id": turn.id}, "$max": {"last_activity_at": turn.created_at}}
    wanted = {"_id": turn.conversation_id, "user_id": turn.user_id, "deleted_at": {"$in": [None, 0]}}
    return steps.update("conversations", [Update(wanted, change)]) > 0


def _write(steps: Steps, draft: Draft) -> None:
    turn = draft.turn
    first = {"b": draft.accepted_event, "t": turn.created_at}
    steps.insert("turns", [_document(turn) | {"live": True, "events": [first]}])
    if draft.new_conversation is not None:
        fresh = document(draft.new_conversation) | {"live_turn_id": turn.id}
        fresh["last_activity_at"] = max(draft.new_conversation.last_activity_at, turn.created_at)
        steps.insert("conversations", [fresh])
    if draft.message is not None:
        steps.insert("messages", [document(draft.message)])


def _document(turn: Turn) -> Document:
    """With the fields that filters compare, even where they have their default."""
    compared = {"owner": turn.owner, "lease_until": turn.lease_until, "last_seq": turn.last_seq}
    return document(turn) | compared | {"created_at": turn.created_at}


def _hide(database: Database, session: ClientSession, draft: Draft) -> None:
    turn, messages, hidden = draft.turn, database["messages"], {"$set": {"hidden": True}}
    within: Document = {"user_id": turn.user_id, "conversation_id": turn.conversation_id}
    if draft.hide_from_message_id:
        start = messages.find_one({"_id": draft.hide_from_message_id, **within}, {"created_at": 1}, session=session)
        if start is not None:
            at = start["created_at"]
            onward = [{"created_at": {"$gt": at}}, {"_id": {"$gte": start["_id"]}}]
            messages.update_many({**within, "created_at": {"$gte": at}, "$or": onward}, hidden, session=session)
    if draft.hide_message_ids:
        chosen = {"_id": {"$in": list(draft.hide_message_ids)}, "user_id": turn.user_id}
        messages.update_many(chosen, hidden, session=session)
