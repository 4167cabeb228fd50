"""The user's gate remembers the newest sends: never fewer than there were, whoever else made some."""

from collections.abc import Iterator
from typing import Any

import pymongo
import pytest
from msgspec.structs import replace

from tests.contract.records import LIMITS, draft, last, user
from yunliao.adapters.store.mongo import MongoStore
from yunliao.adapters.store.mongo.gate import REMEMBERED
from yunliao.ports import AcceptLimits, AcceptOutcome, Conversation, Draft


@pytest.fixture
def users(mongo_url: str) -> Iterator[pymongo.collection.Collection[dict[str, Any]]]:
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        yield client.get_default_database()["users"]


def sent(known_mongo: MongoStore, asked: Draft, limits: AcceptLimits = LIMITS) -> AcceptOutcome:
    """A send that is answered at once."""
    outcome = known_mongo.turns.accept(asked, limits)
    if outcome.status == "accepted" and outcome.turn is not None:
        assert not known_mongo.turns.commit([last(outcome.turn, 2)], owner="me", lease_until=9).lost
    return outcome


def by_the_version_before(known_mongo: MongoStore, users: Any, asked: Draft) -> None:
    """A send of a version that knows nothing of the memory: its gate counts only what passed it."""
    before = users.find_one({"_id": "u1"}, {"sends": 1}) or {}
    assert sent(known_mongo, asked).status == "accepted"
    users.update_one({"_id": "u1"}, {"$set": {"sends": before["sends"]}})


def test_a_send_of_the_version_before_counts(
    known_mongo: MongoStore, users: pymongo.collection.Collection[dict[str, Any]]
) -> None:
    limits = AcceptLimits(rate=3, window_ms=60_000)
    assert sent(known_mongo, draft(at=1_000), limits).status == "accepted"
    by_the_version_before(known_mongo, users, draft(at=2_000))
    assert sent(known_mongo, draft(at=3_000), limits).status == "accepted"
    refused = sent(known_mongo, draft(at=4_000), limits)
    assert (refused.status, refused.retry_after_ms) == ("rate_limited", 57_000)
    by_the_version_before(known_mongo, users, draft(at=5_000))
    assert sent(known_mongo, draft(at=62_500), limits).status == "accepted"
    remembered = users.find_one({"_id": "u1"}) or {}
    assert remembered["sends"]["passed"] == remembered["passed"]
    assert remembered["sends"]["times"] == [3_000, 5_000, 62_500]


def test_a_longer_window_than_what_is_remembered_is_asked_about(known_mongo: MongoStore) -> None:
    narrow, wide = AcceptLimits(rate=2, window_ms=1_000), AcceptLimits(rate=2, window_ms=100_000)
    for at in (10_000, 20_000):
        assert sent(known_mongo, draft(at=at), narrow).status == "accepted"
    assert sent(known_mongo, draft(at=30_000), wide).status == "rate_limited"
    assert sent(known_mongo, draft(at=40_000), narrow).status == "accepted"


def test_more_sends_than_are_remembered_are_counted(known_mongo: MongoStore, users: Any) -> None:
    limits = AcceptLimits(rate=REMEMBERED + 8, window_ms=60_000)
    said = [sent(known_mongo, draft(at=1_000 + number), limits).status for number in range(limits.rate + 2)]
    assert said == ["accepted"] * limits.rate + ["rate_limited"] * 2
    assert len(users.find_one({"_id": "u1"})["sends"]["times"]) == REMEMBERED


def test_a_clock_that_went_back_hides_no_send(known_mongo: MongoStore) -> None:
    """Another instance's clock is behind: what is forgotten first is the oldest, not what was sent first."""
    limits = AcceptLimits(rate=REMEMBERED, window_ms=10_000)
    early = [1_000 + number for number in range(REMEMBERED)]
    for at in (50_000, 50_001, *early):
        assert sent(known_mongo, draft(at=at), replace(LIMITS, window_ms=10_000)).status == "accepted"
    tight = replace(limits, rate=2)
    assert sent(known_mongo, draft(at=50_002), tight).status == "rate_limited"


def test_a_new_conversation_passes_the_gate_and_breaks_no_memory(known_mongo: MongoStore, users: Any) -> None:
    assert sent(known_mongo, draft()).status == "accepted"
    empty = Conversation(id="c9", user_id="u1", created_at=5, last_activity_at=5)
    assert known_mongo.conversations.create(empty, key_id="key of u1")
    found = users.find_one({"_id": "u1"})
    assert (found["passed"], found["sends"]["passed"], found["sends"]["times"]) == (2, 2, [1_000])


def test_what_stands_in_the_way_is_told_in_order(known_mongo: MongoStore) -> None:
    """A quick attempt meets some of it in another order than it is to be told."""
    first = known_mongo.turns.accept(draft(client_id="one"), LIMITS)
    assert first.turn is not None
    elsewhere = draft(client_id="one", conversation="gone")
    assert known_mongo.turns.accept(elsewhere, LIMITS).status == "existing"
    assert known_mongo.turns.accept(draft(client_id="two", conversation="gone"), LIMITS).status == "no_conversation"
    standing = known_mongo.turns.accept(draft(client_id="two"), LIMITS)
    assert (standing.status, standing.turn and standing.turn.id) == ("turn_in_progress", first.turn.id)
    assert (
        known_mongo.turns.accept(draft(client_id="two"), AcceptLimits(rate=1, window_ms=9)).status == "turn_in_progress"
    )
    assert [one.id for one in known_mongo.conversations.page("u1", before=None, limit=9)] == [
        first.turn.conversation_id
    ]
    assert known_mongo.turns.by_client_id("u1", "two") is None


def test_an_account_made_anew_remembers_nothing(known_mongo: MongoStore) -> None:
    limits = AcceptLimits(rate=1, window_ms=60_000)
    assert sent(known_mongo, draft(at=1_000), limits).status == "accepted"
    assert sent(known_mongo, draft(at=2_000), limits).status == "rate_limited"
    known_mongo.users.erase("u1")
    known_mongo.users.create(user())
    assert sent(known_mongo, draft(at=3_000), limits).status == "accepted"
