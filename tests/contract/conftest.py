"""The stores that the one suite runs over. An adapter joins by a factory here; the assertions are the same for all."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.memory_store import MemoryStore
from yunliao.adapters.store.sqlite import SqliteStore
from yunliao.ports import Store


def sqlite(folder: Path) -> Store:
    return SqliteStore(f"sqlite:///{folder}/store.db")


def memory(folder: Path) -> Store:
    return MemoryStore()


@pytest.fixture(params=[sqlite, memory], ids=lambda factory: factory.__name__)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store = request.param(tmp_path)
    made.migrate()
    yield made
    made.close()
