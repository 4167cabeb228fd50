"""Three workers at once on the same people, on every engine: whatever they do to each other, the books add up."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ledger.storm import storm
from tests.contract.known_users import known_users
from tests.fakes.memory_store import MemoryStore
from yunliao.adapters.store.mongo import MongoStore
from yunliao.adapters.store.sqlite import SqliteStore
from yunliao.ports import Store

WORKERS = 3


@pytest.fixture(params=["memory", "sqlite", "mongo", "mongo known"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Store]]:
    """A store for each worker, all of one service."""
    with ExitStack() as closing:
        made: list[Store] = []
        memory = MemoryStore()
        for _ in range(WORKERS):
            store: Store = memory
            if request.param == "sqlite":
                store = SqliteStore(f"sqlite:///{tmp_path}/storm.db")
            elif request.param.startswith("mongo"):
                store = MongoStore(request.getfixturevalue("mongo_url"), seconds=30)
                if request.param == "mongo known":
                    store = known_users(store)
            closing.callback(store.close)
            store.migrate()
            made.append(store)
        yield made


def test_three_workers_at_once(stores: list[Store]) -> None:
    seen = {"accepted": 0, "taken over": 0, "turn_in_progress": 0}
    for _ in range(6):
        seed = secrets.token_hex(4)
        print(f"seed {seed} (the order of threads is not in it)")
        walk = storm(stores, seed, steps=40)
        for name in seen:
            seen[name] += walk.seen[name]
    assert all(seen.values()), seen
