"""Halves of data keys in MongoDB: in a database of their own, or in the collection `user_keys` beside the records."""

from collections.abc import Collection
from contextlib import suppress

from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError, OperationFailure

from yunliao.adapters.store.mongo.database import CALL_SECONDS, Database
from yunliao.ports_people import KeyShare

NAMESPACE_EXISTS = 48
MARK = "mark"
"""The one document that is no share: share ids look otherwise."""


class MongoKeyStore:
    """Implements `ports_people.KeyStore`. The promises of every write are those of `Database`: by a majority, in their
    journals."""

    def __init__(self, database: Database | str, *, seconds: float = CALL_SECONDS) -> None:
        """A database that is open already, whose owner closes it, or an address."""
        self._own = isinstance(database, str)
        self._database = Database(database, seconds=seconds) if isinstance(database, str) else database
        self._keys = self._database["user_keys"]

    def migrate(self) -> None:
        """See `ports_people.KeyStore.migrate`."""
        with self._database.call(20):
            try:  # the server is asked at once: two instances may make it at the same moment
                self._database.db.create_collection("user_keys", check_exists=False)
            except OperationFailure as failed:
                if failed.code != NAMESPACE_EXISTS:
                    raise
            unsettled = IndexModel(
                [("destroyed_at", ASCENDING)], name="unsettled", partialFilterExpression={"unsettled": True}
            )
            self._keys.create_indexes([unsettled])

    def mark(self, value: str) -> str:
        """See `ports_people.KeyStore.mark`."""
        with self._database.call():
            with suppress(DuplicateKeyError):  # another made it at the same moment
                self._keys.update_one({"_id": MARK}, {"$setOnInsert": {"value": value}}, upsert=True)
            found = self._keys.find_one({"_id": MARK}) or {}
        return str(found.get("value", ""))

    def marked(self) -> str:
        """See `ports_people.KeyStore.marked`."""
        with self._database.call():
            found = self._keys.find_one({"_id": MARK}) or {}
        return str(found.get("value", ""))

    def bury(self, record_id: str, *, at: int) -> None:
        """See `ports_people.KeyStore.bury`: a share that was never one."""
        fields = {"share": b"", "created_at": at, "destroyed_at": at}
        with self._database.call(), suppress(DuplicateKeyError):  # another did the same at the same moment
            self._keys.update_one({"_id": record_id}, {"$setOnInsert": fields}, upsert=True)

    def put(self, share: KeyShare) -> None:
        """See `ports_people.KeyStore.put`."""
        fields = {"user_id": share.user_id, "share": share.share, "created_at": share.created_at}
        with self._database.call():
            self._keys.insert_one({"_id": share.id, **fields})

    def get(self, share_id: str) -> KeyShare | None:
        """See `ports_people.KeyStore.get`."""
        with self._database.call():
            found = self._database.one("user_keys", {"_id": share_id})
        return None if found is None or share_id == MARK else _share(found)

    def destroy(self, share_id: str, *, at: int) -> bool:
        """See `ports_people.KeyStore.destroy`."""
        change = {"$set": {"share": b"", "destroyed_at": at, "unsettled": True}}
        with self._database.call():
            wanted = {"_id": share_id, "destroyed_at": None}
            return share_id != MARK and self._keys.update_one(wanted, change).modified_count == 1

    def settled(self, share_id: str) -> None:
        """See `ports_people.KeyStore.settled`."""
        with self._database.call():
            self._keys.update_one({"_id": share_id, "unsettled": True}, {"$unset": {"user_id": "", "unsettled": ""}})

    def unsettled(self, *, limit: int) -> list[KeyShare]:
        """See `ports_people.KeyStore.unsettled`."""
        with self._database.call():
            found = self._keys.find({"unsettled": True}).sort("destroyed_at", ASCENDING).limit(limit)
            return [_share(one) for one in found]

    def destroyed(self, share_ids: Collection[str]) -> set[str]:
        """See `ports_people.KeyStore.destroyed`."""
        wanted = {"_id": {"$in": list(share_ids)}, "destroyed_at": {"$gt": 0}}
        with self._database.call():
            return {one["_id"] for one in self._keys.find(wanted, {"_id": 1})}

    def clear(self) -> int:
        """See `ports_people.KeyStore.clear`."""
        with self._database.call(60):
            found = int(self._keys.estimated_document_count())
            self._keys.drop()
        return max(0, found - 1)

    def ping(self) -> None:
        """See `ports_people.KeyStore.ping`."""
        with self._database.call():
            self._keys.find_one({"_id": MARK})

    def close(self) -> None:
        """See `ports_people.KeyStore.close`."""
        if self._own:
            self._database.close()


def _share(found: dict[str, object]) -> KeyShare:
    return KeyShare(
        id=str(found["_id"]),
        user_id=str(found.get("user_id", "")),
        share=bytes(found["share"]),  # type: ignore[call-overload]
        created_at=int(found["created_at"]),  # type: ignore[call-overload]
        destroyed_at=int(found.get("destroyed_at", 0)),  # type: ignore[call-overload]
    )
