"""The same tests over SQLite and MongoDB."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymongo
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
def more_env() -> dict[str, str]:
    """Settings of `placed` beside the places of its stores; a module that wants some has its own."""
    return {}


@pytest.fixture(params=["sqlite", "sqlite with keys elsewhere", "mongo", "mongo with keys elsewhere"])
def placed(request: pytest.FixtureRequest, tmp_path: Path, more_env: dict[str, str]) -> Iterator[Stack]:
    """The ways of docs/privacy.md to keep keys."""
    kind, _, elsewhere = request.param.partition(" ")
    url = request.getfixturevalue(f"{kind}_url")
    keys = ""
    if elsewhere and kind == "sqlite":
        keys = f"sqlite:///{tmp_path}/elsewhere/keys.db"
    if elsewhere and kind == "mongo":
        head, _, options = url.partition("?")
        keys = f"{head}_keys?{options}"
    with stack(url, **more_env, **({"YUNLIAO_KEYS_URL": keys} if keys else {})) as made:
        yield made
    if keys and kind == "mongo":
        with pymongo.MongoClient[dict[str, Any]](keys) as client:
            client.drop_database(client.get_default_database().name)


@pytest.fixture
def instance(stacked: Stack) -> Instance:
    return stacked.start()
