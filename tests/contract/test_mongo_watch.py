"""The watch of MongoDB: every append of anybody, in order, without a gap, and only what a majority has."""

import time
from collections.abc import Iterator

import pytest

from tests.contract.records import LIMITS, draft, ending, last, rows
from yunliao.adapters.store.mongo import MongoStore
from yunliao.adapters.store.mongo.watch import MongoWatch
from yunliao.domain.turn import Turn
from yunliao.ports import EventRow, Progress, TurnWrite

PATIENCE = 60.0


@pytest.fixture
def store(mongo_url: str) -> Iterator[MongoStore]:
    made = MongoStore(mongo_url)
    made.migrate()
    yield made
    made.close()


@pytest.fixture
def watch(mongo_url: str, store: MongoStore) -> Iterator[MongoWatch]:
    """Another instance's."""
    other = MongoStore(mongo_url)
    found = other.turns.watch()
    assert isinstance(found, MongoWatch)
    yield found
    found.close()
    other.close()


def told(watch: MongoWatch, turn: Turn, until_seq: int) -> list[Progress]:
    """What it says of a turn up to that event."""
    found: list[Progress] = []
    deadline = time.monotonic() + PATIENCE
    while not any(row.seq == until_seq for one in found for row in one.rows):
        assert time.monotonic() < deadline
        found += [one for one in watch.next() if one.turn_id == turn.id]
    return found


def accepted(store: MongoStore, name: str) -> Turn:
    turn = store.turns.accept(draft(name), LIMITS).turn
    assert turn is not None
    return turn


def test_every_append_is_told_once_and_in_order(store: MongoStore, watch: MongoWatch) -> None:
    first, second = accepted(store, "u1"), accepted(store, "u2")
    for seq in range(2, 200, 3):
        writes = [TurnWrite(turn_id=turn.id, rows=rows(seq, 3), state="running") for turn in (first, second)]
        assert not store.turns.commit(writes, owner="me", lease_until=9_000 + seq).lost
    store.turns.commit([last(first, 200), last(second, 200)], owner="me", lease_until=1)
    found = told(watch, first, 200)
    log: list[EventRow] = [row for one in found for row in one.rows]
    assert log == [row for row in store.turns.events(first.id, after=1, limit=1_000)]
    assert [row.seq for row in log] == list(range(2, 201))
    assert [one.ended for one in found] == [False] * (len(found) - 1) + [True]
    leases = [one.lease_until for one in found if one.lease_until is not None]
    assert leases == sorted(leases)


def test_a_heartbeat_a_takeover_and_a_stop_are_told_as_what_they_are(store: MongoStore, watch: MongoWatch) -> None:
    turn = accepted(store, "u1")
    store.turns.commit([TurnWrite(turn_id=turn.id)], owner="me", lease_until=6_000)
    store.turns.claim(turn.id, owner="heir", lease_until=8_000, now=7_000)
    store.turns.request_stop(turn.id)
    store.turns.commit([last(turn, 2, ending("stopped"))], owner="heir", lease_until=9_000)
    assert told(watch, turn, 2) == [
        Progress(turn_id=turn.id, lease_until=6_000),
        Progress(turn_id=turn.id, lease_until=8_000),
        Progress(turn_id=turn.id),
        Progress(turn_id=turn.id, rows=rows(2, 1), ended=True),
    ]


def test_what_was_taken_back_is_never_told(store: MongoStore, watch: MongoWatch) -> None:
    """A lost write and a transaction that was given up leave no trace."""
    turn = accepted(store, "u1")
    store.turns.commit([TurnWrite(turn_id=turn.id, rows=rows(2, 1))], owner="other", lease_until=6_000)
    database = store._database
    with database.client.start_session() as session:
        session.start_transaction()
        database["turns"].update_one({"_id": turn.id}, {"$push": {"events": {"b": b"x", "t": 1}}}, session=session)
        session.abort_transaction()
    store.turns.commit([TurnWrite(turn_id=turn.id, rows=rows(2, 1))], owner="me", lease_until=6_000)
    assert told(watch, turn, 2) == [Progress(turn_id=turn.id, rows=rows(2, 1), lease_until=6_000)]


def test_expiry_is_no_progress(store: MongoStore, watch: MongoWatch) -> None:
    turn, other = accepted(store, "u1"), accepted(store, "u2")
    store.turns.commit([last(turn, 2)], owner="me", lease_until=9_000)
    store.turns.expire_events(ended_before=9_000, limit=5)
    store.turns.commit([TurnWrite(turn_id=other.id, rows=rows(2, 1))], owner="me", lease_until=9_000)
    found: list[Progress] = []
    deadline = time.monotonic() + PATIENCE
    while not any(one.turn_id == other.id for one in found):
        assert time.monotonic() < deadline
        found += watch.next()
    assert found[0] == Progress(turn_id=turn.id, rows=rows(2, 1), ended=True)
    assert found[1] == Progress(turn_id=turn.id)
