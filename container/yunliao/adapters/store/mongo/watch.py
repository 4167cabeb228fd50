"""What turns gain, told by the server: one change stream over the collection of turns.

A change stream tells only what a majority of the members has, in order. An appended event stands in it as one new
field of the log, `events.<place>`, so nothing has to be read again.
"""

from contextlib import suppress

from pymongo import timeout as time_limit
from pymongo.change_stream import ChangeStream
from pymongo.errors import OperationFailure, PyMongoError

from yunliao.adapters.store.mongo.database import Database, Document
from yunliao.ports import EventRow, Progress

AWAIT_MS = 300
"""How long the server keeps a question open when there is nothing to tell, milliseconds."""
CALL_SECONDS = 2.0
APPENDED = "events."
CHANGES: list[Document] = [
    {"$match": {"operationType": "update"}},
    {"$project": {"documentKey": 1, "updateDescription": 1}},
]


class MongoWatch:
    """Implements `ports.Watch`."""

    def __init__(self, database: Database, stream: ChangeStream[Document]) -> None:
        self._database = database
        self._stream = stream

    def next(self) -> list[Progress]:
        """See `ports.Watch.next`."""
        with self._database.call(CALL_SECONDS):
            change = self._stream.try_next()
        return [] if change is None else [_progress(change)]

    def close(self) -> None:
        """See `ports.Watch.close`."""
        with suppress(PyMongoError), time_limit(CALL_SECONDS):
            self._stream.close()


def open_watch(database: Database) -> MongoWatch | None:
    """A watch from now on; None where the server or the user's rights do not allow one."""
    with database.call():
        try:
            stream = database["turns"].watch(CHANGES, max_await_time_ms=AWAIT_MS)
        except OperationFailure as failed:
            if failed.timeout or failed.has_error_label("RetryableError"):
                raise
            return None
    return MongoWatch(database, stream)


def _progress(change: Document) -> Progress:
    told = change["updateDescription"]
    fields = told["updatedFields"]
    places = sorted(int(name[len(APPENDED) :]) for name in fields if name.startswith(APPENDED))
    rows = tuple(
        EventRow(seq=place + 1, body=row["b"], created_at=int(row["t"]))
        for place in places
        if isinstance(row := fields[f"{APPENDED}{place}"], dict)
    )
    lease = fields.get("lease_until")
    return Progress(
        turn_id=change["documentKey"]["_id"],
        rows=rows,
        ended="live" in told["removedFields"],
        lease_until=None if lease is None else int(lease),
    )
