"""Verdicts, cards, the audit log and users' standing in MongoDB."""

from collections.abc import Mapping
from typing import Any

import msgspec
from pymongo import ASCENDING, DESCENDING, UpdateOne
from pymongo.errors import DuplicateKeyError

from yunliao.adapters.store.mongo.database import Database, Document
from yunliao.adapters.store.mongo.records import LARGEST, load
from yunliao.adapters.store.mongo.records import before as before_cursor
from yunliao.ports_records import AuditEntry, Card, PassCount, VerdictEntry

NEWEST = [("at", DESCENDING), ("_id", DESCENDING)]
DAY_MS = 86_400_000


class MongoVerdicts:
    """Implements `ports_records.Verdicts`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._verdicts = database["verdicts"]

    def add(self, entry: VerdictEntry) -> None:
        """See `ports_records.Verdicts.add`."""
        fields = msgspec.structs.asdict(entry)
        fields["_id"] = fields.pop("id")
        with self._database.call():
            try:
                self._verdicts.insert_one(fields)
            except DuplicateKeyError:
                return

    def page(self, *, user_id: str | None, before: tuple[int, str] | None, limit: int) -> list[VerdictEntry]:
        """See `ports_records.Verdicts.page`."""
        wanted = ({} if user_id is None else {"user_id": user_id}) | before_cursor("at", before)
        with self._database.call():
            return [load(VerdictEntry, one) for one in self._verdicts.find(wanted).sort(NEWEST).limit(limit)]

    def times(self, user_id: str, *, since: int, limit: int) -> list[int]:
        """See `ports_records.Verdicts.times`."""
        wanted = {"user_id": user_id, "at": {"$gt": since}, "suggest": {"$ne": "none"}, "place": "question"}
        with self._database.call():
            return [int(one["at"]) for one in self._verdicts.find(wanted, {"at": 1}).sort(NEWEST).limit(limit)]

    def count_passes(self, counts: Mapping[tuple[int, str], int]) -> None:
        """See `ports_records.Verdicts.count_passes`."""
        writes = [
            UpdateOne(
                {"_id": f"{day}/{place}"}, {"$set": {"day": day, "place": place}, "$inc": {"passes": count}}, True
            )
            for (day, place), count in counts.items()
        ]
        if writes:
            with self._database.call():
                self._database["verdict_passes"].bulk_write(writes, ordered=False)

    def passes(self, *, since_day: int) -> list[PassCount]:
        """See `ports_records.Verdicts.passes`."""
        order = [("day", ASCENDING), ("place", ASCENDING)]
        with self._database.call():
            found = self._database["verdict_passes"].find({"day": {"$gte": since_day}}).sort(order)
            return [PassCount(int(one["day"]), one["place"], int(one["passes"])) for one in found]

    def expire(self, *, before: int, limit: int) -> int:
        """See `ports_records.Verdicts.expire`."""
        with self._database.call():
            self._database["verdict_passes"].delete_many({"day": {"$lt": before // DAY_MS}})
            found = self._verdicts.find({"at": {"$lt": before}}, {"_id": 1}).sort("at", ASCENDING).limit(limit)
            return int(self._verdicts.delete_many({"_id": {"$in": [one["_id"] for one in found]}}).deleted_count)


class MongoCards:
    """Implements `ports_records.Cards`. A document's `_id` is kind/id, so that the order of ids within a kind holds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cards = database["cards"]

    def get(self, kind: str, card_id: str) -> Card | None:
        """See `ports_records.Cards.get`."""
        with self._database.call():
            found = self._cards.find_one({"_id": f"{kind}/{card_id}"})
        return None if found is None else load(Card, found)

    def put(self, card: Card) -> bool:
        """See `ports_records.Cards.put`."""
        fields = msgspec.structs.asdict(card) | {"version": card.version + 1}
        key = f"{card.kind}/{card.id}"
        with self._database.call():
            if card.version:
                return bool(self._cards.replace_one({"_id": key, "version": card.version}, fields).matched_count)
            try:
                self._cards.insert_one({"_id": key, **fields})
            except DuplicateKeyError:
                return False
            return True

    def remove(self, kind: str, card_id: str) -> bool:
        """See `ports_records.Cards.remove`."""
        with self._database.call():
            return self._cards.delete_one({"_id": f"{kind}/{card_id}"}).deleted_count == 1

    def page(
        self, kind: str, *, state: str | None, owner: str | None, before: tuple[int, str] | None, limit: int
    ) -> list[Card]:
        """See `ports_records.Cards.page`."""
        wanted: Document = {"kind": kind}
        wanted |= {name: value for name, value in (("state", state), ("owner", owner)) if value is not None}
        if before is not None:
            wanted |= before_cursor("at", (before[0], f"{kind}/{before[1]}"))
        with self._database.call():
            return [load(Card, one) for one in self._cards.find(wanted).sort(NEWEST).limit(limit)]

    def remove_of(self, kind: str, owner: str) -> int:
        """See `ports_records.Cards.remove_of`."""
        with self._database.call():
            return int(self._cards.delete_many({"owner": owner, "kind": kind}).deleted_count)

    def expire(self, *, now: int, limit: int) -> int:
        """See `ports_records.Cards.expire`."""
        with self._database.call():
            found = self._cards.find({"expires_at": {"$gt": 0, "$lte": now}}, {"_id": 1}).limit(limit)
            over = {"_id": {"$in": [one["_id"] for one in found]}, "expires_at": {"$gt": 0, "$lte": now}}
            return int(self._cards.delete_many(over).deleted_count)


