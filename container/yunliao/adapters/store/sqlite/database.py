"""One SQLite file, shared by all threads of the process and by all processes of the machine.

One connection per process under one lock: a statement takes microseconds, so under gevent it blocks the hub no longer
than that, and greenlets never wait for each other for long. WAL lets other processes read meanwhile. With
`synchronous=NORMAL` a killed process loses nothing that was committed; a power cut may lose the last commits, never
the file. `secure_delete` overwrites what is removed (P10).
"""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from yunliao.errors import StoreUnavailable

PREPARE_TRIES = 50
PREPARE_PAUSE = 0.1
"""Seconds between tries to open a file that another process is just making."""
BUSY_SECONDS = 5.0
"""How long a writer waits for another process's commit."""
LARGEST = 2**63 - 1
"""The largest number a column holds."""


class Database:
    """Runs statements; every sqlite3 error becomes `StoreUnavailable` without its text, which may hold values."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading."""
        with self._lock:
            try:
                yield self._open()
            except sqlite3.Error as error:
                raise _unavailable(error) from None

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock from its start: what it reads stays true until it commits."""
        with self._lock:
            try:
                connection = self._open()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise _unavailable(error) from None

    @contextmanager
    def beside(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own for reading for long: nobody waits for it."""
        with self.read():
            pass  # the file is there, or made
        connection = None
        try:
            connection = self._connect()
            yield connection
        except sqlite3.Error as error:
            raise _unavailable(error) from None
        finally:
            if connection is not None:
                connection.close()

    def forget(self) -> None:
        """After a removal for good: bring it to the file and empty the log, which still holds what was removed. When
        another process is just reading, or on an error, the log is emptied by a later call or when the last process
        closes the file: the removal itself is done, so this never fails."""
        with suppress(StoreUnavailable), self.read() as connection:
            row(connection, "PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._identity() != self._file:
            # An open file that was deleted or replaced still takes writes, which nobody would ever see again.
            self.close()
        if self._connection is None:
            self._connection = self._connect()
            self._file = self._identity()
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        folder = os.path.dirname(self._path)
        mode = "rw"
        if self._file is None:  # only the first opening may make the file: one that went missing must not look empty
            mode = "rwc"
            try:
                if folder:
                    os.makedirs(folder, exist_ok=True)
            except OSError:
                raise StoreUnavailable("the folder of YUNLIAO_STORE_URL cannot be made") from None
        connection = sqlite3.connect(
            f"{Path(self._path).absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.row_factory = sqlite3.Row
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _identity(self) -> tuple[int, int] | None:
        with suppress(OSError):
            found = os.stat(self._path)
            return found.st_dev, found.st_ino
        return None


def _prepare(connection: sqlite3.Connection) -> None:
    """Set the modes. Going over to WAL does not wait for another process that does the same: it is tried again."""
    for attempt in range(PREPARE_TRIES):
        try:
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON"):
                connection.execute(f"PRAGMA {pragma}")
            return
        except sqlite3.OperationalError:
            if attempt + 1 == PREPARE_TRIES:
                raise
            time.sleep(PREPARE_PAUSE)


def position(number: int) -> int:
    """A number of a caller's cursor, brought into what a column can hold: beyond it nothing is stored."""
    return max(-LARGEST, min(number, LARGEST))


def rows(connection: sqlite3.Connection, statement: str, *values: Any) -> list[sqlite3.Row]:
    """All rows of a query."""
    return connection.execute(statement, values).fetchall()


def row(connection: sqlite3.Connection, statement: str, *values: Any) -> sqlite3.Row | None:
    """The first row of a query."""
    found: sqlite3.Row | None = connection.execute(statement, values).fetchone()
    return found


def _unavailable(error: sqlite3.Error) -> StoreUnavailable:
    return StoreUnavailable(f"sqlite: {getattr(error, 'sqlite_errorname', type(error).__name__)}")
