"""The stores that the one suite runs over. An adapter joins by a factory here; the assertions are the same for all."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.contract import mongo_server
from tests.contract.known_users import known_users
from tests.fakes.memory_store import MemoryStore
from yunliao.adapters.store.mongo import MongoStore
from yunliao.adapters.store.sqlite import SqliteStore
from yunliao.ports_records import RecordStore

Factory = Callable[[pytest.FixtureRequest, Path], AbstractContextManager[RecordStore]]


@contextmanager
def sqlite(request: pytest.FixtureRequest, folder: Path) -> Iterator[RecordStore]:
    yield SqliteStore(f"sqlite:///{folder}/store.db")


@contextmanager
def memory(request: pytest.FixtureRequest, folder: Path) -> Iterator[RecordStore]:
    yield MemoryStore()


@contextmanager
def mongo(request: pytest.FixtureRequest, folder: Path) -> Iterator[RecordStore]:
    yield MongoStore(request.getfixturevalue("mongo_url"))


@contextmanager
def mongo_known(request: pytest.FixtureRequest, folder: Path) -> Iterator[RecordStore]:
    yield known_users(MongoStore(request.getfixturevalue("mongo_url")))


@pytest.fixture(scope="session")
def mongo_address() -> Iterator[Callable[[str], str]]:
    """The running MongoDB: the address of a database by its name."""
    with mongo_server.server() as address:
        yield address


@pytest.fixture
def mongo_url(mongo_address: Callable[[str], str]) -> Iterator[str]:
    """The address of an empty database."""
    with mongo_server.fresh(mongo_address) as url:
        yield url


STORES: dict[str, Factory] = {"sqlite": sqlite, "memory": memory, "mongo": mongo}
SENT_TO: dict[str, Factory] = {**STORES, "mongo known": mongo_known}
"""For suites about sends, which MongoDB takes in two ways. Not for all: each test takes a database of its own, and a
server has only so many files."""


def opened(request: pytest.FixtureRequest, folder: Path) -> Iterator[RecordStore]:
    """The store that the request's parameter names, migrated, until the test is over."""
    with SENT_TO[request.param](request, folder) as made:
        try:
            made.migrate()
            yield made
        finally:
            made.close()


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RecordStore]:
    yield from opened(request, tmp_path)


@pytest.fixture
def known_mongo(mongo_url: str) -> Iterator[MongoStore]:
    """A migrated MongoDB store in which all who send have an account."""
    made = known_users(MongoStore(mongo_url))
    made.migrate()
    yield made
    made.close()