class MongoAudit:
    """Implements `ports_records.AuditLog`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._audit = database["audit"]

    def append(self, entry: AuditEntry) -> bool:
        """See `ports_records.AuditLog.append`."""
        with self._database.call():
            try:
                self._audit.insert_one({"_id": entry.seq, "at": entry.at, "body": entry.body, "mac": entry.mac})
            except DuplicateKeyError:
                # After a lost answer the driver sends again: the entry in the way may be this very one.
                standing = self._audit.find_one({"_id": entry.seq})
                return standing is not None and bytes(standing["mac"]) == entry.mac
            return True

    def newest(self) -> AuditEntry | None:
        """See `ports_records.AuditLog.newest`."""
        with self._database.call():
            found = self._audit.find_one(sort=[("_id", DESCENDING)])
        return None if found is None else _entry(found)

    def page(self, *, after: int, limit: int) -> list[AuditEntry]:
        """See `ports_records.AuditLog.page`."""
        wanted = {"_id": {"$gt": max(-LARGEST, min(after, LARGEST))}}
        with self._database.call():
            return [_entry(one) for one in self._audit.find(wanted).sort("_id", ASCENDING).limit(limit)]


class MongoStanding:
    """Implements `ports_records.Standing`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def suspend(self, user_id: str, *, until: int) -> bool:
        """See `ports_records.Standing.suspend`."""
        return self._change(user_id, {"$set": {"suspended_until": until}})

    def cool(self, user_id: str, *, until: int) -> bool:
        """See `ports_records.Standing.cool`."""
        return self._change(user_id, {"$max": {"cooling_until": until}})

    def _change(self, user_id: str, change: Document) -> bool:
        with self._database.call():
            return self._database["users"].update_one({"_id": user_id}, change).matched_count == 1


class MongoWiping:
    """Implements `ports_records.Wiping`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def census(self) -> dict[str, int]:
        """See `ports_records.Wiping.census`."""
        with self._database.call(60.0):
            names = sorted(self._database.db.list_collection_names(filter={"name": {"$not": {"$regex": "^system\\."}}}))
            return {name: int(self._database[name].estimated_document_count()) for name in names}

    def clear(self, name: str) -> None:
        """See `ports_records.Wiping.clear`."""
        with self._database.call(60.0):
            self._database.db.drop_collection(name)


def _entry(found: dict[str, Any]) -> AuditEntry:
    return AuditEntry(seq=int(found["_id"]), at=int(found["at"]), body=bytes(found["body"]), mac=bytes(found["mac"]))
