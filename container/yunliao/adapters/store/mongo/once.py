"""Claimed names in MongoDB."""

from datetime import UTC, datetime

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from yunliao.adapters.store.mongo.database import Database, Document
from yunliao.adapters.store.mongo.rooms import LAST_MOMENT


class MongoOnce:
    """Implements `ports_once.Once`. What has expired is removed by the server's own clock (a TTL index)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, name: str, token: str, *, now: int, expires_at: int) -> bool:
        """See `ports_once.Once.claim`."""
        gone_at = datetime.fromtimestamp(min(expires_at // 1000 + 1, LAST_MOMENT), UTC)
        fresh: Document = {"token": {"$literal": token}, "expires_at": expires_at, "gone_at": gone_at}
        # A name that expired and was not removed yet is as good as none; a missing number is less than any.
        stands = {"$gt": ["$expires_at", now]}
        kept = {field: {"$cond": [stands, f"${field}", value]} for field, value in fresh.items()}
        with self._database.call():
            while True:
                try:
                    found = self._database["once"].find_one_and_update(
                        {"_id": name}, [{"$set": kept}], upsert=True, return_document=ReturnDocument.AFTER
                    )
                except DuplicateKeyError:
                    continue  # another was faster: now it is there
                return found is not None and found["token"] == token

    def release(self, name: str) -> None:
        """See `ports_once.Once.release`."""
        with self._database.call():
            self._database["once"].delete_one({"_id": name})
