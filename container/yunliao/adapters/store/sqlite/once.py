"""Claimed names in SQLite."""

from yunliao.adapters.store.sqlite.database import Database, row


class SqliteOnce:
    """Implements `ports_once.Once`. What has expired is removed by whoever comes next."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, name: str, token: str, *, now: int, expires_at: int) -> bool:
        """See `ports_once.Once.claim`."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM once WHERE expires_at <= ?", (now,))
            connection.execute("INSERT OR IGNORE INTO once VALUES (?, ?, ?)", (name, token, expires_at))
            found = row(connection, "SELECT token FROM once WHERE name = ?", name)
            return found is not None and found["token"] == token

    def release(self, name: str) -> None:
        """See `ports_once.Once.release`."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM once WHERE name = ?", (name,))
