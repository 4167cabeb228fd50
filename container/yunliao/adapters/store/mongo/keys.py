"""Wrapped keys in MongoDB."""

from collections.abc import Sequence

from pymongo import ASCENDING, UpdateOne

from yunliao.adapters.store.mongo.database import Database
from yunliao.ports_keys import Rewrapped, Wrapped

BATCH_SECONDS = 15.0
"""Longest time of one batch: an operator's terminal waits longer than a person does."""


class MongoWrappedKeys:
    """Implements `ports_keys.WrappedKeys`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def users(self, *, after: str, limit: int) -> list[Wrapped]:
        """See `ports_keys.WrappedKeys.users`."""
        with self._database.call(BATCH_SECONDS):
            found = self._database["users"].find({"_id": {"$gt": after}}, {"wrapped_key": 1})
            return [Wrapped(one["_id"], bytes(one["wrapped_key"])) for one in found.sort("_id", ASCENDING).limit(limit)]

    def count_users(self) -> int:
        """See `ports_keys.WrappedKeys.count_users`."""
        with self._database.call():
            return int(self._database["users"].estimated_document_count())

    def swap_users(self, changes: Sequence[Rewrapped]) -> int:
        """See `ports_keys.WrappedKeys.swap_users`."""
        return self._swap("users", "wrapped_key", changes)

    def secrets(self) -> list[Wrapped]:
        """See `ports_keys.WrappedKeys.secrets`."""
        with self._database.call():
            found = self._database["secrets"].find().sort("_id", ASCENDING)
            return [Wrapped(one["_id"], bytes(one["value"])) for one in found]

    def swap_secrets(self, changes: Sequence[Rewrapped]) -> int:
        """See `ports_keys.WrappedKeys.swap_secrets`."""
        return self._swap("secrets", "value", changes)

    def _swap(self, collection: str, field: str, changes: Sequence[Rewrapped]) -> int:
        # The old blob is in the filter: a key that was changed or erased meanwhile is not matched, and nothing is made.
        writes = [UpdateOne({"_id": one.name, field: one.old}, {"$set": {field: one.new}}) for one in changes]
        if not writes:
            return 0
        with self._database.call(BATCH_SECONDS):
            return int(self._database[collection].bulk_write(writes, ordered=False).modified_count)
