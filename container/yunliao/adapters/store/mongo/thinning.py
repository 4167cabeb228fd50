"""Removing more than one transaction has time for."""

from collections.abc import Sequence

from yunliao.adapters.store.mongo.database import Database, Document

PART = 500
"""Documents of one step: far below what a call has time for, and fewer are left to the transaction that follows."""
FIELDS = {"last_seq": 1, "keeps_events": 1}
ENDED: dict[str, Document] = {"turns": {"live": {"$ne": True}}}
"""A live turn is left to the transaction: what it set aside is given back there."""


def thin(database: Database, wanted: Document, names: Sequence[str]) -> dict[str, int]:
    """Remove by parts, of one collection after the other, until fewer than a part of each are left; rows of each, and
    the events of turns. May be broken off anywhere and begun again."""
    counts = dict.fromkeys((*names, "events"), 0)
    for name in names:
        collection, these = database[name], wanted | ENDED.get(name, {})
        while True:
            with database.call():
                found = list(collection.find(these, FIELDS).limit(PART))
                if len(found) < PART:
                    break
                part = wanted | {"_id": {"$in": [one["_id"] for one in found]}}
                counts[name] += collection.delete_many(part).deleted_count
            counts["events"] += sum(one["last_seq"] for one in found if one.get("keeps_events"))
    return counts
