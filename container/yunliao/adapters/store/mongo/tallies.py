"""Counts of hours and days in MongoDB. A document's `_id` is span, beginning and source in an order that sorts, so that
no further index is needed."""

from pymongo import ASCENDING
from pymongo.errors import DuplicateKeyError

from yunliao.adapters.store.mongo.database import Database
from yunliao.ports_tallies import Span, TallyRecord

DIGITS = 19
"""Of the largest number there is."""


class MongoTallies:
    """Implements `ports_tallies.Tallies`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tallies = database["tallies"]

    def put(self, record: TallyRecord) -> None:
        """See `ports_tallies.Tallies.put`."""
        key = _place(record.span, record.at) + record.source
        fields = {"version": record.version, "body": record.body}
        with self._database.call():
            try:
                self._tallies.update_one(
                    {"_id": key, "version": {"$lt": record.version}}, {"$set": fields}, upsert=True
                )
            except DuplicateKeyError:  # what stands there is as new, or newer
                return

    def read(self, span: Span, *, since: int, until: int) -> list[TallyRecord]:
        """See `ports_tallies.Tallies.read`."""
        within = {"_id": {"$gte": _place(span, since), "$lt": _place(span, until)}}
        with self._database.call():
            found = self._tallies.find(within).sort("_id", ASCENDING)
            return [
                TallyRecord(span=span, at=int(at), source=source, version=int(one["version"]), body=bytes(one["body"]))
                for one in found
                for _, at, source in [one["_id"].split("/", 2)]
            ]

    def oldest(self, span: Span) -> int | None:
        """See `ports_tallies.Tallies.oldest`."""
        within = {"_id": {"$gte": _place(span, 0), "$lt": span + "0"}}
        with self._database.call():
            found = self._tallies.find_one(within, {"_id": 1}, sort=[("_id", ASCENDING)])
        return None if found is None else int(found["_id"].split("/", 2)[1])

    def expire(self, span: Span, *, before: int, limit: int) -> int:
        """See `ports_tallies.Tallies.expire`."""
        within = {"_id": {"$gte": _place(span, 0), "$lt": _place(span, before)}}
        with self._database.call():
            found = self._tallies.find(within, {"_id": 1}).sort("_id", ASCENDING).limit(limit)
            return int(self._tallies.delete_many({"_id": {"$in": [one["_id"] for one in found]}}).deleted_count)


def _place(span: Span, at: int) -> str:
    return f"{span}/{max(0, at):0{DIGITS}d}/"
