"""Accounts, entries and codes in SQLite: an account is one small record, its entries are rows that are only added."""

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec

from yunliao.adapters.store.posting import move_in, redeem_in, set_plan_in
from yunliao.adapters.store.sqlite.database import LARGEST, Database, position, row, rows
from yunliao.adapters.store.sqlite.records import insert, load
from yunliao.domain.ledger.account import Account, mark_of
from yunliao.domain.ledger.audit import Books
from yunliao.domain.ledger.codes import Code
from yunliao.domain.ledger.entries import Entry, Kind
from yunliao.domain.ledger.granting import Movement
from yunliao.domain.turn import Turn
from yunliao.ports_ledger import Posted

_account = msgspec.json.Decoder(Account)


@dataclass(frozen=True)
class OpenBooks:
    """Implements `posting.Open` within the transaction of a connection."""

    connection: sqlite3.Connection

    def load(self, user_id: str) -> Account | None:
        """The user's record; of one who was erased today, what their mark says."""
        stored = self.stored(user_id)
        if stored is not None:
            return stored
        name = mark_of(user_id, None).name
        mark = row(self.connection, "SELECT sealed_principal FROM tickets WHERE hash = ?", name)
        return None if mark is None else Account(allowed_day=int(mark["sealed_principal"]))

    def stored(self, user_id: str) -> Account | None:
        """The user's record as it is stored."""
        found = row(self.connection, "SELECT body FROM accounts WHERE user_id = ?", user_id)
        return None if found is None else _account.decode(found["body"])

    def mark(self, user_id: str) -> None:
        """Leave a mark of an account that is about to be erased; it goes as tickets go."""
        account = self.stored(user_id)
        if account is not None and account.allowed_day >= 0:
            mark = mark_of(user_id, account)
            values = (mark.name, str(mark.allowed_day).encode(), mark.expires_at)
            self.connection.execute("INSERT OR REPLACE INTO tickets VALUES (?, ?, ?)", values)

    def save(self, user_id: str, account: Account, entries: tuple[Entry, ...]) -> None:
        """Write the record and add its entries."""
        self.connection.execute(
            "INSERT INTO accounts VALUES (?1, ?2) ON CONFLICT (user_id) DO UPDATE SET body = ?2",
            (user_id, msgspec.json.encode(account)),
        )
        for entry in entries:
            insert(self.connection, "entries", entry)

    def entry(self, user_id: str, reference: str, kind: Kind) -> Entry | None:
        """The entry of that kind and reference."""
        statement = "SELECT * FROM entries WHERE user_id = ? AND reference = ? AND kind = ?"
        found = row(self.connection, statement, user_id, reference, kind)
        return None if found is None else load(Entry, found)

    def is_user(self, user_id: str) -> bool:
        """Whether there is such a user."""
        return row(self.connection, "SELECT 1 FROM users WHERE id = ?", user_id) is not None

    def code(self, code_hash: str) -> Code | None:
        """The code with the uses it has left."""
        found = row(self.connection, "SELECT * FROM codes WHERE hash = ?", code_hash)
        return None if found is None else load(Code, found)

    def use(self, code: Code) -> None:
        """One use fewer."""
        self.connection.execute("UPDATE codes SET uses = uses - 1 WHERE hash = ?", (code.hash,))


class SqliteLedger:
    """Implements `ports_ledger.Ledger`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def account(self, user_id: str) -> Account | None:
        """See `ports_ledger.Ledger.account`."""
        with self._database.read() as connection:
            return OpenBooks(connection).load(user_id)

    def move(self, user_id: str, movement: Movement) -> Posted:
        """See `ports_ledger.Ledger.move`."""
        with self._database.write() as connection:
            return move_in(OpenBooks(connection), user_id, movement)

    def redeem(self, user_id: str, code_hash: str, *, at: int) -> Posted:
        """See `ports_ledger.Ledger.redeem`."""
        with self._database.write() as connection:
            return redeem_in(OpenBooks(connection), user_id, code_hash, at)

    def put_codes(self, codes: Sequence[Code]) -> None:
        """See `ports_ledger.Ledger.put_codes`."""
        with self._database.write() as connection:
            for code in codes:
                insert(connection, "codes", code)

    def set_plan(self, user_id: str, plan: str) -> bool:
        """See `ports_ledger.Ledger.set_plan`."""
        with self._database.write() as connection:
            return set_plan_in(OpenBooks(connection), user_id, plan)

    def entries(
        self, user_id: str, *, before: int | None, limit: int, kinds: Collection[Kind] | None = None
    ) -> list[Entry]:
        """See `ports_ledger.Ledger.entries`."""
        statement = (
            "SELECT * FROM entries WHERE user_id = ?1 AND number < ?2"
            " AND (?3 IS NULL OR kind IN (SELECT value FROM json_each(?3))) ORDER BY number DESC LIMIT ?4"
        )
        chosen = None if kinds is None else msgspec.json.encode(sorted(kinds)).decode()
        with self._database.read() as connection:
            found = rows(connection, statement, user_id, LARGEST if before is None else position(before), chosen, limit)
            return [load(Entry, one) for one in found]

    def about(self, user_id: str, reference: str) -> list[Entry]:
        """See `ports_ledger.Ledger.about`."""
        statement = "SELECT * FROM entries WHERE user_id = ? AND reference = ? ORDER BY number"
        with self._database.read() as connection:
            return [load(Entry, one) for one in rows(connection, statement, user_id, reference)]

    def books(self, user_id: str) -> Books:
        """See `ports_ledger.Ledger.books`."""
        with self._database.write() as connection:  # for one moment, over several reads
            books = OpenBooks(connection)
            entries = rows(connection, "SELECT * FROM entries WHERE user_id = ? ORDER BY number", user_id)
            turns = rows(connection, "SELECT * FROM turns WHERE user_id = ? AND price_version <> ''", user_id)
            return Books(
                user_id=user_id,
                account=books.stored(user_id),
                entries=tuple(load(Entry, one) for one in entries),
                turns=tuple(load(Turn, one) for one in turns),
                known=books.is_user(user_id),
            )

    def users(self, *, after: str, limit: int) -> list[str]:
        """See `ports_ledger.Ledger.users`."""
        ids: set[str] = set()
        with self._database.read() as connection:
            for statement in (
                "SELECT id FROM users WHERE id > ? ORDER BY id LIMIT ?",
                "SELECT user_id AS id FROM accounts WHERE user_id > ? ORDER BY user_id LIMIT ?",
            ):
                ids |= {found["id"] for found in rows(connection, statement, after, limit)}
        return sorted(ids)[:limit]
