"""What lies in MongoDB: no words and names of people, and nothing of whom was erased (P9, P10)."""

from typing import Any

import bson
import pymongo

from tests.contract.test_sealed_at_rest import DATA_KEY, LOOKUP_KEY, MASTER, OPENID, Records
from yunliao.adapters.store.mongo import MongoStore


def everything(url: str) -> bytes:
    """All documents of all collections."""
    with pymongo.MongoClient[Any](url) as client:
        database = client.get_default_database()
        return b"".join(
            bson.encode(found) for name in sorted(database.list_collection_names()) for found in database[name].find()
        )


def test_no_document_holds_a_canary_and_erasing_leaves_none_of_a_person(mongo_url: str) -> None:
    store = MongoStore(mongo_url)
    store.migrate()
    gone, stays = Records(store, "gone"), Records(store, "stays")
    stored = everything(mongo_url)
    assert all(blob in stored for blob in (*gone.blobs, *stays.blobs))  # so that the search below finds what is there
    for word in (OPENID, "canary", "金丝雀", "1f9c"):
        assert word.encode() not in stored
    for key in (MASTER, LOOKUP_KEY, DATA_KEY):
        assert key not in stored
        assert key.hex().encode() not in stored
    store.users.erase(gone.user_id)
    stored = everything(mongo_url)
    for trace in (*gone.blobs, gone.user_id.encode(), gone.turn.id.encode(), gone.turn.conversation_id.encode()):
        assert trace not in stored
    assert all(blob in stored for blob in stays.blobs)
    store.close()
