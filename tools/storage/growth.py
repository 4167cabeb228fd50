"""How the store grows: one conversation made by the store itself is copied with fresh ids and bytes many times over.

So every document has the fields and sizes of a real one, and generating 100,000 turns takes a minute. Sealed parts
are random, as ciphertext is: compression gains nothing on them, in production neither.
"""

import os
import re
import secrets
import sys
import time
from typing import Any

import bson
import pymongo

from storage.records import SEAL, UNLIMITED, draft, new_id
from yunliao.adapters.store.mongo import MongoStore
from yunliao.domain.turn import Ending
from yunliao.ports import EventRow, TurnWrite, User

TURNS = 5
"""Turns of the conversation that is copied."""
CONVERSATIONS = 10
"""Conversations of a user."""
EVENTS = 60
"""Text events of an answer of some twelve seconds."""
EVENT_BYTES = SEAL + 62
ANSWER_BYTES = SEAL + 1_250
"""About 400 Chinese characters."""
BATCH = 200
COLLECTIONS = ("users", "gates", "conversations", "messages", "turns")
MADE_ID = re.compile(r"(turn|conv|msg)_")
MB = 1e6
ENTRY = 8
"""Bytes an index entry takes besides its values."""
SIZES = ("size", "storageSize", "totalIndexSize")

Documents = dict[str, list[dict[str, Any]]]


def pattern(store: MongoStore, client: "pymongo.MongoClient[dict[str, Any]]", database: str) -> Documents:
    """One user with one conversation of `TURNS` turns, as the store wrote them."""
    user_id, conversation = secrets.token_urlsafe(32), ""
    store.users.create(User(id=user_id, wrapped_key=os.urandom(67), sealed_openid=os.urandom(72), created_at=2**40))
    for _ in range(TURNS):
        sent = draft(user_id, owner="here" * 4, conversation_id=conversation)
        turn, conversation = sent.turn, sent.turn.conversation_id
        assert store.turns.accept(sent, UNLIMITED).status == "accepted"
        rows = [EventRow(seq=seq, body=os.urandom(EVENT_BYTES), created_at=2**40) for seq in range(2, EVENTS + 3)]
        store.turns.commit(
            [TurnWrite(turn_id=turn.id, rows=tuple(rows[:-1]), state="running")], owner=turn.owner, lease_until=2**40
        )
        how = Ending(reason="complete", answer=os.urandom(ANSWER_BYTES), ended_at=2**40 + 1)
        store.turns.commit(
            [TurnWrite(turn_id=turn.id, rows=tuple(rows[-1:]), ending=how)], owner=turn.owner, lease_until=2**40
        )
    return {name: list(client[database][name].find()) for name in COLLECTIONS}


def copied(value: Any, names: dict[str, str]) -> Any:
    """The same with fresh bytes and, consistently within `names`, fresh ids."""
    if isinstance(value, bytes):
        return os.urandom(len(value))
    if isinstance(value, str):
        made = MADE_ID.match(value)
        return names.setdefault(value, new_id(made[1])) if made else names.get(value, value)
    if isinstance(value, dict):
        return {name: copied(one, names) for name, one in value.items()}
    if isinstance(value, list):
        return [copied(one, names) for one in value]
    return value


def fill(database: Any, made: Documents, turns: int) -> None:
    """Copy until there are that many turns; says how far it is."""
    user_id = made["users"][0]["_id"]
    fresh_user = ""
    waiting: Documents = {name: [] for name in COLLECTIONS}
    began = time.monotonic()
    for number in range(turns // TURNS):
        first = number % CONVERSATIONS == 0
        fresh_user = secrets.token_urlsafe(32) if first else fresh_user
        names = {user_id: fresh_user}
        for name in COLLECTIONS if first else COLLECTIONS[2:]:
            for one in made[name]:
                copy = copied(one, names)
                if "client_id" in copy:
                    copy["client_id"] = secrets.token_hex(16)
                waiting[name].append(copy)
        if number % BATCH == 0 or number == turns // TURNS - 1:
            for name, documents in waiting.items():
                if documents:
                    database[name].insert_many(documents, ordered=False)
            waiting = {name: [] for name in COLLECTIONS}
            if number % (BATCH * 5) == 0:
                print(
                    f"  {number * TURNS:7d} of {turns} turns {time.monotonic() - began:4.0f} s",
                    file=sys.stderr,
                    flush=True,
                )


def key_bytes(document: dict[str, Any], spec: dict[str, Any]) -> int:
    """What a document's entry in an index takes, before neighbours' common beginnings are left out."""
    partial = spec.get("partialFilterExpression", {})
    if any(field not in document for field in partial):
        return 0
    return ENTRY + sum(_key(document.get(field)) for field, _ in spec["key"])


def _key(value: Any) -> int:
    return len(value) + 2 if isinstance(value, str) else 8


def measure(url: str, *, turns: int, expired: bool) -> list[str]:
    """Rows of the table, per 1,000,000 turns: what the documents' sizes foretell, and what the server's files hold."""
    store = MongoStore(url)
    store.migrate()
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        made = pattern(store, client, database.name)
        if expired:
            store.turns.expire_events(ended_before=2**50, limit=TURNS)
            made["turns"] = list(database["turns"].find())
        for name in COLLECTIONS:
            database[name].delete_many({})
        fill(database, made, turns)
        client.admin.command({"fsync": 1})
        lines = []
        for name in COLLECTIONS:
            stats = database.command({"collStats": name})
            per_turn = len(made[name]) / TURNS / (CONVERSATIONS if name in COLLECTIONS[:2] else 1)
            foretold = per_turn * sum(len(bson.encode(one)) for one in made[name]) / len(made[name])
            scale = 1e6 / turns / MB
            foretold_keys = {
                index: per_turn * sum(key_bytes(one, spec) for one in made[name]) / len(made[name])
                for index, spec in database[name].index_information().items()
            }
            of_them = ", ".join(
                f"{index} {size * scale:,.0f} ({foretold_keys[index]:,.0f})"
                for index, size in sorted(stats["indexSizes"].items())
            )
            sizes = (stats["count"] / turns * 1e6, foretold, *(stats[size] * scale for size in SIZES))
            lines.append(
                f"| `{name}`{'' if expired or name != 'turns' else ' with events'} | "
                + " | ".join(f"{size:,.0f}" for size in sizes)
                + f" | {of_them} |"
            )
    store.close()
    return lines
