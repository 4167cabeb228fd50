"""Structs to rows and back: a column has the name of its field."""

import sqlite3
from typing import Any, TypeVar

import msgspec

from yunliao.domain.ledger.codes import Code
from yunliao.domain.ledger.entries import Entry
from yunliao.domain.turn import Turn
from yunliao.ports import Conversation, Message, Permit, User

Record = TypeVar("Record", Turn, Message, Conversation, User, Entry, Code)


def read(kind: type[Record], found: sqlite3.Row | None) -> Record | None:
    """The struct of a row."""
    return None if found is None else load(kind, found)


def load(kind: type[Record], found: sqlite3.Row) -> Record:
    """The struct of a row that is there."""
    values = {name: found[name] for name in kind.__struct_fields__}
    for name in ("stop_requested", "hidden", "consent_overseas"):
        if name in values:
            values[name] = bool(values[name])
    return kind(**values)


def has_key(connection: sqlite3.Connection, user_id: str, key_id: str) -> bool:
    """Whether the user is there, with that half of a data key."""
    wanted = "SELECT 1 FROM users WHERE id = ? AND key_id = ?"
    return connection.execute(wanted, (user_id, key_id)).fetchone() is not None


def has_permit(connection: sqlite3.Connection, user_id: str, permit: Permit) -> bool:
    """Whether that is what the user's record says."""
    wanted = (
        "SELECT 1 FROM users WHERE id = ? AND consent_version = ? AND consent_overseas = ? AND suspended_until = ?"
        " AND cooling_until = ?"
    )
    return connection.execute(wanted, (user_id, *msgspec.structs.astuple(permit))).fetchone() is not None


def insert(connection: sqlite3.Connection, table: str, record: msgspec.Struct) -> None:
    """Insert a struct. Raises `sqlite3.IntegrityError` where a unique index says no."""
    values: dict[str, Any] = msgspec.structs.asdict(record)
    names = ", ".join(values)
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))  # noqa: S608
