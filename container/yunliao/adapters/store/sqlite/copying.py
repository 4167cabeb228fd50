"""Whole copies of the records in SQLite. A record is the msgpack map of a row: column name to value."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from yunliao.adapters.store.sqlite.database import Database, row, rows
from yunliao.adapters.store.sqlite.schema import MIGRATIONS, apply
from yunliao.errors import Misconfigured
from yunliao.ports_records import PutRecords, Snapshot

LEFT_OUT = {"migrations", "tickets"}
"""The first is told apart, and tickets are over in a minute. Halves of keys are in a file of their own."""
BY_EVERY_START = {"migrations", "registers", "secrets", "tickets", "once", "tallies"}
BATCH = 200
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[str, object]).decode


class SqliteSnapshot:
    """Implements `ports_records.Snapshot` in a reading transaction: writers go on in the write-ahead log."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def tables(self) -> dict[str, int]:
        """See `ports_records.Snapshot.tables`."""
        return {name: count for name, count in _counts(self._connection).items() if name not in LEFT_OUT}

    def read(self, name: str) -> Iterator[Sequence[bytes]]:
        """See `ports_records.Snapshot.read`."""
        found = self._connection.execute(f"SELECT * FROM {_quoted(name)}")  # noqa: S608  from the schema
        while batch := found.fetchmany(BATCH):
            yield [_encode(dict(one)) for one in batch]


class SqliteCopying:
    """Implements `ports_records.Copying`."""

    engine = "sqlite"

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self) -> tuple[str, ...]:
        """See `ports_records.Copying.known`."""
        return tuple(name for name, _ in MIGRATIONS)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """See `ports_records.Copying.snapshot`."""
        with self._database.beside() as connection:
            connection.execute("BEGIN")  # the moment is that of the first reading
            yield SqliteSnapshot(connection)

    def applied(self) -> tuple[str, ...]:
        """See `ports_records.Copying.applied`."""
        with self._database.read() as connection:
            if "migrations" not in _counts(connection):
                return ()
            return tuple(found["name"] for found in rows(connection, "SELECT name FROM migrations ORDER BY name"))

    def occupied(self) -> dict[str, int]:
        """See `ports_records.Copying.occupied`."""
        with self._database.read() as connection:
            counts = _counts(connection)
        return {name: count for name, count in counts.items() if count and name not in BY_EVERY_START}

    @contextmanager
    def load(self, migrations: Sequence[str]) -> Iterator[PutRecords]:
        """See `ports_records.Copying.load`: all of it is one transaction."""
        with self._database.write() as connection:
            for name in _counts(connection):
                connection.execute(f"DROP TABLE {_quoted(name)}")
            apply(connection, set(migrations))

            def put(name: str, records: Sequence[bytes]) -> None:
                _insert(connection, name, records)

            yield put
        self._database.forget()


def _insert(connection: sqlite3.Connection, name: str, records: Sequence[bytes]) -> None:
    columns = {found["name"] for found in rows(connection, f"PRAGMA table_info({_quoted(name)})")}
    for record in records:
        values = _decode(record)
        if not values.keys() <= columns:
            raise Misconfigured(f"the backup has a table {name[:40]!r} that its migrations do not make")
        names = ", ".join(map(_quoted, values))
        places = ", ".join("?" * len(values))
        connection.execute(
            f"INSERT INTO {_quoted(name)} ({names}) VALUES ({places})",  # noqa: S608  names are the schema's
            tuple(values.values()),
        )


def _counts(connection: sqlite3.Connection) -> dict[str, int]:
    names = [found["name"] for found in rows(connection, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    counts = {}
    for name in sorted(name for name in names if not name.startswith("sqlite_")):
        found = row(connection, f"SELECT count(*) AS records FROM {_quoted(name)}")  # noqa: S608  from the schema
        counts[name] = 0 if found is None else int(found["records"])
    return counts


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
