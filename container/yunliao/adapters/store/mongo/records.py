"""Structs to documents and back: a field has the name of the struct's, `id` is `_id`, and what has its default is left
out. So a document written before a field existed reads as that field's default, and one with fields of a newer version
is read without them: both versions may run at once."""

from functools import cache
from typing import Any, TypeVar

import msgspec
from bson.int64 import Int64

from yunliao.domain.ledger.codes import Code
from yunliao.domain.ledger.entries import Entry
from yunliao.domain.turn import Turn
from yunliao.ports import Conversation, Message, User
from yunliao.ports_records import Card, VerdictEntry

Record = TypeVar("Record", Turn, Message, Conversation, User, Entry, Code, VerdictEntry, Card)

LARGEST = 2**63 - 1
"""The largest number a field holds."""


def document(record: Turn | Message | Conversation | User) -> dict[str, Any]:
    """The document of a struct."""
    values: dict[str, Any] = {"_id": record.id}
    for name, default in _defaults(type(record)):
        value = getattr(record, name)
        if value != default:
            values[name] = value
    return values


@cache
def _defaults(kind: type[msgspec.Struct]) -> tuple[tuple[str, Any], ...]:
    return tuple((field.name, field.default) for field in msgspec.structs.fields(kind) if field.name != "id")


def load(kind: type[Record], found: dict[str, Any]) -> Record:
    """The struct of a document that is there."""
    found.setdefault("id", found["_id"])  # a card's own id stands beside its composite one
    # The driver gives large numbers as a kind of int of its own, which nothing outside has to know.
    values: dict[str, Any] = {name: found[name] for name in kind.__struct_fields__ if name in found}
    for name, value in values.items():
        if type(value) is Int64:
            values[name] = int(value)
    return kind(**values)


def read(kind: type[Record], found: dict[str, Any] | None) -> Record | None:
    """The struct of a document, if there is one."""
    return None if found is None else load(kind, found)


def before(field: str, position: tuple[int, str] | None) -> dict[str, Any]:
    """The filter of records before a cursor in the order (`field`, `_id`), both descending. The number comes from a
    caller: it is brought into what a field can hold, beyond which nothing is stored."""
    if position is None:
        return {}
    at = max(-LARGEST, min(position[0], LARGEST))
    return {field: {"$lte": at}, "$or": [{field: {"$lt": at}}, {"_id": {"$lt": position[1]}}]}
