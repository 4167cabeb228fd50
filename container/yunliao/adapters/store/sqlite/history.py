"""A user's messages in one order, and removal by age, in SQLite."""

from yunliao.adapters.store.sqlite.conversations import LAST
from yunliao.adapters.store.sqlite.database import Database, position, rows
from yunliao.adapters.store.sqlite.records import load
from yunliao.ports import Message


class SqliteHistory:
    """Implements `ports_records.History`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, user_id: str, *, before: tuple[int, str] | None, limit: int) -> list[Message]:
        """See `ports_records.History.page`."""
        statement = (
            "SELECT * FROM messages INDEXED BY messages_of_user WHERE user_id = ? AND (created_at, id) < (?, ?)"
            " AND hidden = 0 AND state = 'normal' ORDER BY created_at DESC, id DESC LIMIT ?"
        )
        at, last = before or LAST
        with self._database.read() as connection:
            return [load(Message, one) for one in rows(connection, statement, user_id, position(at), last, limit)]

    def expire(self, *, before: int, limit: int) -> dict[str, int]:
        """See `ports_records.History.expire`."""
        with self._database.write() as connection:
            idle = "SELECT id FROM conversations WHERE last_activity_at < ? AND live_turn_id = '' LIMIT ?"
            conversations = [(found["id"],) for found in rows(connection, idle, before, limit)]
            connection.executemany(
                "DELETE FROM events WHERE turn_id IN (SELECT id FROM turns WHERE conversation_id = ?)", conversations
            )
            for table in ("turns", "messages"):
                connection.executemany(f"DELETE FROM {table} WHERE conversation_id = ?", conversations)  # noqa: S608
            connection.executemany("DELETE FROM conversations WHERE id = ?", conversations)
            old = (
                "SELECT messages.id, messages.turn_id FROM messages LEFT JOIN conversations"
                " ON conversations.id = messages.conversation_id"
                " WHERE messages.created_at < ? AND coalesce(conversations.live_turn_id, '') = ''"
                " ORDER BY messages.created_at LIMIT ?"
            )
            messages = rows(connection, old, before, limit)
            turns = [(turn_id,) for turn_id in {found["turn_id"] for found in messages}]
            connection.executemany("DELETE FROM events WHERE turn_id = ?", turns)
            connection.executemany("DELETE FROM turns WHERE id = ? AND state = 'ended'", turns)
            connection.executemany("DELETE FROM messages WHERE id = ?", [(found["id"],) for found in messages])
        if conversations or messages:
            self._database.forget()
        return {"conversations": len(conversations), "messages": len(messages)}
