"""A user's messages in one order, and removal by age, in MongoDB."""

from pymongo import ASCENDING, DESCENDING
from pymongo.client_session import ClientSession

from yunliao.adapters.store.mongo.database import Database, Document, Refused
from yunliao.adapters.store.mongo.records import before as before_cursor
from yunliao.adapters.store.mongo.records import load
from yunliao.ports import Message

QUIET: Document = {"live_turn_id": {"$in": [None, ""]}}


class MongoHistory:
    """Implements `ports_records.History`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, user_id: str, *, before: tuple[int, str] | None, limit: int) -> list[Message]:
        """See `ports_records.History.page`."""
        wanted = {"user_id": user_id, "hidden": {"$ne": True}, "state": {"$in": [None, "normal"]}}
        wanted |= before_cursor("created_at", before)
        order = [("created_at", DESCENDING), ("_id", DESCENDING)]
        with self._database.call():
            found = self._database["messages"].find(wanted, batch_size=limit).sort(order).limit(limit)
            return [load(Message, one) for one in found]

    def expire(self, *, before: int, limit: int) -> dict[str, int]:
        """See `ports_records.History.expire`: each conversation in a transaction of its own; of messages the turns go
        first, so that a call that was cut off finds the rest again."""
        idle: Document = {"last_activity_at": {"$lt": before}, **QUIET}
        with self._database.call():
            found = list(self._database["conversations"].find(idle, {"user_id": 1}).limit(limit))
        conversations = sum(self._remove(one["user_id"], one["_id"], idle) for one in found)
        return {"conversations": conversations, "messages": self._messages(before, limit)}

    def _messages(self, before: int, limit: int) -> int:
        old: Document = {"created_at": {"$lt": before}}
        fields = {"user_id": 1, "turn_id": 1, "conversation_id": 1}
        with self._database.call():
            order = [("created_at", ASCENDING)]
            found = list(self._database["messages"].find(old, fields).sort(order).limit(limit))
            places = {"_id": {"$in": list({one["conversation_id"] for one in found})}}
            busy = {
                one["_id"]
                for one in self._database["conversations"].find(places, {"live_turn_id": 1})
                if one.get("live_turn_id")
            }
            doomed = [one for one in found if one["conversation_id"] not in busy]
            users = {"user_id": {"$in": list({one["user_id"] for one in doomed})}}
            turns = {"_id": {"$in": list({one["turn_id"] for one in doomed})}, **users, "live": {"$ne": True}}
            self._database["turns"].delete_many(turns)
            gone = self._database["messages"].delete_many({"_id": {"$in": [one["_id"] for one in doomed]}, **users})
            return int(gone.deleted_count)

    def _remove(self, user_id: str, conversation_id: str, idle: Document) -> bool:
        def work(session: ClientSession) -> bool | Refused[bool]:
            one = {"_id": conversation_id, "user_id": user_id, **idle}
            if self._database["conversations"].delete_one(one, session=session).deleted_count == 0:
                return Refused(False)  # somebody wrote in it just now
            parts = {"user_id": user_id, "conversation_id": conversation_id}
            self._database["messages"].delete_many(parts, session=session)
            self._database["turns"].delete_many(parts, session=session)
            return True

        return self._database.transaction(work)
