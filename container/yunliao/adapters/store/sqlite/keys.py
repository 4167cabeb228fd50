"""Wrapped keys in SQLite."""

from collections.abc import Sequence

from yunliao.adapters.store.sqlite.database import Database, row, rows
from yunliao.ports_keys import Rewrapped, Wrapped


class SqliteWrappedKeys:
    """Implements `ports_keys.WrappedKeys`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def users(self, *, after: str, limit: int) -> list[Wrapped]:
        """See `ports_keys.WrappedKeys.users`."""
        statement = "SELECT id, wrapped_key FROM users WHERE id > ? ORDER BY id LIMIT ?"
        with self._database.read() as connection:
            return [
                Wrapped(found["id"], bytes(found["wrapped_key"])) for found in rows(connection, statement, after, limit)
            ]

    def count_users(self) -> int:
        """See `ports_keys.WrappedKeys.count_users`."""
        with self._database.read() as connection:
            found = row(connection, "SELECT count(*) AS users FROM users")
            return 0 if found is None else int(found["users"])

    def swap_users(self, changes: Sequence[Rewrapped]) -> int:
        """See `ports_keys.WrappedKeys.swap_users`."""
        return self._swap("UPDATE users SET wrapped_key = ? WHERE id = ? AND wrapped_key = ?", changes)

    def secrets(self) -> list[Wrapped]:
        """See `ports_keys.WrappedKeys.secrets`."""
        with self._database.read() as connection:
            found = rows(connection, "SELECT name, value FROM secrets ORDER BY name")
            return [Wrapped(one["name"], bytes(one["value"])) for one in found]

    def swap_secrets(self, changes: Sequence[Rewrapped]) -> int:
        """See `ports_keys.WrappedKeys.swap_secrets`."""
        return self._swap("UPDATE secrets SET value = ? WHERE name = ? AND value = ?", changes)

    def _swap(self, statement: str, changes: Sequence[Rewrapped]) -> int:
        with self._database.write() as connection:
            values = [(change.new, change.name, change.old) for change in changes]
            return max(0, connection.executemany(statement, values).rowcount)
