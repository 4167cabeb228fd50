"""Turns and their event logs in SQLite."""

import sqlite3
from collections.abc import Collection, Sequence

import msgspec

from yunliao.adapters.store.posting import reserve_in, settle_in
from yunliao.adapters.store.sqlite.database import Database, position, row, rows
from yunliao.adapters.store.sqlite.ledger import OpenBooks
from yunliao.adapters.store.sqlite.records import has_key, has_permit, insert, load, read
from yunliao.domain.turn import Ending, Turn
from yunliao.ports import AcceptLimits, AcceptOutcome, CommitResult, Draft, EventRow, Head, Message, TurnWrite


class SqliteTurns:
    """Implements `ports.Turns`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def accept(self, draft: Draft, limits: AcceptLimits) -> AcceptOutcome:
        """See `ports.Turns.accept`."""
        turn = draft.turn
        with self._database.write() as connection:
            refused = _refusal(connection, draft, limits)
            if refused is not None:
                return refused
            shortfall = reserve_in(OpenBooks(connection), turn, draft.charge)
            if shortfall is not None:
                return AcceptOutcome(status="shortfall", shortfall=shortfall)
            if draft.new_conversation is not None:
                insert(connection, "conversations", draft.new_conversation)
            _hide(connection, draft)
            insert(connection, "turns", turn)
            if draft.message is not None:
                insert(connection, "messages", draft.message)
            connection.execute(
                "INSERT INTO events VALUES (?, 1, ?, ?)", (turn.id, draft.accepted_event, turn.created_at)
            )
            connection.execute(
                "UPDATE conversations SET live_turn_id = ?, last_activity_at = max(last_activity_at, ?) WHERE id = ?",
                (turn.id, turn.created_at, turn.conversation_id),
            )
            return AcceptOutcome(status="accepted", turn=turn)

    def get(self, turn_id: str) -> Turn | None:
        """See `ports.Turns.get`."""
        with self._database.read() as connection:
            return read(Turn, row(connection, "SELECT * FROM turns WHERE id = ?", turn_id))

    def by_client_id(self, user_id: str, client_id: str) -> Turn | None:
        """See `ports.Turns.by_client_id`."""
        with self._database.read() as connection:
            return _by_client_id(connection, user_id, client_id)

    def live_of(self, user_id: str) -> Turn | None:
        """See `ports.Turns.live_of`."""
        with self._database.read() as connection:
            return _live_of(connection, user_id)

    def commit(self, writes: Sequence[TurnWrite], *, owner: str, lease_until: int) -> CommitResult:
        """See `ports.Turns.commit`."""
        lost: set[str] = set()
        stops: set[str] = set()
        with self._database.write() as connection:
            for write in writes:
                turn = read(Turn, row(connection, "SELECT * FROM turns WHERE id = ?", write.turn_id))
                if turn is None or not turn.live or turn.owner != owner or not _contiguous(turn, write):
                    lost.add(write.turn_id)
                    continue
                if turn.stop_requested:
                    stops.add(turn.id)
                connection.executemany(
                    "INSERT INTO events VALUES (?, ?, ?, ?)",
                    [(turn.id, event.seq, event.body, event.created_at) for event in write.rows],
                )
                last_seq = write.rows[-1].seq if write.rows else turn.last_seq
                if write.ending is not None:
                    _end(connection, turn, write.ending, last_seq)
                    settle_in(OpenBooks(connection), turn, write.ending)
                else:
                    connection.execute(
                        "UPDATE turns SET last_seq = ?, lease_until = ?, state = ? WHERE id = ?",
                        (last_seq, lease_until, write.state or turn.state, turn.id),
                    )
        return CommitResult(lost=frozenset(lost), stops=frozenset(stops))

    def claim(self, turn_id: str, *, owner: str, lease_until: int, now: int) -> Turn | None:
        """See `ports.Turns.claim`."""
        with self._database.write() as connection:
            return read(
                Turn,
                row(
                    connection,
                    "UPDATE turns SET owner = ?, lease_until = ?, takeovers = takeovers + 1"
                    " WHERE id = ? AND state <> 'ended' AND lease_until < ? RETURNING *",
                    owner,
                    lease_until,
                    turn_id,
                    now,
                ),
            )

    def abandoned(self, *, now: int, limit: int) -> list[Turn]:
        """See `ports.Turns.abandoned`."""
        with self._database.read() as connection:
            statement = "SELECT * FROM turns WHERE state <> 'ended' AND lease_until < ? ORDER BY lease_until LIMIT ?"
            return [load(Turn, found) for found in rows(connection, statement, now, limit)]

    def request_stop(self, turn_id: str) -> None:
        """See `ports.Turns.request_stop`."""
        with self._database.write() as connection:
            connection.execute("UPDATE turns SET stop_requested = 1 WHERE id = ? AND state <> 'ended'", (turn_id,))

    def events(self, turn_id: str, *, after: int, limit: int) -> list[EventRow]:
        """See `ports.Turns.events`."""
        statement = "SELECT seq, body, created_at FROM events WHERE turn_id = ? AND seq > ? ORDER BY seq LIMIT ?"
        with self._database.read() as connection:
            return [
                EventRow(seq=found["seq"], body=found["body"], created_at=found["created_at"])
                for found in rows(connection, statement, turn_id, position(after), limit)
            ]

    def heads(self, turn_ids: Collection[str]) -> dict[str, Head]:
        """See `ports.Turns.heads`."""
        # One parameter however many ids: statements with many are limited.
        statement = "SELECT id, last_seq, state, lease_until FROM turns WHERE id IN (SELECT value FROM json_each(?))"
        with self._database.read() as connection:
            found = rows(connection, statement, msgspec.json.encode(list(turn_ids)).decode())
        return {one["id"]: Head(one["last_seq"], one["state"] != "ended", one["lease_until"]) for one in found}

    def watch(self) -> None:
        """See `ports.Turns.watch`: a file tells nobody."""

    def expire_events(self, *, ended_before: int, limit: int) -> int:
        """See `ports.Turns.expire_events`."""
        with self._database.write() as connection:
            statement = (
                "SELECT id FROM turns WHERE state = 'ended' AND events_expired = 0 AND ended_at < ?"
                " ORDER BY ended_at LIMIT ?"
            )
            ids = [(found["id"],) for found in rows(connection, statement, ended_before, limit)]
            connection.executemany("DELETE FROM events WHERE turn_id = ?", ids)
            connection.executemany("UPDATE turns SET events_expired = 1 WHERE id = ?", ids)
            return len(ids)


def _refusal(connection: sqlite3.Connection, draft: Draft, limits: AcceptLimits) -> AcceptOutcome | None:
    turn = draft.turn
    if draft.key_id and not has_key(connection, turn.user_id, draft.key_id):
        return AcceptOutcome(status="no_user")
    if draft.permit and not has_permit(connection, turn.user_id, draft.permit):
        return AcceptOutcome(status="outdated")
    existing = _by_client_id(connection, turn.user_id, turn.client_id)
    if existing is not None:
        return AcceptOutcome(status="existing", turn=existing)
    if draft.new_conversation is None and not row(
        connection,
        "SELECT 1 FROM conversations WHERE id = ? AND user_id = ? AND deleted_at = 0",
        turn.conversation_id,
        turn.user_id,
    ):
        return AcceptOutcome(status="no_conversation")
    live = _live_of(connection, turn.user_id)
    if live is not None:
        return AcceptOutcome(status="turn_in_progress", turn=live)
    since = turn.created_at - limits.window_ms
    recent = rows(
        connection,
        "SELECT created_at FROM turns WHERE user_id = ? AND created_at > ? ORDER BY created_at DESC LIMIT ?",
        turn.user_id,
        since,
        limits.rate,
    )
    if len(recent) >= limits.rate:
        return AcceptOutcome(status="rate_limited", retry_after_ms=max(1, recent[-1]["created_at"] - since))
    return None


def _by_client_id(connection: sqlite3.Connection, user_id: str, client_id: str) -> Turn | None:
    statement = "SELECT * FROM turns WHERE user_id = ? AND client_id = ?"
    return read(Turn, row(connection, statement, user_id, client_id))


def _live_of(connection: sqlite3.Connection, user_id: str) -> Turn | None:
    return read(Turn, row(connection, "SELECT * FROM turns WHERE user_id = ? AND state <> 'ended'", user_id))


def _hide(connection: sqlite3.Connection, draft: Draft) -> None:
    turn = draft.turn
    if draft.hide_from_message_id:
        connection.execute(
            "UPDATE messages SET hidden = 1 WHERE conversation_id = ?1 AND user_id = ?2 AND (created_at, id) >="
            " (SELECT created_at, id FROM messages WHERE id = ?3 AND conversation_id = ?1 AND user_id = ?2)",
            (turn.conversation_id, turn.user_id, draft.hide_from_message_id),
        )
    connection.executemany(
        "UPDATE messages SET hidden = 1 WHERE id = ? AND user_id = ?",
        [(message_id, turn.user_id) for message_id in draft.hide_message_ids],
    )


def _contiguous(turn: Turn, write: TurnWrite) -> bool:
    return [event.seq for event in write.rows] == list(range(turn.last_seq + 1, turn.last_seq + 1 + len(write.rows)))


def _end(connection: sqlite3.Connection, turn: Turn, ending: Ending, last_seq: int) -> None:
    code = ending.problem.code if ending.problem else ""
    connection.execute(
        "UPDATE turns SET state = 'ended', last_seq = ?, ended_at = ?, end_reason = ?, error_code = ? WHERE id = ?",
        (last_seq, ending.ended_at, ending.reason, code, turn.id),
    )
    connection.execute(
        "UPDATE conversations SET live_turn_id = '', last_activity_at = max(last_activity_at, ?),"
        " sealed_snippet = coalesce(?, sealed_snippet) WHERE id = ?",
        (ending.ended_at, ending.snippet, turn.conversation_id),
    )
    if ending.title is not None:
        connection.execute(
            "UPDATE conversations SET sealed_title = ?, titled = 'auto' WHERE id = ? AND titled = 'none'",
            (ending.title, turn.conversation_id),
        )
    blocked = ending.reason == "blocked"
    if blocked:
        connection.execute("UPDATE messages SET state = 'blocked' WHERE id = ?", (turn.user_message_id,))
    gone = not row(connection, "SELECT 1 FROM conversations WHERE id = ?", turn.conversation_id)
    if ending.answer is None or gone:
        return
    insert(
        connection,
        "messages",
        Message(
            id=turn.answer_message_id,
            user_id=turn.user_id,
            conversation_id=turn.conversation_id,
            turn_id=turn.id,
            role="assistant",
            sealed_body=ending.answer,
            created_at=max(ending.ended_at, turn.created_at + 1),
            state="blocked" if blocked else "normal",
            end_reason=ending.reason,
            error_code=code,
        ),
    )
