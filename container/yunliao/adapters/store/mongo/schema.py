"""The numbered list of migrations, applied under a lease in the store.

A step once released is never changed; the next step changes what it made. Every step may run twice, and must leave
what the version before it reads and writes (docs/storage.md, "Two versions at once").
"""

import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import CollectionInvalid, DuplicateKeyError

from yunliao.adapters.store.mongo.database import Database, Document
from yunliao.adapters.store.mongo.unfinished import unfinished
from yunliao.errors import Misconfigured, StoreUnavailable

LEASE_MS = 30_000
"""After this time without a sign the migrating instance is taken for dead, milliseconds of the server's clock."""
STEP_SECONDS = 25.0
"""Longest time of one call of a step: shorter than the lease."""
WAIT_SECONDS = 60.0
PAUSE = 0.2

INDEXES = {
    "turns": [
        IndexModel([("user_id", ASCENDING), ("client_id", ASCENDING)], name="by_client_id", unique=True),
        IndexModel([("user_id", ASCENDING), ("created_at", DESCENDING)], name="by_time"),
        # The rule of one live turn a user, said a second time where no mistake elsewhere can break it.
        IndexModel([("user_id", ASCENDING)], name="live", unique=True, partialFilterExpression={"live": True}),
        IndexModel([("lease_until", ASCENDING)], name="leases", partialFilterExpression={"live": True}),
        IndexModel([("ended_at", ASCENDING)], name="with_events", partialFilterExpression={"keeps_events": True}),
    ],
    "messages": [
        IndexModel(
            [("user_id", ASCENDING), ("conversation_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)],
            name="by_time",
        )
    ],
    "conversations": [
        IndexModel([("user_id", ASCENDING), ("last_activity_at", DESCENDING), ("_id", DESCENDING)], name="by_activity"),
        IndexModel([("deleted_at", ASCENDING)], name="deleted", partialFilterExpression={"deleted_at": {"$gt": 0}}),
    ],
    "tickets": [IndexModel([("gone_at", ASCENDING)], name="expiry", expireAfterSeconds=0)],
    "users": [],
    "gates": [],
    "secrets": [],
}
"""Every collection with its indexes besides `_id`."""


def _first(database: Database) -> None:
    _make(database, INDEXES)


def _registers(database: Database) -> None:
    with suppress(CollectionInvalid):  # it is there
        database.db.create_collection("registers")


RETENTION = {
    "messages": [
        IndexModel([("user_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)], name="of_user"),
        IndexModel([("created_at", ASCENDING)], name="by_age"),
    ],
    "conversations": [IndexModel([("last_activity_at", ASCENDING)], name="by_age")],
    "verdicts": [
        IndexModel([("at", DESCENDING), ("_id", DESCENDING)], name="newest"),
        IndexModel([("user_id", ASCENDING), ("at", DESCENDING), ("_id", DESCENDING)], name="of_user"),
    ],
    "verdict_passes": [IndexModel([("day", ASCENDING), ("place", ASCENDING)], name="days")],
}
OPERATORS = {
    "cards": [
        IndexModel([("kind", ASCENDING), ("at", DESCENDING), ("_id", DESCENDING)], name="newest"),
        IndexModel([("kind", ASCENDING), ("state", ASCENDING), ("at", DESCENDING), ("_id", DESCENDING)], name="state"),
        IndexModel([("owner", ASCENDING), ("kind", ASCENDING)], name="owner"),
        IndexModel([("expires_at", ASCENDING)], name="expiry", partialFilterExpression={"expires_at": {"$gt": 0}}),
    ],
    "audit": [],
}


def _retention(database: Database) -> None:
    _make(database, RETENTION)


def _operators(database: Database) -> None:
    _make(database, OPERATORS)


def _make(database: Database, collections: dict[str, list[IndexModel]]) -> None:
    for name, indexes in collections.items():
        with suppress(CollectionInvalid):  # it is there
            database.db.create_collection(name)  # a transaction of an old server cannot make one
        if indexes:
            database[name].create_indexes(indexes)


def _ledger(database: Database) -> None:
    once = [("user_id", ASCENDING), ("reference", ASCENDING), ("kind", ASCENDING)]
    indexes = {
        "accounts": [],
        "entries": [
            IndexModel([("user_id", ASCENDING), ("number", DESCENDING)], name="by_number", unique=True),
            # What is repeated changes nothing: said a second time where no mistake elsewhere can break it.
            IndexModel(once, name="once", unique=True),
        ],
        "codes": [],
    }
    for name, wanted in indexes.items():
        with suppress(CollectionInvalid):  # it is there
            database.db.create_collection(name)
        if wanted:
            database[name].create_indexes(wanted)
    priced = {"price_version": {"$gt": ""}}
    database["turns"].create_indexes(
        [IndexModel([("user_id", ASCENDING)], name="priced", partialFilterExpression=priced)]
    )


def _people(database: Database) -> None:
    by_id = IndexModel([("user_id", ASCENDING), ("_id", ASCENDING)], name="by_id")
    for name in ("conversations", "turns"):
        database[name].create_indexes([by_id])


def _once(database: Database) -> None:
    with suppress(CollectionInvalid):  # it is there
        database.db.create_collection("once")
    database["once"].create_indexes([IndexModel([("gone_at", ASCENDING)], name="expiry", expireAfterSeconds=0)])


def _tallies(database: Database) -> None:
    _make(database, {"tallies": []})


Step = tuple[str, Callable[[Database], None]]
MIGRATIONS: tuple[Step, ...] = (
    ("0001_first", _first),
    ("0002_registers", _registers),
    ("0003_ledger", _ledger),
    ("0004_people", _people),
    ("0005_retention", _retention),
    ("0006_operators", _operators),
    ("0007_once", _once),
    ("0008_tallies", _tallies),
)


def migrate(database: Database) -> list[str]:
    """Apply what is missing; names of what this call applied. A second instance that starts at once waits until the
    first is done, or dead. Raises `StoreUnavailable`, `Misconfigured` (no replica set, a restore that is not done)."""
    check_server(database)
    if unfinished(database):
        raise Misconfigured(
            "the store is being restored from a backup, or that was cut off: wait for it, or run"
            " `python3 -m yunliao restore FILE` again (docs/backup.md)"
        )
    me = secrets.token_hex(8)
    deadline = time.monotonic() + WAIT_SECONDS
    while _missing(database):
        if _lease(database, me):
            try:
                return _apply(database, me)
            finally:
                _release(database, me)
        if time.monotonic() > deadline:
            raise StoreUnavailable("mongodb: another instance is still migrating")
        time.sleep(PAUSE)
    return []


def _apply(database: Database, me: str) -> list[str]:
    applied = []
    for one in _missing(database):
        if not _lease(database, me):  # renewed for every step
            break
        apply(database, [one])
        applied.append(one[0])
    return applied


def apply(database: Database, steps: Sequence[Step]) -> None:
    """Carry these out and write that down."""
    for name, step in steps:
        with database.call(STEP_SECONDS):
            step(database)
            database["migrations"].update_one({"_id": name}, {"$currentDate": {"at": True}}, upsert=True)


def _missing(database: Database) -> list[Step]:
    with database.call():
        known = {"_id": {"$in": [name for name, _ in MIGRATIONS]}}
        done = {found["_id"] for found in database["migrations"].find(known, {"_id": 1})}
    return [(name, step) for name, step in MIGRATIONS if name not in done]


def _lease(database: Database, me: str) -> bool:
    """Take or renew the lease, by the server's clock; False while another holds it."""
    until = {"$add": [{"$toLong": "$$NOW"}, LEASE_MS]}
    free = {"$or": [{"holder": me}, {"$expr": {"$lt": ["$until", {"$toLong": "$$NOW"}]}}]}
    leases = database["leases"]
    with database.call():
        with suppress(DuplicateKeyError):  # another made it at the same moment
            leases.update_one({"_id": "migrations"}, {"$setOnInsert": {"holder": "", "until": 0}}, upsert=True)
        taken = leases.update_one({"_id": "migrations", **free}, [{"$set": {"holder": me, "until": until}}])
    return taken.matched_count == 1


def _release(database: Database, me: str) -> None:
    with database.call():
        database["leases"].update_one({"_id": "migrations", "holder": me}, {"$set": {"holder": "", "until": 0}})


def check_server(database: Database) -> None:
    """Raises `Misconfigured` where the server has no transactions."""
    with database.call():
        hello: Document = database.client.admin.command("hello")
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise Misconfigured("YUNLIAO_STORE_URL is a single MongoDB server: transactions need a replica set")
