"""The same tests over SQLite and MongoDB."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract import mongo_server
from tests.integration.people.stack import Instance, Stack, stack


@pytest.fixture(scope="session")
def mongo_address() -> Iterator[Callable[[str], str]]:
    with mongo_server.server() as address:
        yield address


@pytest.fixture
def mongo_url(mongo_address: Callable[[str], str]) -> Iterator[str]:
    with mongo_server.fresh(mongo_address) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    (tmp_path / "records").mkdir()
    return f"sqlite:///{tmp_path}/records/yunliao.db"


@pytest.fixture(params=["sqlite", "mongo"])
def store_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def stacked(store_url: str) -> Iterator[Stack]:
    with stack(store_url) as made:
        yield made


@pytest.fixture
def instance(stacked: Stack) -> Instance:
    return stacked.start()
