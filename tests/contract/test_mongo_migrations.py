"""Migrations under a lease: one instance at a time, a dead one is waited out, two versions live side by side."""

import threading
from collections.abc import Iterator

import pytest

from tests.contract.records import LIMITS, draft, ending, last
from yunliao.adapters.store.mongo import MongoStore, schema
from yunliao.adapters.store.mongo.database import Database
from yunliao.errors import StoreUnavailable


@pytest.fixture
def database(mongo_url: str) -> Iterator[Database]:
    made = Database(mongo_url)
    yield made
    made.close()


def hold(database: Database, until_ms: int) -> None:
    """Another instance has the lease until that time of the server's clock, relative to now."""
    until = {"$add": [{"$toLong": "$$NOW"}, until_ms]}
    database["leases"].update_one({"_id": "migrations"}, [{"$set": {"holder": "other", "until": until}}], upsert=True)


def test_a_second_instance_waits_for_the_first(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    running, may_end = threading.Event(), threading.Event()
    applied: list[list[str]] = []

    def slow(_: Database) -> None:
        running.set()
        assert may_end.wait(60)

    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, ("9999_slow", slow)))
    first = threading.Thread(target=lambda: applied.append(schema.migrate(database)))
    first.start()
    assert running.wait(60)
    monkeypatch.setattr(schema, "WAIT_SECONDS", 0.0)
    with pytest.raises(StoreUnavailable, match="still migrating"):
        schema.migrate(database)
    monkeypatch.setattr(schema, "WAIT_SECONDS", 60.0)
    second = threading.Thread(target=lambda: applied.append(schema.migrate(database)))
    second.start()
    may_end.set()
    first.join(60)
    second.join(60)
    assert sorted(applied) == [[], [name for name, _ in schema.MIGRATIONS]]


def test_the_lease_of_a_dead_instance_runs_out(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "WAIT_SECONDS", 0.0)
    hold(database, 60_000)
    with pytest.raises(StoreUnavailable):
        schema.migrate(database)
    hold(database, -1)
    assert schema.migrate(database) == [name for name, _ in schema.MIGRATIONS]


def test_a_migration_that_failed_is_tried_again_and_holds_nobody_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def fails_once(_: Database) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise StoreUnavailable("gone")

    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, ("9999_fails", fails_once)))
    with pytest.raises(StoreUnavailable):
        schema.migrate(database)
    assert schema.migrate(database) == ["9999_fails"]


def test_every_step_may_run_twice(database: Database) -> None:
    schema.migrate(database)
    for _, step in schema.MIGRATIONS:
        step(database)


def test_an_older_version_works_on_with_what_a_newer_one_wrote(mongo_url: str, database: Database) -> None:
    """Two versions run together for minutes: unknown migrations, fields and indexes of the newer are no trouble."""
    store = MongoStore(mongo_url)
    store.migrate()
    database["migrations"].insert_one({"_id": "9999_of_a_newer_version"})
    assert store.migrate() == []
    turn = store.turns.accept(draft(), LIMITS).turn
    assert turn is not None
    for name in ("turns", "messages", "conversations"):
        database[name].update_many({}, {"$set": {"field_of_a_newer_version": 1}})
        database[name].create_index("field_of_a_newer_version")
    assert store.turns.get(turn.id) == turn
    assert not store.turns.commit([last(turn, 2, ending())], owner="me", lease_until=9).lost
    assert len(store.conversations.messages("u1", turn.conversation_id, before=None, limit=9)) == 2
    found = database["turns"].find_one({"_id": turn.id})
    assert found is not None
    assert found["field_of_a_newer_version"] == 1  # nobody who does not know it takes it away
    store.close()


def test_a_newer_version_reads_what_an_older_one_left_out(mongo_url: str, database: Database) -> None:
    store = MongoStore(mongo_url)
    store.migrate()
    old = {"_id": "conv_old", "user_id": "u1", "created_at": 1, "last_activity_at": 1}
    database["conversations"].insert_one(old)
    found = store.conversations.get("u1", "conv_old")
    assert found is not None
    assert (found.titled, found.deleted_at, found.sealed_title) == ("none", 0, b"")
    assert store.conversations.set_title("u1", "conv_old", b"mine")
    assert store.conversations.delete("u1", "conv_old", at=5)
    store.close()
