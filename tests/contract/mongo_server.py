"""The MongoDB of the tests: one replica set a run, a database of its own for every test."""

import itertools
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pymongo

from mongod import ReplicaSet

FOLDER = "/dev/shm" if os.path.isdir("/dev/shm") else None
"""In memory where that is possible: the tests are about what is promised, not about a disk's speed."""
GIVEN = "YUNLIAO_TEST_MONGODB_URL"
_numbers = itertools.count(1)


@contextmanager
def server() -> Iterator[Callable[[str], str]]:
    """The address of a database by its name. `YUNLIAO_TEST_MONGODB_URL` names a server to use; else one is started."""
    given = os.environ.get(GIVEN, "")
    if given:
        parts = urlsplit(given)
        yield lambda name: urlunsplit(parts._replace(path=f"/{name}"))
        return
    with (
        tempfile.TemporaryDirectory(prefix="yunliao-mongod-", dir=FOLDER) as folder,
        ReplicaSet(Path(folder)) as running,
    ):
        yield running.url


@contextmanager
def fresh(address: Callable[[str], str]) -> Iterator[str]:
    """The address of an empty database, which is dropped at the end."""
    name = f"yunliao_test_{secrets.token_hex(4)}_{next(_numbers)}"
    url = address(name)
    try:
        yield url
    finally:
        with pymongo.MongoClient[dict[str, object]](url) as client:
            if not os.environ.get(GIVEN):
                client.admin.command({"killAllSessions": []})  # what killed processes left open would hold this up
            client.drop_database(name)
