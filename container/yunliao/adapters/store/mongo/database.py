"""One client for the whole process: what is promised of every call to the server.

Writes are acknowledged by a majority of the members and in their journals; reads see only what a majority has. So
nothing that was ever shown or confirmed can be undone by a change of the primary. Every call is bounded in time, the
driver's own retries included, and every error of the driver becomes `StoreUnavailable` without its text, which may
hold addresses and values.
"""

import random
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from bson.errors import BSONError
from pymongo import MongoClient
from pymongo import timeout as time_limit
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    DuplicateKeyError,
    InvalidURI,
    NetworkTimeout,
    PyMongoError,
    WaitQueueTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from yunliao.adapters.store.mongo import steps
from yunliao.adapters.store.mongo.line import Lines
from yunliao.adapters.store.mongo.steps import SessionSteps
from yunliao.adapters.store.mongo.trouble import Trouble
from yunliao.errors import Misconfigured, StoreUnavailable

Document = steps.Document
Refused = steps.Refused
Result = TypeVar("Result")

DATABASE = "yunliao"
"""Where the address names none."""
CALL_SECONDS = 4.0
"""Longest time of one call with all its retries: an election after a proper step-down is over sooner, and a person
waits no longer for being told."""
ORPHAN_SECONDS = 2
"""Idle time after which a transaction is taken for a dead instance's; between two steps of a living one lie
milliseconds."""
NAME = "yunliao"
"""What connections are called in the server's lists."""
CONNECT_MS = 2_000
HEARTBEAT_MS = 5_000
"""Between two looks of the driver at each server; a server that stays silent is noticed this much later."""
POOL = 24
"""Connections one instance opens at most; 28 instances (platform.md §9.5) stay far below a small server's limit."""
CONNECTING = 2
"""Of them being opened at a time: a server that just came back is not run over."""
CONFLICT_PAUSE = (0.001, 0.02)
"""Seconds before a transaction that met another is tried again; doubles up to `CONFLICT_LONGEST`."""
CONFLICT_LONGEST = 0.2
MAJORITY = WriteConcern(w="majority", j=True)


class Hindered(Exception):
    """Not done by a line, or not known to be: it is to be done in the ordinary way, which finds out."""


