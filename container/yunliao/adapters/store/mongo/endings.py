"""What the ending of a turn changes: the turn itself, its conversation, its messages, and its user's credits."""

from yunliao.adapters.store.mongo.ledger import OpenBooks
from yunliao.adapters.store.mongo.records import document
from yunliao.adapters.store.mongo.steps import Document, Steps, Update
from yunliao.adapters.store.posting import settle_in
from yunliao.domain.turn import Ending, Turn
from yunliao.ports import Message, TurnWrite


def log_of(write: TurnWrite) -> Document:
    """What is pushed to a turn's log."""
    return {"events": {"$each": [{"b": row.body, "t": row.created_at} for row in write.rows]}}


def closed(turn: Turn, write: TurnWrite, ending: Ending, mark: str, wanted: Document) -> Update:
    """The change of the turn, where it is as `wanted`."""
    fields: Document = {
        "state": "ended",
        "last_seq": write.rows[-1].seq if write.rows else turn.last_seq,
        "ended_at": ending.ended_at,
        "end_reason": ending.reason,
        "mark": mark,
        "keeps_events": True,
    }
    if ending.problem:
        fields["error_code"] = ending.problem.code
    change = {"$set": fields, "$unset": {"live": ""}, "$push": log_of(write)}
    return Update(wanted, change)


def leave(steps: Steps, ended: list[tuple[Turn, Ending]]) -> None:
    """What an ending means beside the turn: conversation, messages, credits."""
    books = OpenBooks(steps)
    books.preload(turn.user_id for turn, _ in ended if turn.price_version)
    for turn, ending in ended:
        settle_in(books, turn, ending)
    steps.update("conversations", [change for turn, ending in ended for change in _left(turn, ending)])
    blocked = [_question_blocked(turn) for turn, ending in ended if ending.reason == "blocked"]
    if blocked:
        steps.update("messages", blocked)
    answers = [document(_answer(turn, ending)) for turn, ending in ended if ending.answer is not None]
    if answers:
        steps.insert("messages", answers)
    books.flush()


def _left(turn: Turn, ending: Ending) -> list[Update]:
    one = {"_id": turn.conversation_id, "user_id": turn.user_id}
    fields: Document = {"live_turn_id": ""}
    if ending.snippet is not None:
        fields["sealed_snippet"] = ending.snippet
    changes = [Update(one, {"$set": fields, "$max": {"last_activity_at": ending.ended_at}})]
    if ending.title is not None:
        untitled = one | {"titled": {"$in": [None, "none"]}}
        changes.append(Update(untitled, {"$set": {"sealed_title": ending.title, "titled": "auto"}}))
    return changes


def _question_blocked(turn: Turn) -> Update:
    return Update({"_id": turn.user_message_id, "user_id": turn.user_id}, {"$set": {"state": "blocked"}})


def _answer(turn: Turn, ending: Ending) -> Message:
    return Message(
        id=turn.answer_message_id,
        user_id=turn.user_id,
        conversation_id=turn.conversation_id,
        turn_id=turn.id,
        role="assistant",
        sealed_body=ending.answer or b"",
        created_at=max(ending.ended_at, turn.created_at + 1),
        state="blocked" if ending.reason == "blocked" else "normal",
        end_reason=ending.reason,
        error_code=ending.problem.code if ending.problem else "",
    )
