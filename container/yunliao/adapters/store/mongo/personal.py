"""Everything of one user in MongoDB, in orders that do not change."""

from pymongo import ASCENDING
from pymongo.client_session import ClientSession

from yunliao.adapters.store.mongo.accept import TURN
from yunliao.adapters.store.mongo.database import Database, Document, Refused
from yunliao.adapters.store.mongo.ledger import let_go_of
from yunliao.adapters.store.mongo.records import LARGEST, load
from yunliao.adapters.store.mongo.thinning import thin
from yunliao.domain.turn import Turn
from yunliao.ports import Conversation, Message
from yunliao.ports_people import ConsentRecord

BY_TIME = [("created_at", ASCENDING), ("_id", ASCENDING)]


class MongoPersonalData:
    """Implements `ports_people.PersonalData`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def consents(self, user_id: str) -> list[ConsentRecord]:
        """See `ports_people.PersonalData.consents`."""
        with self._database.call():
            found = self._database["users"].find_one({"_id": user_id}, {"consents": 1}) or {}
        return [
            ConsentRecord(int(one["at"]), str(one["version"]), bool(one["overseas"]))
            for one in found.get("consents", ())
        ]

    def conversations(self, user_id: str, *, after: str, until: int, limit: int) -> list[Conversation]:
        """See `ports_people.PersonalData.conversations`."""
        wanted = {"user_id": user_id, "_id": {"$gt": after}, "created_at": {"$lte": _number(until)}}
        with self._database.call():
            found = self._database["conversations"].find(wanted).sort("_id", ASCENDING).limit(limit)
            return [load(Conversation, one) for one in found]

    def messages(
        self, user_id: str, conversation_id: str, *, after: tuple[int, str], until: int, limit: int
    ) -> list[Message]:
        """See `ports_people.PersonalData.messages`."""
        wanted = {"user_id": user_id, "conversation_id": conversation_id, **_beyond(after, until)}
        with self._database.call():
            found = self._database["messages"].find(wanted).sort(BY_TIME).limit(limit)
            return [load(Message, one) for one in found]

    def turns(self, user_id: str, *, after: str, until: int, limit: int) -> list[Turn]:
        """See `ports_people.PersonalData.turns`."""
        wanted = {"user_id": user_id, "_id": {"$gt": after}, "created_at": {"$lte": _number(until)}}
        with self._database.call():
            found = self._database["turns"].find(wanted, TURN).sort("_id", ASCENDING).limit(limit)
            return [load(Turn, one) for one in found]

    def purge(self, user_id: str, conversation_id: str) -> dict[str, int] | None:
        """See `ports_people.PersonalData.purge`."""
        parts = {"user_id": user_id, "conversation_id": conversation_id}
        with self._database.call():
            found = self._database["conversations"].find_one({"_id": conversation_id, "user_id": user_id}, {"_id": 1})
        if found is None:
            return None
        thinned = thin(self._database, parts, ("turns", "messages"))

        def work(session: ClientSession) -> dict[str, int] | Refused[dict[str, int] | None] | None:
            conversations, turns = self._database["conversations"], self._database["turns"]
            one = {"_id": conversation_id, "user_id": user_id}
            if conversations.delete_one(one, session=session).deleted_count == 0:
                return Refused(None)
            let_go_of(self._database, session, parts)
            counting: list[Document] = [
                {"$match": parts},
                {"$group": {"_id": None, "events": {"$sum": {"$size": {"$ifNull": ["$events", []]}}}}},
            ]
            events = next(iter(turns.aggregate(counting, session=session)), {"events": 0})["events"]
            return {
                "events": int(events) + thinned["events"],
                "turns": turns.delete_many(parts, session=session).deleted_count + thinned["turns"],
                "messages": self._database["messages"].delete_many(parts, session=session).deleted_count
                + thinned["messages"],
                "conversations": 1,
            }

        return self._database.transaction(work)

    def keyed(self, *, after: str, limit: int) -> list[tuple[str, str]]:
        """See `ports_people.PersonalData.keyed`."""
        with self._database.call():
            found = self._database["users"].find({"_id": {"$gt": after}}, {"key_id": 1})
            return [(one["_id"], one.get("key_id", "")) for one in found.sort("_id", ASCENDING).limit(limit)]

    def rekey(self, user_id: str, *, old: bytes, new: bytes, key_id: str) -> bool:
        """See `ports_people.PersonalData.rekey`."""
        wanted = {"_id": user_id, "wrapped_key": old, "key_id": {"$in": [None, ""]}}
        with self._database.call():
            change = {"$set": {"wrapped_key": new, "key_id": key_id}}
            return self._database["users"].update_one(wanted, change).matched_count == 1


def _beyond(after: tuple[int, str], until: int) -> Document:
    at = _number(after[0])
    return {
        "created_at": {"$gte": at, "$lte": _number(until)},
        "$or": [{"created_at": {"$gt": at}}, {"_id": {"$gt": after[1]}}],
    }


def _number(value: int) -> int:
    return max(-LARGEST, min(value, LARGEST))
