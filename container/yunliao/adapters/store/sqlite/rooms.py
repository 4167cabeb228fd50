"""Users, tickets, shared secrets and registers in SQLite."""

import sqlite3

from yunliao.adapters.store.sqlite.database import Database, row
from yunliao.adapters.store.sqlite.ledger import OpenBooks
from yunliao.adapters.store.sqlite.records import insert, load, read
from yunliao.ports import Register, User


class SqliteUsers:
    """Implements `ports.Users`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, user_id: str) -> User | None:
        """See `ports.Users.get`."""
        with self._database.read() as connection:
            return read(User, row(connection, "SELECT * FROM users WHERE id = ?", user_id))

    def create(self, user: User) -> User:
        """See `ports.Users.create`."""
        with self._database.write() as connection:
            found = row(connection, "SELECT * FROM users WHERE id = ?", user.id)
            if found is not None:
                return load(User, found)
            insert(connection, "users", user)
            return user

    def set_consent(self, user_id: str, *, version: str, overseas: bool, at: int) -> bool:
        """See `ports.Users.set_consent`."""
        with self._database.write() as connection:
            changed = connection.execute(
                "UPDATE users SET consent_version = ?, consent_overseas = ?, consent_at = ? WHERE id = ?",
                (version, int(overseas), at, user_id),
            )
            if changed.rowcount == 1:
                connection.execute("INSERT INTO consents VALUES (?, ?, ?, ?)", (user_id, at, version, int(overseas)))
            return changed.rowcount == 1

    def erase(self, user_id: str, *, key_id: str | None = None) -> dict[str, int]:
        """See `ports.Users.erase`."""
        with self._database.write() as connection:
            standing = row(connection, "SELECT key_id FROM users WHERE id = ?", user_id)
            if standing is not None and key_id not in (None, standing["key_id"]):
                return {}
            events = connection.execute(
                "DELETE FROM events WHERE turn_id IN (SELECT id FROM turns WHERE user_id = ?)", (user_id,)
            ).rowcount
            OpenBooks(connection).mark(user_id)
            counts = {"events": events}
            for table in ("messages", "turns", "conversations", "consents", "entries", "accounts"):
                counts[table] = _delete(connection, table, "user_id", user_id)
            counts["cards"] = _delete(connection, "cards", "owner", user_id)
            counts["users"] = _delete(connection, "users", "id", user_id)
        self._database.forget()
        return counts


class SqliteTickets:
    """Implements `ports.Tickets`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, ticket_hash: str, sealed_principal: bytes, *, expires_at: int) -> None:
        """See `ports.Tickets.put`."""
        with self._database.write() as connection:
            connection.execute("INSERT INTO tickets VALUES (?, ?, ?)", (ticket_hash, sealed_principal, expires_at))

    def take(self, ticket_hash: str, *, now: int) -> bytes | None:
        """See `ports.Tickets.take`."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM tickets WHERE expires_at <= ?", (now,))
            found = row(connection, "DELETE FROM tickets WHERE hash = ? RETURNING sealed_principal", ticket_hash)
            return None if found is None else bytes(found["sealed_principal"])


class SqliteSecrets:
    """Implements `ports.Secrets`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get_or_put(self, name: str, value: bytes) -> bytes:
        """See `ports.Secrets.get_or_put`."""
        with self._database.write() as connection:
            connection.execute("INSERT OR IGNORE INTO secrets VALUES (?, ?)", (name, value))
            found = row(connection, "SELECT value FROM secrets WHERE name = ?", name)
            return bytes(found["value"]) if found is not None else value


class SqliteRegisters:
    """Implements `ports.Registers`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, name: str) -> Register:
        """See `ports.Registers.read`."""
        with self._database.read() as connection:
            found = row(connection, "SELECT version, value FROM registers WHERE name = ?", name)
        return Register(0, b"") if found is None else Register(found["version"], bytes(found["value"]))

    def swap(self, name: str, *, version: int, value: bytes) -> bool:
        """See `ports.Registers.swap`."""
        with self._database.write() as connection:
            if version == 0:
                made = connection.execute("INSERT OR IGNORE INTO registers VALUES (?, 1, ?)", (name, value))
                return made.rowcount == 1
            changed = connection.execute(
                "UPDATE registers SET version = version + 1, value = ? WHERE name = ? AND version = ?",
                (value, name, version),
            )
            return changed.rowcount == 1


def _delete(connection: sqlite3.Connection, table: str, column: str, value: str) -> int:
    return connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (value,)).rowcount  # noqa: S608