class Database:
    """Collections by name, and transactions."""

    def __init__(self, url: str, *, seconds: float = CALL_SECONDS) -> None:
        """Connects on first use; no call takes longer than `seconds`. Raises `Misconfigured` when the address cannot
        be understood."""
        self.seconds = seconds
        self.trouble = Trouble()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)  # of options that are unknown or said twice
                self.client: MongoClient[Document] = MongoClient(url, connect=False, **_options(seconds))
            self.db = self.client.get_default_database(
                DATABASE,
                write_concern=MAJORITY,
                read_concern=ReadConcern("majority"),
                read_preference=ReadPreference.PRIMARY,
            )
            self._lines = Lines(self.client, self.db.name)
        except (InvalidURI, ConfigurationError, ValueError, TypeError, UserWarning) as wrong:
            raise Misconfigured(f"YUNLIAO_STORE_URL is no MongoDB address ({type(wrong).__name__})") from None
        except PyMongoError as failed:  # mongodb+srv asks the name service here
            raise _unavailable(failed) from None

    def __getitem__(self, name: str) -> Collection[Document]:
        return self.db[name]

    def one(self, name: str, wanted: Document, projection: Document | None = None) -> Document | None:
        """The one document of these unique fields, within a `call`. A primary that was cut off may not know yet that
        another took its place, and has nothing of what that one wrote: so where there seems to be none, the server is
        asked again, and first makes sure with the others that it still is the primary."""
        found = self.db[name].find_one(wanted, projection)
        if found is not None:
            return found
        return self.db.get_collection(name, read_concern=ReadConcern("linearizable")).find_one(wanted, projection)

    @contextmanager
    def call(self, seconds: float | None = None) -> Iterator[None]:
        """Around every use of the server, and once only: a look at it, a time limit, and errors translated."""
        since = self.trouble.check()
        try:
            with time_limit(seconds or self.seconds):
                yield
        except (PyMongoError, BSONError) as failed:
            self._note(failed, since)
            raise _unavailable(failed) from None
        self.trouble.over(since)

    def _note(self, failed: Exception, since: float) -> None:
        """What the failure of a call that set out at `since` says of the server."""
        if isinstance(failed, NetworkTimeout):
            self.trouble.timed_out(since)
        elif isinstance(failed, AutoReconnect) and not isinstance(failed, WaitQueueTimeoutError):
            self.trouble.began(since)
        elif not isinstance(failed, WaitQueueTimeoutError):
            self.trouble.over(since)

    def steps(self, session: ClientSession | None) -> SessionSteps:
        """Steps of the session's transaction."""
        return SessionSteps(self.db, session)

    def quickly(self, work: Callable[[Lines], Result], otherwise: Callable[[], Result]) -> Result:
        """`work`, once, by the lines, or `otherwise`, which has `call` or `transaction` in it, where that is hindered;
        both within the time of one call. `otherwise` may meet what `work` wrote: whether it did is not always known."""
        with time_limit(self.seconds):
            if not self.trouble.away:
                since = self.trouble.check()
                try:
                    result = work(self._lines)
                except (PyMongoError, BSONError, Hindered) as failed:
                    slow = isinstance(failed, PyMongoError) and failed.timeout
                    if slow and time.monotonic() - since > self.seconds / 2:  # no time for another way
                        self._note(failed, since)
                        raise _unavailable(failed) from None
                else:
                    self.trouble.over(since)
                    return result
            return otherwise()

    def transaction(self, work: Callable[[ClientSession], Result | Refused[Result]]) -> Result:
        """Run `work` in a transaction over a snapshot and commit it; it runs again, whole, when another was in the
        way. What it returns as `Refused` is the result of a transaction that writes nothing."""
        began = time.monotonic()
        pause = CONFLICT_PAUSE[1]
        with self.call(), self.client.start_session() as session:
            while True:
                try:
                    return self._attempt(session, work)
                except PyMongoError as failed:
                    with suppress(PyMongoError):
                        if session.in_transaction:
                            session.abort_transaction()
                    again = failed.has_error_label("TransientTransactionError") or isinstance(failed, DuplicateKeyError)
                    lasted = time.monotonic() - began
                    if not again or lasted > self.seconds:
                        raise
                    if lasted > ORPHAN_SECONDS / 2:
                        self.free_orphans()
                time.sleep(random.uniform(CONFLICT_PAUSE[0], pause))  # noqa: S311  only spreads load
                pause = min(pause * 2, CONFLICT_LONGEST)

    def free_orphans(self) -> None:
        """Abort transactions that nobody works on any more: an instance that dies in the middle of one leaves its
        documents locked, by default for a minute. One of a living instance that only was slow is run again by it."""
        left = {"type": "idleSession", "appName": NAME, "transaction.timeInactiveMicros": {"$gt": ORPHAN_SECONDS * 1e6}}
        looking: list[Document] = [{"$currentOp": {"allUsers": False, "idleSessions": True}}, {"$match": left}]
        with suppress(PyMongoError):  # a user without that right, a proxy without that command: they end by themselves
            sessions = [{"id": found["lsid"]["id"]} for found in self.client.admin.aggregate(looking)]
            if sessions:
                self.client.admin.command({"killSessions": sessions})

    def _attempt(self, session: ClientSession, work: Callable[[ClientSession], Result | Refused[Result]]) -> Result:
        session.start_transaction(
            read_concern=ReadConcern("snapshot"), write_concern=MAJORITY, read_preference=ReadPreference.PRIMARY
        )
        result = work(session)
        if isinstance(result, Refused):
            session.abort_transaction()
            return result.result
        while True:
            try:
                session.commit_transaction()
                return result
            except PyMongoError as failed:
                # The driver tried twice; a new primary that does not know the outcome can still be asked again.
                if not failed.has_error_label("UnknownTransactionCommitResult") or failed.timeout:
                    raise

    def close(self) -> None:
        """Close all connections."""
        self.client.close()


def _unavailable(failed: Exception) -> StoreUnavailable:
    code = getattr(failed, "code", None)
    return StoreUnavailable(f"mongodb: {type(failed).__name__}" + (f" {code}" if isinstance(code, int) else ""))


def _options(seconds: float) -> dict[str, Any]:
    return {
        "appname": NAME,
        "maxPoolSize": POOL,
        "maxConnecting": CONNECTING,
        "connectTimeoutMS": CONNECT_MS,
        "serverSelectionTimeoutMS": int(seconds * 1000),
        "socketTimeoutMS": int(seconds * 2000),
        "waitQueueTimeoutMS": int(seconds * 500),
        "heartbeatFrequencyMS": HEARTBEAT_MS,
        "retryWrites": True,
        "retryReads": True,
    }
