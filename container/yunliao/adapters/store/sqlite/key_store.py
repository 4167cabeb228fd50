"""Halves of data keys in a SQLite file of their own, which no backup of the records takes along."""

from collections.abc import Collection

import msgspec

from yunliao.adapters.store.sqlite.database import Database, row, rows
from yunliao.ports_people import KeyShare


class SqliteKeyStore:
    """Implements `ports_people.KeyStore` for `sqlite:///path`. `secure_delete` overwrites what is destroyed, and the
    write-ahead log, which may hold it still, is emptied."""

    def __init__(self, url: str) -> None:
        self._database = Database(url.removeprefix("sqlite:///"))

    def migrate(self) -> None:
        """See `ports_people.KeyStore.migrate`."""
        with self._database.write() as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS user_keys (id TEXT PRIMARY KEY, user_id TEXT NOT NULL,"
                " share BLOB NOT NULL, created_at INTEGER NOT NULL, destroyed_at INTEGER NOT NULL) WITHOUT ROWID"
            )
            connection.execute(
                "CREATE INDEX IF NOT EXISTS user_keys_unsettled ON user_keys (destroyed_at)"
                " WHERE destroyed_at > 0 AND user_id <> ''"
            )
            connection.execute("CREATE TABLE IF NOT EXISTS marks (value TEXT NOT NULL)")

    def mark(self, value: str) -> str:
        """See `ports_people.KeyStore.mark`."""
        with self._database.write() as connection:
            found = row(connection, "SELECT value FROM marks")
            if found is None:
                connection.execute("INSERT INTO marks VALUES (?)", (value,))
            return value if found is None else str(found["value"])

    def marked(self) -> str:
        """See `ports_people.KeyStore.marked`."""
        with self._database.read() as connection:
            if row(connection, "SELECT 1 FROM sqlite_master WHERE name = 'marks'") is None:
                return ""
            found = row(connection, "SELECT value FROM marks")
            return "" if found is None else str(found["value"])

    def bury(self, record_id: str, *, at: int) -> None:
        """See `ports_people.KeyStore.bury`: a share that was never one."""
        with self._database.write() as connection:
            connection.execute("INSERT OR IGNORE INTO user_keys VALUES (?, '', x'', ?, ?)", (record_id, at, at))

    def put(self, share: KeyShare) -> None:
        """See `ports_people.KeyStore.put`."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO user_keys VALUES (?, ?, ?, ?, 0)", (share.id, share.user_id, share.share, share.created_at)
            )

    def get(self, share_id: str) -> KeyShare | None:
        """See `ports_people.KeyStore.get`."""
        with self._database.read() as connection:
            found = row(connection, "SELECT * FROM user_keys WHERE id = ?", share_id)
        return None if found is None else KeyShare(**dict(found))

    def destroy(self, share_id: str, *, at: int) -> bool:
        """See `ports_people.KeyStore.destroy`."""
        with self._database.write() as connection:
            changed = connection.execute(
                "UPDATE user_keys SET share = x'', destroyed_at = ? WHERE id = ? AND destroyed_at = 0",
                (at, share_id),
            )
        self._database.forget()
        return changed.rowcount == 1

    def settled(self, share_id: str) -> None:
        """See `ports_people.KeyStore.settled`."""
        with self._database.write() as connection:
            connection.execute("UPDATE user_keys SET user_id = '' WHERE id = ? AND destroyed_at > 0", (share_id,))
        self._database.forget()

    def unsettled(self, *, limit: int) -> list[KeyShare]:
        """See `ports_people.KeyStore.unsettled`."""
        statement = "SELECT * FROM user_keys WHERE destroyed_at > 0 AND user_id <> '' ORDER BY destroyed_at LIMIT ?"
        with self._database.read() as connection:
            return [KeyShare(**dict(one)) for one in rows(connection, statement, limit)]

    def destroyed(self, share_ids: Collection[str]) -> set[str]:
        """See `ports_people.KeyStore.destroyed`."""
        statement = "SELECT id FROM user_keys WHERE destroyed_at > 0 AND id IN (SELECT value FROM json_each(?))"
        with self._database.read() as connection:
            found = rows(connection, statement, msgspec.json.encode(list(share_ids)).decode())
        return {one["id"] for one in found}

    def clear(self) -> int:
        """See `ports_people.KeyStore.clear`."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM marks")
            removed = connection.execute("DELETE FROM user_keys").rowcount
        self._database.forget()
        return removed

    def ping(self) -> None:
        """See `ports_people.KeyStore.ping`."""
        with self._database.read() as connection:
            row(connection, "SELECT 1 FROM marks")

    def close(self) -> None:
        """See `ports_people.KeyStore.close`."""
        self._database.close()
