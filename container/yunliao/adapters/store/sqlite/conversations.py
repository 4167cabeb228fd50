"""Conversations and messages in SQLite."""

import sqlite3

from yunliao.adapters.store.posting import let_go_in
from yunliao.adapters.store.sqlite.database import LARGEST, Database, position, row, rows
from yunliao.adapters.store.sqlite.ledger import OpenBooks
from yunliao.adapters.store.sqlite.records import has_key, insert, load, read
from yunliao.domain.turn import Turn
from yunliao.ports import Conversation, Message

LAST = (LARGEST, "\U0010ffff")
"""A position after every record."""


def remove(connection: sqlite3.Connection, conversation_id: str) -> dict[str, int]:
    """Delete a conversation with all it holds; rows of each. What its live turn had reserved goes back."""
    live = "SELECT * FROM turns WHERE conversation_id = ? AND state <> 'ended' AND price_version <> ''"
    for turn in rows(connection, live, conversation_id):
        let_go_in(OpenBooks(connection), load(Turn, turn))
    statements = {
        "events": "DELETE FROM events WHERE turn_id IN (SELECT id FROM turns WHERE conversation_id = ?)",
        "turns": "DELETE FROM turns WHERE conversation_id = ?",
        "messages": "DELETE FROM messages WHERE conversation_id = ?",
        "conversations": "DELETE FROM conversations WHERE id = ?",
    }
    return {name: connection.execute(statement, (conversation_id,)).rowcount for name, statement in statements.items()}


class SqliteConversations:
    """Implements `ports.Conversations`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, conversation: Conversation, *, key_id: str = "") -> bool:
        """See `ports.Conversations.create`."""
        with self._database.write() as connection:
            if key_id and not has_key(connection, conversation.user_id, key_id):
                return False
            insert(connection, "conversations", conversation)
            return True

    def get(self, user_id: str, conversation_id: str) -> Conversation | None:
        """See `ports.Conversations.get`."""
        statement = "SELECT * FROM conversations WHERE id = ? AND user_id = ? AND deleted_at = 0"
        with self._database.read() as connection:
            return read(Conversation, row(connection, statement, conversation_id, user_id))

    def page(self, user_id: str, *, before: tuple[int, str] | None, limit: int) -> list[Conversation]:
        """See `ports.Conversations.page`."""
        statement = (
            "SELECT * FROM conversations WHERE user_id = ? AND (last_activity_at, id) < (?, ?) AND deleted_at = 0"
            " ORDER BY last_activity_at DESC, id DESC LIMIT ?"
        )
        with self._database.read() as connection:
            at, last = before or LAST
            found = rows(connection, statement, user_id, position(at), last, limit)
            return [load(Conversation, one) for one in found]

    def set_title(self, user_id: str, conversation_id: str, sealed_title: bytes) -> bool:
        """See `ports.Conversations.set_title`."""
        statement = (
            "UPDATE conversations SET sealed_title = ?, titled = 'user' WHERE id = ? AND user_id = ? AND deleted_at = 0"
        )
        with self._database.write() as connection:
            return connection.execute(statement, (sealed_title, conversation_id, user_id)).rowcount == 1

    def delete(self, user_id: str, conversation_id: str, *, at: int) -> bool:
        """See `ports.Conversations.delete`."""
        with self._database.write() as connection:
            statement = "UPDATE conversations SET deleted_at = ? WHERE id = ? AND user_id = ? AND deleted_at = 0"
            return connection.execute(statement, (at, conversation_id, user_id)).rowcount == 1

    def restore(self, user_id: str, conversation_id: str, *, deleted_after: int) -> bool:
        """See `ports.Conversations.restore`."""
        with self._database.write() as connection:
            statement = "UPDATE conversations SET deleted_at = 0 WHERE id = ? AND user_id = ? AND deleted_at > ?"
            return connection.execute(statement, (conversation_id, user_id, deleted_after)).rowcount == 1

    def purge(self, *, deleted_before: int, limit: int) -> int:
        """See `ports.Conversations.purge`."""
        with self._database.write() as connection:
            statement = "SELECT id FROM conversations WHERE deleted_at > 0 AND deleted_at < ? LIMIT ?"
            ids = [(found["id"],) for found in rows(connection, statement, deleted_before, limit)]
            for (conversation_id,) in ids:
                remove(connection, conversation_id)
        if ids:
            self._database.forget()
        return len(ids)

    def messages(
        self, user_id: str, conversation_id: str, *, before: tuple[int, str] | None, limit: int
    ) -> list[Message]:
        """See `ports.Conversations.messages`."""
        statement = (
            "SELECT * FROM messages WHERE conversation_id = ? AND user_id = ? AND (created_at, id) < (?, ?)"
            " AND hidden = 0 ORDER BY created_at DESC, id DESC LIMIT ?"
        )
        with self._database.read() as connection:
            at, last = before or LAST
            found = rows(connection, statement, conversation_id, user_id, position(at), last, limit)
            return [load(Message, one) for one in found]

    def message(self, user_id: str, message_id: str) -> Message | None:
        """See `ports.Conversations.message`."""
        statement = "SELECT * FROM messages WHERE id = ? AND user_id = ?"
        with self._database.read() as connection:
            return read(Message, row(connection, statement, message_id, user_id))

    def set_feedback(self, user_id: str, message_id: str, sealed_feedback: bytes) -> bool:
        """See `ports.Conversations.set_feedback`."""
        with self._database.write() as connection:
            statement = "UPDATE messages SET sealed_feedback = ? WHERE id = ? AND user_id = ?"
            return connection.execute(statement, (sealed_feedback, message_id, user_id)).rowcount == 1
