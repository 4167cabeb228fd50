"""Whole copies of the records in MongoDB. A record is a document as the server has it (BSON), never decoded here."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.client_session import ClientSession
from pymongo.errors import ConfigurationError, OperationFailure

from yunliao.adapters.store.mongo.database import Database
from yunliao.adapters.store.mongo.schema import MIGRATIONS, apply, check_server
from yunliao.adapters.store.mongo.unfinished import LEASES, begin, end, unfinished
from yunliao.errors import StoreUnavailable
from yunliao.ports_records import PutRecords, Snapshot

KEYS = "user_keys"
LEFT_OUT = {KEYS, "migrations", "tickets", LEASES}
"""No backup may hold the first; migrations are told apart; tickets are over in a minute, leases sooner."""
BY_EVERY_START = {KEYS, "migrations", "registers", "secrets", "tickets", "once", "tallies", LEASES}
BATCH = 200
BATCH_SECONDS = 60.0
"""Longest time of one batch: an operator's terminal waits longer than a person does."""
RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
SNAPSHOT_TOO_OLD = 239


class MongoSnapshot:
    """Implements `ports_records.Snapshot`: every reading of the session is of the moment of the first."""

    def __init__(self, database: Database, session: ClientSession) -> None:
        self._database = database
        self._session = session

    def tables(self) -> dict[str, int]:
        """See `ports_records.Snapshot.tables`."""
        return {name: count for name, count in _counts(self._database).items() if name not in LEFT_OUT}

    def read(self, name: str) -> Iterator[Sequence[bytes]]:
        """See `ports_records.Snapshot.read`."""
        collection = self._database.db.get_collection(name, codec_options=RAW)
        with collection.find({}, session=self._session, batch_size=BATCH) as found:
            while batch := self._next(found):
                yield batch

    def _next(self, found: Any) -> list[bytes]:
        with self._database.call(BATCH_SECONDS):
            try:
                return [one.raw for one in islice(found, BATCH)]
            except ConfigurationError:
                raise StoreUnavailable("mongodb: reading of one moment needs MongoDB 5.0 (docs/backup.md)") from None
            except OperationFailure as failed:
                if failed.code != SNAPSHOT_TOO_OLD:
                    raise
                raise StoreUnavailable(
                    "mongodb: the server did not keep the moment until all was read; raise its parameter"
                    " minSnapshotHistoryWindowInSeconds and begin again (docs/backup.md)"
                ) from None


class MongoCopying:
    """Implements `ports_records.Copying`."""

    engine = "mongodb"

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self) -> tuple[str, ...]:
        """See `ports_records.Copying.known`."""
        return tuple(name for name, _ in MIGRATIONS)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """See `ports_records.Copying.snapshot`."""
        with self._database.client.start_session(snapshot=True) as session:
            yield MongoSnapshot(self._database, session)

    def applied(self) -> tuple[str, ...]:
        """See `ports_records.Copying.applied`."""
        check_server(self._database)
        with self._database.call():
            return tuple(sorted(str(found["_id"]) for found in self._database["migrations"].find({}, {"_id": 1})))

    def occupied(self) -> dict[str, int]:
        """See `ports_records.Copying.occupied`."""
        if unfinished(self._database):
            return {}
        return {name: count for name, count in _counts(self._database).items() if count and name not in BY_EVERY_START}

    @contextmanager
    def load(self, migrations: Sequence[str]) -> Iterator[PutRecords]:
        """See `ports_records.Copying.load`: a mark in the store, taken away at the end, keeps everybody out."""
        check_server(self._database)
        begin(self._database)
        for name in _counts(self._database):
            if name not in (KEYS, LEASES):
                with self._database.call(BATCH_SECONDS):
                    self._database.db.drop_collection(name)
        apply(self._database, [one for one in MIGRATIONS if one[0] in migrations])
        yield self._put
        end(self._database)

    def _put(self, name: str, records: Sequence[bytes]) -> None:
        with self._database.call(BATCH_SECONDS):
            documents = [RawBSONDocument(record) for record in records]
            self._database.db.get_collection(name, codec_options=RAW).insert_many(documents)


def _counts(database: Database) -> dict[str, int]:
    with database.call(BATCH_SECONDS):
        names = sorted(database.db.list_collection_names(filter={"name": {"$not": {"$regex": "^system\\."}}}))
        return {name: int(database[name].count_documents({})) for name in names}
