"""The common case of a write, with little around it: commands over one connection of the driver's pool.

What a command costs here is the driver's Python, whatever the command carries: 155 µs of processor time through its
interface, 75 µs here (a transaction of four inserts: 770 and 390), where an answer makes about ten. Connecting,
identity, encryption in transit, the pool, and telling who is the primary stay the driver's. Left out are retries,
gossip about the cluster's time, which only causally consistent sessions need, and monitoring. So a line is for what may
be done anew in the ordinary way: where anything is in the way it raises, and what it had begun is aborted.
"""

import itertools
import secrets
import struct
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import bson
from bson.binary import UUID_SUBTYPE, Binary
from bson.int64 import Int64
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from yunliao.adapters.store.mongo.steps import Document, Refused, Steps, Update

Result = TypeVar("Result")

OP_MSG = 2013
"""The one kind of message that servers since 3.6 are spoken to in."""
_head = struct.Struct("<iiiiIB").pack
"""Length, number, number of what is answered, kind, flags, and that one document follows."""
DURABLE: Document = {"w": "majority", "j": True}
KEPT = 64
"""Sessions to be used again; the server forgets by itself those that are not."""
_numbers = itertools.count(1)


class Line(Steps):
    """Commands over one connection."""

    def __init__(self, client: MongoClient[Document], connection: Any, database: str, fields: Document) -> None:
        self._client = client
        self._connection = connection
        self._database = database
        self.fields = fields
        """What every command carries."""
        self._start: Document = {}

    def begin(self) -> None:
        """The next command begins the transaction."""
        self._start = {"startTransaction": True, "readConcern": {"level": "snapshot"}}

    def command(self, command: Document, database: str = "") -> Document:
        """The server's answer. Raises `PyMongoError`, also where only a part of what was asked for was not done."""
        start, self._start = self._start, {}
        command = {**command, "$db": database or self._database, **self.fields, **start}
        # Adds `maxTimeMS`: the server must not go on with what nobody waits for any more.
        self._connection.apply_timeout(self._client, command)
        body = bson.encode(command)
        number = next(_numbers) & 0x7FFFFFFF
        self._connection.send_message(_head(21 + len(body), number, 0, OP_MSG, 0, 0) + body, 0)
        answer: Document = bson.decode(self._connection.receive_message(number).raw_command_response())
        if answer["ok"] != 1 or "writeErrors" in answer or "writeConcernError" in answer:
            raise OperationFailure("refused", answer.get("code"))
        return answer

    def change_one(self, name: str, wanted: Document, change: Document, fields: Document) -> Document | None:
        """See `Steps.change_one`."""
        answer = self.command({"findAndModify": name, "query": wanted, "update": change, "fields": fields})
        found: Document | None = answer["value"]
        return found

    def update(self, name: str, updates: Sequence[Update]) -> int:
        """See `Steps.update`."""
        changes = [{"q": one.wanted, "u": one.change, "upsert": one.upsert} for one in updates]
        return int(self.command({"update": name, "ordered": False, "updates": changes})["n"])

    def insert(self, name: str, documents: Sequence[Document]) -> None:
        """See `Steps.insert`."""
        self.command({"insert": name, "ordered": False, "documents": list(documents)})

    def find(self, name: str, wanted: Document, *, at_most: int) -> list[Document]:
        """See `Steps.find`."""
        asked = {"find": name, "filter": wanted, "batchSize": at_most + 1, "singleBatch": True}
        found: list[Document] = self.command(asked)["cursor"]["firstBatch"]
        return found


class Lines:
    """The lines of one client, and the names of the sessions that their transactions belong to."""

    def __init__(self, client: MongoClient[Document], database: str) -> None:
        self._client = client
        self._database = database
        self._idle: deque[tuple[Binary, int]] = deque(maxlen=KEPT)

    def update(self, name: str, updates: Sequence[Update]) -> int:
        """One command without a transaction: how many were matched. Raises `PyMongoError`: then it may have been done,
        or some of it."""
        with self._line({"writeConcern": DURABLE}) as line:
            return line.update(name, updates)

    def transaction(self, work: Callable[[Steps], Result | Refused[Result]]) -> Result:
        """Run `work` in a transaction and commit it, once; `Refused` writes nothing. Whatever is raised by it or by the
        server goes to the caller; after a `PyMongoError` it is not known whether it was committed."""
        try:
            session, number = self._idle.pop()
        except IndexError:
            session, number = Binary(secrets.token_bytes(16), UUID_SUBTYPE), 0
        fields = {"lsid": {"id": session}, "txnNumber": Int64(number + 1), "autocommit": False}
        try:
            with self._line(fields) as line:
                line.begin()
                result = work(line)
                if isinstance(result, Refused):
                    self._abort(line)
                else:
                    line.command({"commitTransaction": 1, "writeConcern": DURABLE}, "admin")
        except BaseException:
            # Over another connection, if this one is gone: what is left open would hold its documents.
            with suppress(PyMongoError), self._line(fields) as line:
                self._abort(line)
            raise
        self._idle.append((session, number + 1))
        return result.result if isinstance(result, Refused) else result

    def _abort(self, line: Line) -> None:
        with suppress(OperationFailure):  # the server did it itself
            line.command({"abortTransaction": 1}, "admin")

    @contextmanager
    def _line(self, fields: Document) -> Iterator[Line]:
        # The driver has no public way to a connection. It is the one thing of its inside that is used, beside what the
        # connection itself can do; both are as in the version that requirements.txt fixes, and tests meet every change.
        with self._client._conn_for_writes(None, "line") as connection:
            yield Line(self._client, connection, self._database, fields)
