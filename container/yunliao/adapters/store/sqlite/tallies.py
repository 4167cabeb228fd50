"""Counts of hours and days in SQLite."""

from yunliao.adapters.store.sqlite.database import Database, position, row, rows
from yunliao.ports_tallies import Span, TallyRecord


class SqliteTallies:
    """Implements `ports_tallies.Tallies`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, record: TallyRecord) -> None:
        """See `ports_tallies.Tallies.put`."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO tallies (span, at, source, version, body) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (span, at, source) DO UPDATE SET version = excluded.version, body = excluded.body"
                " WHERE excluded.version > version",
                (record.span, record.at, record.source, record.version, record.body),
            )

    def read(self, span: Span, *, since: int, until: int) -> list[TallyRecord]:
        """See `ports_tallies.Tallies.read`."""
        statement = "SELECT * FROM tallies WHERE span = ? AND at >= ? AND at < ? ORDER BY at, source"
        with self._database.read() as connection:
            return [
                TallyRecord(
                    span=found["span"],
                    at=found["at"],
                    source=found["source"],
                    version=found["version"],
                    body=found["body"],
                )
                for found in rows(connection, statement, span, position(since), position(until))
            ]

    def oldest(self, span: Span) -> int | None:
        """See `ports_tallies.Tallies.oldest`."""
        with self._database.read() as connection:
            found = row(connection, "SELECT at FROM tallies WHERE span = ? ORDER BY at LIMIT 1", span)
            return None if found is None else int(found["at"])

    def expire(self, span: Span, *, before: int, limit: int) -> int:
        """See `ports_tallies.Tallies.expire`."""
        doomed = "SELECT at, source FROM tallies WHERE span = ? AND at < ? ORDER BY at, source LIMIT ?"
        with self._database.write() as connection:
            found = rows(connection, doomed, span, position(before), limit)
            connection.executemany(
                "DELETE FROM tallies WHERE span = ? AND at = ? AND source = ?",
                [(span, one["at"], one["source"]) for one in found],
            )
            return len(found)
