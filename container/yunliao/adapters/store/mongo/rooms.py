"""Users, tickets, shared secrets and registers in MongoDB."""

from datetime import UTC, datetime

from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from yunliao.adapters.store.mongo.database import Database, Document
from yunliao.adapters.store.mongo.ledger import OpenBooks
from yunliao.adapters.store.mongo.records import document, load, read
from yunliao.ports import Register, User

LAST_MOMENT = 253402300799
"""The last second a date of the server can hold in four digits of the year."""


class MongoUsers:
    """Implements `ports.Users`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, user_id: str) -> User | None:
        """See `ports.Users.get`."""
        with self._database.call():
            return read(User, self._database["users"].find_one({"_id": user_id}))

    def create(self, user: User) -> User:
        """See `ports.Users.create`."""
        fresh = document(user)
        fresh.pop("_id")
        return load(User, _first(self._database, "users", user.id, fresh))

    def set_consent(self, user_id: str, *, version: str, overseas: bool, at: int) -> bool:
        """See `ports.Users.set_consent`."""
        consent = {"consent_version": version, "consent_overseas": overseas, "consent_at": at}
        with self._database.call():
            return self._database["users"].update_one({"_id": user_id}, {"$set": consent}).matched_count == 1

    def erase(self, user_id: str) -> dict[str, int]:
        """See `ports.Users.erase`: one transaction, so that a key never goes without what it opens or the reverse."""

        def work(session: ClientSession) -> dict[str, int]:
            turns = self._database["turns"]
            counting: list[Document] = [
                {"$match": {"user_id": user_id}},
                {"$group": {"_id": None, "events": {"$sum": {"$size": {"$ifNull": ["$events", []]}}}}},
            ]
            events = next(iter(turns.aggregate(counting, session=session)), {"events": 0})["events"]
            # A turn that is just being accepted meets this transaction here, and one of them is tried again.
            OpenBooks(self._database, session).mark(user_id)
            gate = {"_id": user_id}
            self._database["gates"].update_one(gate, {"$inc": {"passed": 1}}, upsert=True, session=session)
            self._database["gates"].delete_one(gate, session=session)
            counts = {"events": int(events)}
            for name, field in (
                ("messages", "user_id"),
                ("turns", "user_id"),
                ("conversations", "user_id"),
                ("entries", "user_id"),
                ("accounts", "_id"),
                ("cards", "owner"),
                ("users", "_id"),
            ):
                counts[name] = self._database[name].delete_many({field: user_id}, session=session).deleted_count
            return counts

        return self._database.transaction(work)


class MongoTickets:
    """Implements `ports.Tickets`. What nobody takes is removed by the server's own clock (a TTL index)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, ticket_hash: str, sealed_principal: bytes, *, expires_at: int) -> None:
        """See `ports.Tickets.put`."""
        gone_at = datetime.fromtimestamp(min(expires_at // 1000 + 1, LAST_MOMENT), UTC)
        ticket = {
            "_id": ticket_hash,
            "sealed_principal": sealed_principal,
            "expires_at": expires_at,
            "gone_at": gone_at,
        }
        with self._database.call():
            self._database["tickets"].insert_one(ticket)

    def take(self, ticket_hash: str, *, now: int) -> bytes | None:
        """See `ports.Tickets.take`."""
        with self._database.call():
            found = self._database["tickets"].find_one_and_delete({"_id": ticket_hash})
        return bytes(found["sealed_principal"]) if found is not None and found["expires_at"] > now else None


class MongoSecrets:
    """Implements `ports.Secrets`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get_or_put(self, name: str, value: bytes) -> bytes:
        """See `ports.Secrets.get_or_put`."""
        return bytes(_first(self._database, "secrets", name, {"value": value})["value"])


class MongoRegisters:
    """Implements `ports.Registers`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, name: str) -> Register:
        """See `ports.Registers.read`."""
        with self._database.call():
            found = self._database["registers"].find_one({"_id": name})
        return Register(0, b"") if found is None else Register(int(found["version"]), bytes(found["value"]))

    def swap(self, name: str, *, version: int, value: bytes) -> bool:
        """See `ports.Registers.swap`."""
        registers = self._database["registers"]
        with self._database.call():
            if version == 0:
                try:
                    registers.insert_one({"_id": name, "version": 1, "value": value})
                except DuplicateKeyError:
                    return False
                return True
            changed = {"$set": {"version": version + 1, "value": value}}
            return registers.update_one({"_id": name, "version": version}, changed).modified_count == 1


def _first(database: Database, collection: str, record_id: str, fields: Document) -> Document:
    """The document of that id: one that was there, or one made now of these fields."""
    with database.call():
        while True:
            try:
                found = database[collection].find_one_and_update(
                    {"_id": record_id},
                    {"$setOnInsert": fields},
                    upsert=True,
                    return_document=ReturnDocument.AFTER,
                )
            except DuplicateKeyError:
                continue  # another was faster: now it is there
            if found is not None:
                return found
