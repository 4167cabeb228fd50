"""Whole copies of the store in dictionaries. A record is a pickled (key, value)."""

import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from yunliao.ports_records import PutRecords, Snapshot

if TYPE_CHECKING:
    from tests.fakes.memory_store import Tables

LEFT_OUT = {"tickets"}
BY_EVERY_START = {"tickets", "registers", "secrets", "tallies"}
BATCH = 3


class MemorySnapshot:
    def __init__(self, records: dict[str, list[bytes]]) -> None:
        self._records = records

    def tables(self) -> dict[str, int]:
        return {name: len(records) for name, records in self._records.items()}

    def read(self, name: str) -> Iterator[Sequence[bytes]]:
        found = self._records[name]
        for start in range(0, len(found), BATCH):
            yield found[start : start + BATCH]


class MemoryCopying:
    """Implements `ports_records.Copying`."""

    engine = "memory"

    def __init__(self, tables: "Tables") -> None:
        self._tables = tables

    def known(self) -> tuple[str, ...]:
        return ("0001_first",)

    def applied(self) -> tuple[str, ...]:
        return ("0001_first",)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        with self._tables.lock:
            copied = {
                name: [pickle.dumps(one) for one in table.items()]
                for name, table in self._all().items()
                if name not in LEFT_OUT
            }
        yield MemorySnapshot(copied)

    def occupied(self) -> dict[str, int]:
        return {name: len(table) for name, table in self._all().items() if table and name not in BY_EVERY_START}

    @contextmanager
    def load(self, migrations: Sequence[str]) -> Iterator[PutRecords]:
        taken: dict[str, dict[object, object]] = {name: {} for name in self._all()}

        def put(name: str, records: Sequence[bytes]) -> None:
            taken[name].update(pickle.loads(one) for one in records)

        yield put
        with self._tables.lock:
            for name, table in self._all().items():
                table.clear()
                table.update(taken[name])

    def _all(self) -> dict[str, dict[object, object]]:
        return {name: table for name, table in vars(self._tables).items() if isinstance(table, dict)}
