"""Verdicts, cards, the audit log and users' standing in SQLite."""

import sqlite3
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from yunliao.adapters.store.sqlite.conversations import LAST
from yunliao.adapters.store.sqlite.database import Database, position, row, rows
from yunliao.adapters.store.sqlite.records import insert
from yunliao.ports_records import AuditEntry, Card, PassCount, VerdictEntry

DAY_MS = 86_400_000
Made = TypeVar("Made", VerdictEntry, Card, AuditEntry)


class SqliteVerdicts:
    """Implements `ports_records.Verdicts`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, entry: VerdictEntry) -> None:
        """See `ports_records.Verdicts.add`."""
        with self._database.write() as connection:
            if row(connection, "SELECT 1 FROM verdicts WHERE id = ?", entry.id) is None:
                insert(connection, "verdicts", entry)

    def page(self, *, user_id: str | None, before: tuple[int, str] | None, limit: int) -> list[VerdictEntry]:
        """See `ports_records.Verdicts.page`."""
        at, last = before or LAST
        whose, values = ("", []) if user_id is None else ("user_id = ? AND ", [user_id])
        statement = f"SELECT * FROM verdicts WHERE {whose}(at, id) < (?, ?) ORDER BY at DESC, id DESC LIMIT ?"  # noqa: S608
        with self._database.read() as connection:
            found = rows(connection, statement, *values, position(at), last, limit)
            return [_struct(VerdictEntry, one) for one in found]

    def times(self, user_id: str, *, since: int, limit: int) -> list[int]:
        """See `ports_records.Verdicts.times`."""
        statement = (
            "SELECT at FROM verdicts WHERE user_id = ? AND at > ? AND suggest <> 'none' AND place = 'question'"
            " ORDER BY at DESC LIMIT ?"
        )
        with self._database.read() as connection:
            return [int(found["at"]) for found in rows(connection, statement, user_id, since, limit)]

    def count_passes(self, counts: Mapping[tuple[int, str], int]) -> None:
        """See `ports_records.Verdicts.count_passes`."""
        with self._database.write() as connection:
            connection.executemany(
                "INSERT INTO verdict_passes VALUES (?, ?, ?) ON CONFLICT (day, place) DO UPDATE"
                " SET passes = passes + excluded.passes",
                [(day, place, count) for (day, place), count in counts.items()],
            )

    def passes(self, *, since_day: int) -> list[PassCount]:
        """See `ports_records.Verdicts.passes`."""
        with self._database.read() as connection:
            found = rows(connection, "SELECT * FROM verdict_passes WHERE day >= ? ORDER BY day, place", since_day)
            return [PassCount(one["day"], one["place"], one["passes"]) for one in found]

    def expire(self, *, before: int, limit: int) -> int:
        """See `ports_records.Verdicts.expire`."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM verdict_passes WHERE day < ?", (before // DAY_MS,))
            statement = "DELETE FROM verdicts WHERE id IN (SELECT id FROM verdicts WHERE at < ? ORDER BY at LIMIT ?)"
            return connection.execute(statement, (before, limit)).rowcount


class SqliteCards:
    """Implements `ports_records.Cards`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, kind: str, card_id: str) -> Card | None:
        """See `ports_records.Cards.get`."""
        with self._database.read() as connection:
            found = row(connection, "SELECT * FROM cards WHERE kind = ? AND id = ?", kind, card_id)
            return None if found is None else _struct(Card, found)

    def put(self, card: Card) -> bool:
        """See `ports_records.Cards.put`."""
        written = msgspec.structs.replace(card, version=card.version + 1)
        with self._database.write() as connection:
            found = row(connection, "SELECT version FROM cards WHERE kind = ? AND id = ?", card.kind, card.id)
            if (0 if found is None else found["version"]) != card.version:
                return False
            connection.execute("DELETE FROM cards WHERE kind = ? AND id = ?", (card.kind, card.id))
            insert(connection, "cards", written)
            return True

    def remove(self, kind: str, card_id: str) -> bool:
        """See `ports_records.Cards.remove`."""
        with self._database.write() as connection:
            statement = "DELETE FROM cards WHERE kind = ? AND id = ?"
            return connection.execute(statement, (kind, card_id)).rowcount == 1

    def page(
        self, kind: str, *, state: str | None, owner: str | None, before: tuple[int, str] | None, limit: int
    ) -> list[Card]:
        """See `ports_records.Cards.page`."""
        at, last = before or LAST
        wanted = [("state", state), ("owner", owner)]
        filters = "".join(f" AND {name} = ?" for name, value in wanted if value is not None)
        values = [value for _, value in wanted if value is not None]
        statement = (
            f"SELECT * FROM cards WHERE kind = ?{filters} AND (at, id) < (?, ?)"  # noqa: S608
            " ORDER BY at DESC, id DESC LIMIT ?"
        )
        with self._database.read() as connection:
            found = rows(connection, statement, kind, *values, position(at), last, limit)
            return [_struct(Card, one) for one in found]

    def remove_of(self, kind: str, owner: str) -> int:
        """See `ports_records.Cards.remove_of`."""
        with self._database.write() as connection:
            return connection.execute("DELETE FROM cards WHERE kind = ? AND owner = ?", (kind, owner)).rowcount

    def expire(self, *, now: int, limit: int) -> int:
        """See `ports_records.Cards.expire`."""
        over = "SELECT kind, id FROM cards WHERE expires_at > 0 AND expires_at <= ? LIMIT ?"
        with self._database.write() as connection:
            doomed = [(found["kind"], found["id"]) for found in rows(connection, over, now, limit)]
            connection.executemany("DELETE FROM cards WHERE kind = ? AND id = ?", doomed)
            return len(doomed)


class SqliteAudit:
    """Implements `ports_records.AuditLog`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, entry: AuditEntry) -> bool:
        """See `ports_records.AuditLog.append`."""
        with self._database.write() as connection:
            if row(connection, "SELECT 1 FROM audit WHERE seq = ?", entry.seq) is not None:
                return False
            insert(connection, "audit", entry)
            return True

    def newest(self) -> AuditEntry | None:
        """See `ports_records.AuditLog.newest`."""
        with self._database.read() as connection:
            found = row(connection, "SELECT * FROM audit WHERE seq > 0 ORDER BY seq DESC LIMIT 1")
            return None if found is None else _struct(AuditEntry, found)

    def page(self, *, after: int, limit: int) -> list[AuditEntry]:
        """See `ports_records.AuditLog.page`."""
        with self._database.read() as connection:
            found = rows(connection, "SELECT * FROM audit WHERE seq > ? ORDER BY seq LIMIT ?", position(after), limit)
            return [_struct(AuditEntry, one) for one in found]


