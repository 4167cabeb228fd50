"""The stores that the one suite runs over. An adapter joins by a factory here; the assertions are the same for all."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from yunliao.adapters.store.sqlite import SqliteStore
from yunliao.ports import Store


def sqlite(folder: Path) -> Store:
    return SqliteStore(f"sqlite:///{folder}/store.db")


@pytest.fixture(params=[sqlite], ids=lambda factory: factory.__name__)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store = request.param(tmp_path)
    made.migrate()
    yield made
    made.close()
