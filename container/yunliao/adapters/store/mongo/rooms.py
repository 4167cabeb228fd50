"""Users, tickets, shared secrets and registers in MongoDB."""

from datetime import UTC, datetime

from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from yunliao.adapters.store.mongo.database import Database, Document, Refused
from yunliao.adapters.store.mongo.gate import NEVER_SENT
from yunliao.adapters.store.mongo.ledger import OpenBooks
from yunliao.adapters.store.mongo.records import document, load, read
from yunliao.adapters.store.mongo.thinning import thin
from yunliao.ports import Register, User

LAST_MOMENT = 253402300799
"""The last second a date of the server can hold in four digits of the year."""


CONSENTS_KEPT = 1000
"""Newest consents kept with a user: a document must stay small, whatever a switch is played with."""


class MongoUsers:
    """Implements `ports.Users`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, user_id: str) -> User | None:
        """See `ports.Users.get`."""
        with self._database.call():
            # Not `one`: most of those who are not there really are not, and making sure takes a tenth of a second.
            return read(User, self._database["users"].find_one({"_id": user_id}))

    def create(self, user: User) -> User:
        """See `ports.Users.create`."""
        fresh = document(user) | NEVER_SENT
        fresh.pop("_id")
        return load(User, _first(self._database, "users", user.id, fresh))

    def set_consent(self, user_id: str, *, version: str, overseas: bool, at: int) -> bool:
        """See `ports.Users.set_consent`."""
        consent = {"consent_version": version, "consent_overseas": overseas, "consent_at": at}
        record = {"at": at, "version": version, "overseas": overseas}
        change = {"$set": consent, "$push": {"consents": {"$each": [record], "$slice": -CONSENTS_KEPT}}}
        with self._database.call():
            return self._database["users"].update_one({"_id": user_id}, change).matched_count == 1

    def erase(self, user_id: str, *, key_id: str | None = None) -> dict[str, int]:
        """See `ports.Users.erase`. What a transaction has no time for goes before it, by parts; then one transaction
        for the rest and the user, who is therefore the last to go: nobody new comes into being amid what is left."""
        with self._database.call():
            standing = self._database["users"].find_one({"_id": user_id}, {"key_id": 1})
        if standing is not None and key_id not in (None, standing.get("key_id", "")):
            return {}
        thinned = thin(self._database, {"user_id": user_id}, ("turns", "messages", "entries"))

        def work(session: ClientSession) -> dict[str, int] | Refused[dict[str, int]]:
            turns = self._database["turns"]
            counting: list[Document] = [
                {"$match": {"user_id": user_id}},
                {"$group": {"_id": None, "events": {"$sum": {"$size": {"$ifNull": ["$events", []]}}}}},
            ]
            events = next(iter(turns.aggregate(counting, session=session)), {"events": 0})["events"]
            wanted = {"consents": 1, "key_id": 1}
            person = self._database["users"].find_one({"_id": user_id}, wanted, session=session) or {}
            if person and key_id not in (None, person.get("key_id", "")):
                return Refused({})
            consents = len(person.get("consents", ()))
            # A turn that is just being accepted meets this transaction here, and one of them is tried again.
            OpenBooks(self._database.steps(session)).mark(user_id)
            gate = {"_id": user_id}
            self._database["gates"].update_one(gate, {"$inc": {"passed": 1}}, upsert=True, session=session)
            self._database["gates"].delete_one(gate, session=session)
            counts = {"events": int(events) + thinned["events"]}
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
                counts[name] += thinned.get(name, 0)
            counts["consents"] = consents
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
