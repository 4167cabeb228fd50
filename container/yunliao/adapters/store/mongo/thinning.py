"""Removing more than one transaction has time for."""

from yunliao.adapters.store.mongo.database import Database, Document

PART = 500
"""Documents of one step: far below what a call has time for, and fewer are left to the transaction that follows."""


FIELDS = {"last_seq": 1, "live": 1, "keeps_events": 1}


def thin(database: Database, wanted: Document) -> dict[str, int]:
    """Remove ended turns and messages by parts until fewer than a part of each are left; rows of each, events too. May
    be broken off anywhere and begun again. What a live turn had reserved is for the transaction that follows."""
    counts = {"turns": 0, "messages": 0, "events": 0}
    for name in ("turns", "messages"):
        collection = database[name]
        while True:
            with database.call():
                found = list(collection.find({**wanted, "live": {"$ne": True}}, FIELDS).limit(PART))
                if len(found) < PART:
                    break
                part = {**wanted, "_id": {"$in": [one["_id"] for one in found]}}
                counts[name] += collection.delete_many(part).deleted_count
            if name == "turns":
                counts["events"] += sum(one["last_seq"] for one in found if one.get("keeps_events"))
    return counts
