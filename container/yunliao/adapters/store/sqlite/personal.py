"""Everything of one user in SQLite, in orders that do not change."""

from yunliao.adapters.store.sqlite.conversations import remove
from yunliao.adapters.store.sqlite.database import Database, position, row, rows
from yunliao.adapters.store.sqlite.records import load
from yunliao.domain.turn import Turn
from yunliao.ports import Conversation, Message
from yunliao.ports_people import ConsentRecord


class SqlitePersonalData:
    """Implements `ports_people.PersonalData`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def consents(self, user_id: str) -> list[ConsentRecord]:
        """See `ports_people.PersonalData.consents`."""
        statement = "SELECT at, version, overseas FROM consents WHERE user_id = ? ORDER BY at, rowid"
        with self._database.read() as connection:
            found = rows(connection, statement, user_id)
        return [ConsentRecord(one["at"], one["version"], bool(one["overseas"])) for one in found]

    def conversations(self, user_id: str, *, after: str, until: int, limit: int) -> list[Conversation]:
        """See `ports_people.PersonalData.conversations`."""
        statement = "SELECT * FROM conversations WHERE user_id = ? AND id > ? AND created_at <= ? ORDER BY id LIMIT ?"
        with self._database.read() as connection:
            found = rows(connection, statement, user_id, after, position(until), limit)
            return [load(Conversation, one) for one in found]

    def messages(
        self, user_id: str, conversation_id: str, *, after: tuple[int, str], until: int, limit: int
    ) -> list[Message]:
        """See `ports_people.PersonalData.messages`."""
        statement = (
            "SELECT * FROM messages WHERE conversation_id = ? AND user_id = ? AND (created_at, id) > (?, ?)"
            " AND created_at <= ? ORDER BY created_at, id LIMIT ?"
        )
        at, last = after
        with self._database.read() as connection:
            found = rows(connection, statement, conversation_id, user_id, position(at), last, position(until), limit)
            return [load(Message, one) for one in found]

    def turns(self, user_id: str, *, after: str, until: int, limit: int) -> list[Turn]:
        """See `ports_people.PersonalData.turns`."""
        statement = "SELECT * FROM turns WHERE user_id = ? AND id > ? AND created_at <= ? ORDER BY id LIMIT ?"
        with self._database.read() as connection:
            found = rows(connection, statement, user_id, after, position(until), limit)
            return [load(Turn, one) for one in found]

    def purge(self, user_id: str, conversation_id: str) -> dict[str, int] | None:
        """See `ports_people.PersonalData.purge`."""
        with self._database.write() as connection:
            own = "SELECT 1 FROM conversations WHERE id = ? AND user_id = ?"
            if row(connection, own, conversation_id, user_id) is None:
                return None
            counts = remove(connection, conversation_id)
        self._database.forget()
        return counts

    def keyed(self, *, after: str, limit: int) -> list[tuple[str, str]]:
        """See `ports_people.PersonalData.keyed`."""
        with self._database.read() as connection:
            found = rows(connection, "SELECT id, key_id FROM users WHERE id > ? ORDER BY id LIMIT ?", after, limit)
        return [(one["id"], one["key_id"]) for one in found]

    def rekey(self, user_id: str, *, old: bytes, new: bytes, key_id: str) -> bool:
        """See `ports_people.PersonalData.rekey`."""
        with self._database.write() as connection:
            changed = connection.execute(
                "UPDATE users SET wrapped_key = ?, key_id = ? WHERE id = ? AND wrapped_key = ? AND key_id = ''",
                (new, key_id, user_id, old),
            )
        if changed.rowcount:
            self._database.forget()
        return changed.rowcount == 1
