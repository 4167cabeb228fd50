"""Conversations and messages in MongoDB. Every filter names the user, by whom the collections shard."""

from pymongo import DESCENDING
from pymongo.client_session import ClientSession

from yunliao.adapters.store.mongo.database import Database, Document, Refused
from yunliao.adapters.store.mongo.gate import pass_gate
from yunliao.adapters.store.mongo.ledger import let_go_of
from yunliao.adapters.store.mongo.records import before as before_cursor
from yunliao.adapters.store.mongo.records import document, load, read
from yunliao.ports import Conversation, Message

STANDING: Document = {"deleted_at": {"$in": [None, 0]}}
"""Not deleted: the field is left out until then, and 0 again after a restore."""


class MongoConversations:
    """Implements `ports.Conversations`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._conversations = database["conversations"]
        self._messages = database["messages"]

    def create(self, conversation: Conversation, *, key_id: str = "") -> bool:
        """See `ports.Conversations.create`."""
        if not key_id:
            with self._database.call():
                self._conversations.insert_one(document(conversation))
            return True

        def work(session: ClientSession) -> bool | Refused[bool]:
            if pass_gate(self._database.steps(session), conversation.user_id, key_id).status is not None:
                return Refused(False)
            # Written once, whichever attempt of this call it was.
            one = {"_id": conversation.id, "user_id": conversation.user_id}
            self._conversations.replace_one(one, document(conversation), upsert=True, session=session)
            return True

        return self._database.transaction(work)

    def get(self, user_id: str, conversation_id: str) -> Conversation | None:
        """See `ports.Conversations.get`."""
        with self._database.call():
            return read(Conversation, self._conversations.find_one(_one(user_id, conversation_id) | STANDING))

    def page(self, user_id: str, *, before: tuple[int, str] | None, limit: int) -> list[Conversation]:
        """See `ports.Conversations.page`."""
        wanted = {"user_id": user_id, **STANDING, **before_cursor("last_activity_at", before)}
        order = [("last_activity_at", DESCENDING), ("_id", DESCENDING)]
        with self._database.call():
            return [load(Conversation, found) for found in self._conversations.find(wanted).sort(order).limit(limit)]

    def set_title(self, user_id: str, conversation_id: str, sealed_title: bytes) -> bool:
        """See `ports.Conversations.set_title`."""
        standing = _one(user_id, conversation_id) | STANDING
        return self._change(standing, {"sealed_title": sealed_title, "titled": "user"})

    def delete(self, user_id: str, conversation_id: str, *, at: int) -> bool:
        """See `ports.Conversations.delete`."""
        return self._change(_one(user_id, conversation_id) | STANDING, {"deleted_at": at})

    def restore(self, user_id: str, conversation_id: str, *, deleted_after: int) -> bool:
        """See `ports.Conversations.restore`."""
        gone = {"deleted_at": {"$gt": max(0, deleted_after)}}
        return self._change(_one(user_id, conversation_id) | gone, {"deleted_at": 0})

    def purge(self, *, deleted_before: int, limit: int) -> int:
        """See `ports.Conversations.purge`: each conversation in a transaction of its own."""
        doomed: Document = {"deleted_at": {"$gt": 0, "$lt": deleted_before}}
        with self._database.call():
            found = list(self._conversations.find(doomed, {"user_id": 1}).sort("deleted_at").limit(limit))
        return sum(self._purge(one["user_id"], one["_id"], doomed) for one in found)

    def _purge(self, user_id: str, conversation_id: str, doomed: Document) -> bool:
        def work(session: ClientSession) -> bool | Refused[bool]:
            one = _one(user_id, conversation_id) | doomed
            if self._conversations.delete_one(one, session=session).deleted_count == 0:
                return Refused(False)  # restored, or another instance was here
            parts = {"user_id": user_id, "conversation_id": conversation_id}
            let_go_of(self._database, session, parts)
            self._messages.delete_many(parts, session=session)
            self._database["turns"].delete_many(parts, session=session)
            return True

        return self._database.transaction(work)

    def messages(
        self, user_id: str, conversation_id: str, *, before: tuple[int, str] | None, limit: int
    ) -> list[Message]:
        """See `ports.Conversations.messages`."""
        wanted = {"user_id": user_id, "conversation_id": conversation_id, "hidden": {"$ne": True}}
        wanted |= before_cursor("created_at", before)
        order = [("created_at", DESCENDING), ("_id", DESCENDING)]
        with self._database.call():
            return [load(Message, found) for found in self._messages.find(wanted).sort(order).limit(limit)]

    def message(self, user_id: str, message_id: str) -> Message | None:
        """See `ports.Conversations.message`."""
        with self._database.call():
            return read(Message, self._messages.find_one(_one(user_id, message_id)))

    def set_feedback(self, user_id: str, message_id: str, sealed_feedback: bytes) -> bool:
        """See `ports.Conversations.set_feedback`."""
        with self._database.call():
            change = {"$set": {"sealed_feedback": sealed_feedback}}
            return self._messages.update_one(_one(user_id, message_id), change).matched_count == 1

    def _change(self, wanted: Document, fields: Document) -> bool:
        with self._database.call():
            return self._conversations.update_one(wanted, {"$set": fields}).matched_count == 1


def _one(user_id: str, record_id: str) -> Document:
    return {"_id": record_id, "user_id": user_id}