class SqliteStanding:
    """Implements `ports_records.Standing`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def suspend(self, user_id: str, *, until: int) -> bool:
        """See `ports_records.Standing.suspend`."""
        with self._database.write() as connection:
            statement = "UPDATE users SET suspended_until = ? WHERE id = ?"
            return connection.execute(statement, (until, user_id)).rowcount == 1

    def cool(self, user_id: str, *, until: int) -> bool:
        """See `ports_records.Standing.cool`."""
        with self._database.write() as connection:
            statement = "UPDATE users SET cooling_until = max(cooling_until, ?) WHERE id = ?"
            return connection.execute(statement, (until, user_id)).rowcount == 1


class SqliteWiping:
    """Implements `ports_records.Wiping`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def census(self) -> dict[str, int]:
        """See `ports_records.Wiping.census`."""
        with self._database.read() as connection:
            names = [found["name"] for found in rows(connection, "SELECT name FROM sqlite_master WHERE type = 'table'")]
            counts = {}
            for name in sorted(name for name in names if not name.startswith("sqlite_")):
                found = row(connection, f'SELECT count(*) AS records FROM "{name}"')  # noqa: S608  from the schema
                counts[name] = 0 if found is None else int(found["records"])
            return counts

    def clear(self, name: str) -> None:
        """See `ports_records.Wiping.clear`. `secure_delete` overwrites what is dropped."""
        if name not in self.census():
            return
        with self._database.write() as connection:
            connection.execute(f'DROP TABLE "{name}"')
        self._database.forget()


def _struct(kind: type[Made], found: sqlite3.Row) -> Made:
    return kind(**{name: found[name] for name in kind.__struct_fields__})
