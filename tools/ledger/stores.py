"""A fresh store of each engine, for a batch of interleavings."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from yunliao.ports import Store

KINDS = ("memory", "sqlite", "mongodb")
FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""In memory where that is possible: what is tried are rules, not a disk."""


@contextmanager
def fresh(kind: str, url: str) -> Iterator[Store]:
    """An empty store; gone afterwards. `url` is the MongoDB server's, with `{}` for the database."""
    if kind == "memory":
        from tests.fakes.memory_store import MemoryStore

        yield MemoryStore()
    elif kind == "sqlite":
        from yunliao.adapters.store.sqlite import SqliteStore

        with tempfile.TemporaryDirectory(prefix="yunliao-walk-", dir=FOLDER) as folder:
            sqlite = SqliteStore(f"sqlite:///{folder}/walk.db")
            sqlite.migrate()
            try:
                yield sqlite
            finally:
                sqlite.close()
    else:
        import pymongo

        from yunliao.adapters.store.mongo import MongoStore

        name = f"walk_{secrets.token_hex(6)}"
        mongo = MongoStore(url.format(name), seconds=30)
        mongo.migrate()
        try:
            yield mongo
        finally:
            mongo.close()
            with pymongo.MongoClient[dict[str, object]](url.format(name)) as client:
                client.drop_database(name)
