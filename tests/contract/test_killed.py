"""kill -9 in the middle of group commits: what was confirmed is there, and no turn is torn (P3, P5)."""

import json
import random
import sqlite3
import time
from pathlib import Path

import pymongo
import pytest

from tests.contract.store_worker import open_store
from tests.contract.worker_processes import PATIENCE, go, workers
from yunliao.ports import Store

ROUNDS = 12


@pytest.fixture(params=["sqlite", "mongo"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/killed.db"
    return str(request.getfixturevalue("mongo_url"))


def test_killed_writers_lose_and_tear_nothing(url: str) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    store = open_store(url)
    store.migrate()
    confirmed: dict[str, tuple[int, bool]] = {}
    for number in range(ROUNDS):
        with workers(url, "write", f"{seed}-{number}", 1) as (writer,):
            assert writer.stdout is not None
            go(writer)
            for _ in range(chance.randint(1, 25)):
                _note(confirmed, writer.stdout.readline())
            # Not right after a line: the kill would always meet the writer at the same step.
            time.sleep(chance.uniform(0, 0.02))
            writer.kill()
            assert writer.wait(PATIENCE) == -9
            for line in writer.stdout:  # said before the kill, not yet read
                if line.endswith("\n"):
                    _note(confirmed, line)
        _check(store, confirmed)
    store.close()
    stored = _all_turns(url)
    assert len(stored) >= len(confirmed) > ROUNDS
    reopened = open_store(url)
    _check(reopened, dict.fromkeys(stored, (1, False)))  # also those whose confirmation was never said
    reopened.close()


def _all_turns(url: str) -> list[str]:
    if url.startswith("mongodb:"):
        with pymongo.MongoClient[dict[str, object]](url) as client:
            return [str(turn["_id"]) for turn in client.get_default_database()["turns"].find({}, {"_id": 1})]
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = [row[0] for row in connection.execute("SELECT id FROM turns")]
    connection.close()
    return found


def _note(confirmed: dict[str, tuple[int, bool]], line: str) -> None:
    assert line, "the writer ended by itself"
    for turn_id, seq, ended in json.loads(line):
        confirmed[turn_id] = (seq, ended)


def _check(store: Store, confirmed: dict[str, tuple[int, bool]]) -> None:
    for turn_id, (seq, ended) in confirmed.items():
        turn = store.turns.get(turn_id)
        assert turn is not None
        log = [row.seq for row in store.turns.events(turn_id, after=0, limit=100_000)]
        assert log == list(range(1, turn.last_seq + 1))
        assert turn.last_seq >= seq
        assert not (ended and turn.live)
        answer = store.conversations.message(turn.user_id, turn.answer_message_id)
        conversation = store.conversations.get(turn.user_id, turn.conversation_id)
        assert conversation is not None
        assert store.conversations.message(turn.user_id, turn.user_message_id) is not None
        assert (answer is None, conversation.live_turn_id == turn_id) == (turn.live, turn.live)


def test_a_writer_that_fails_is_noticed(url: str) -> None:
    """The check above can fail: a turn that lacks a row is seen."""
    store = open_store(url)
    store.migrate()
    with workers(url, "write", "torn", 1) as (writer,):
        assert writer.stdout is not None
        go(writer)
        confirmed: dict[str, tuple[int, bool]] = {}
        _note(confirmed, writer.stdout.readline())
    if url.startswith("mongodb:"):
        with pymongo.MongoClient[dict[str, object]](url) as client:
            client.get_default_database()["turns"].update_many({}, {"$pop": {"events": -1}})
    else:
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.execute("DELETE FROM events WHERE seq = 2")
        connection.close()
    with pytest.raises(AssertionError):
        _check(store, confirmed)
    store.close()
