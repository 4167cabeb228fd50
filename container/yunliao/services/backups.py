"""Backups of the records: made while the service runs, and put back whole or not at all (docs/backup.md).

A backup holds no half key: those stay in the key store, which no backup reaches, so that whoever was erased stays
erased (docs/privacy.md). Nothing is written before the whole file was read and found genuine.
"""

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from typing import BinaryIO

import msgspec

from yunliao.errors import Misconfigured
from yunliao.ports import Clock, Ids, Registers
from yunliao.ports_keys import WrappingVault
from yunliao.ports_people import KeyStore
from yunliao.ports_records import Copying
from yunliao.services.audit_trail import AuditTrail
from yunliao.services.backup_file import Header, Reader, Writer, refuse
from yunliao.services.key_book import NAME as KEY_BOOK
from yunliao.services.key_book import Book

KEY_BYTES = 32
Progress = Callable[[int, int], None]
"""Told how many records are done, and about how many there are."""


class Backups:
    """Writes a backup of the store in use."""

    def __init__(
        self,
        *,
        copying: Copying,
        registers: Registers,
        key_store: KeyStore,
        vault: WrappingVault,
        audit: AuditTrail,
        clock: Clock,
        ids: Ids,
        version: str,
    ) -> None:
        self._copying = copying
        self._registers = registers
        self._key_store = key_store
        self._vault = vault
        self._audit = audit
        self._clock = clock
        self._ids = ids
        self._version = version

    def write(self, target: BinaryIO, progress: Progress = lambda done, total: None) -> tuple[Header, dict[str, int]]:
        """A backup of this moment; how many records of each table. The audit log says so first, and the backup has that
        entry too. Raises `StoreUnavailable`: what was written until then is no backup."""
        made_at, backup_id = self._clock.now_ms(), self._ids.new("backup")
        self._audit.note("terminal", "backup.make", subject=backup_id)
        key = secrets.token_bytes(KEY_BYTES)
        book = self._registers.read(KEY_BOOK)
        needed = msgspec.json.decode(book.value, type=Book) if book.version else {}
        writer = self._vault.writer
        with self._copying.snapshot() as snapshot:
            tables = snapshot.tables()
            header = Header(
                id=backup_id,
                made_at=made_at,
                version=self._version,
                engine=self._copying.engine,
                migrations=self._copying.applied(),
                tables=tables,
                key_store=mark_of(self._key_store),
                master_keys={**needed, writer: self._vault.check_value(writer)},
                seal=self._vault.wrap(key, context=f"backup/{backup_id}"),
            )
            file = Writer(target, header, key)
            done, total = 0, sum(tables.values())
            for table in tables:
                for records in snapshot.read(table):
                    file.put(table, records)
                    done += len(records)
                    progress(done, max(done, total))
        return header, file.end()


class Restore:
    """Puts a backup back. Call `examine`, then `check`, then `load`."""

    def __init__(self, *, copying: Copying, key_store: KeyStore, vault: WrappingVault) -> None:
        self._copying = copying
        self._key_store = key_store
        self._vault = vault

    def examine(self, source: BinaryIO, progress: Progress = lambda done, total: None) -> Header:
        """Read all of it and write nothing. Raises `InvalidRequest` when it is cut off, altered, or can never be opened
        with the master keys that are here."""
        reader = Reader(source)
        for _ in self._pieces(reader, progress):
            pass
        return reader.header

    def check(self, header: Header, *, replace: bool) -> None:
        """Whether this store can take it. Raises `InvalidRequest`."""
        if header.engine != self._copying.engine:
            refuse("other_engine", engine=header.engine, here=self._copying.engine)
        for name in header.migrations:
            if name not in self._copying.known():
                refuse("newer_version", version=header.version, migration=name)
        if header.key_store != mark_of(self._key_store):
            refuse("other_key_store")
        found = {} if replace else self._copying.occupied()
        if found:
            refuse("not_empty", found=", ".join(f"{name} {count:,}" for name, count in found.items()))

    def load(self, source: BinaryIO, progress: Progress = lambda done, total: None) -> dict[str, int]:
        """Put all of it into the store, in place of what is there; how many records of each table. The proof is checked
        once more before it stands. Raises `StoreUnavailable`, `InvalidRequest`: call it again from the beginning."""
        reader = Reader(source)
        counts: Counter[str] = Counter()
        with self._copying.load(reader.header.migrations) as put:
            for table, records in self._pieces(reader, progress):
                put(table, records)
                counts[table] += len(records)
        return dict(counts)

    def _pieces(self, reader: Reader, progress: Progress) -> Iterator[tuple[str, list[bytes]]]:
        done, total = 0, sum(reader.header.tables.values())
        for table, records in reader.pieces(self._key(reader.header)):
            yield table, records
            done += len(records)
            progress(done, max(done, total))

    def _key(self, header: Header) -> bytes:
        for key_id, value in sorted(header.master_keys.items()):
            if key_id not in self._vault.ids or (value and value != self._vault.check_value(key_id)):
                refuse("other_master_keys", key=key_id)
        try:
            return self._vault.unwrap(header.seal, context=f"backup/{header.id}")
        except Misconfigured:  # the keys are the right ones, so it is the header
            refuse("altered")


def mark_of(key_store: KeyStore) -> str:
    """What tells a key store from others and tells nothing else of it."""
    return hashlib.sha256(b"yunliao/key-store/" + key_store.marked().encode()).hexdigest()[:32]
