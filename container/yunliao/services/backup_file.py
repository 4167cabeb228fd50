"""The file of a backup: what was, sealed records of one moment, and a proof that nothing of it is missing or changed.

`MAGIC`, then pieces: four bytes of length (big-endian) and so many bytes. The first piece is the `Header` as JSON, all
further ones are msgpack `[table, [record, ...]]`, and the last one has no table and tells how many records there really
were of each. Then come 32 bytes: HMAC-SHA256 of everything before, under a key that is in the header, wrapped by a
master key. So whoever has not the master keys can neither read nor make nor change a backup, and one that cannot be
opened is known from its first piece. Written and read as a stream; a piece is some hundred records.
"""

import hashlib
import hmac
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NoReturn

import msgspec

from yunliao.errors import InvalidRequest

MAGIC = b"YUNLIAO BACKUP 1\n"
MAC_BYTES = 32
PIECE = 1 << 22
"""Bytes after which a piece is ended."""
LARGEST_PIECE = 1 << 25
"""Bytes; a piece and the largest record that a store takes (16 MiB)."""

REFUSALS = {
    "not_a_backup": "this is no backup of Yunliao (or one of a later form): name the file that `backup` wrote",
    "cut_off": "the file ends before the backup does: copy it again, and compare the sizes",
    "altered": "the file is not as it was written: take another copy of it, or an older backup",
    "other_master_keys": "YUNLIAO_MASTER_KEYS lacks, or has otherwise, the key {key!r} that opens this backup: add it"
    " behind the first one, as it was when the backup was made",
    "other_engine": "this backup is of {engine}, YUNLIAO_STORE_URL of {here}: restore it into a store of its own kind",
    "newer_version": "this backup was made by a later version ({version}; {migration} is not known here): restore it"
    " with that version or a later one",
    "other_key_store": "the key store is not the one this backup was written with, so nobody's words could be read: set"
    " YUNLIAO_KEYS_URL as it was, or bring the key store back first (docs/backup.md)",
    "not_empty": "the store is not empty ({found}): nothing was written. Name an empty store in YUNLIAO_STORE_URL, or"
    " say --replace to remove what is there",
}
"""What a backup is refused for, with what to do next; docs/backup.md has the table."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup says of itself, nothing of which is a secret. `made_at` in Unix milliseconds; `tables` has about
    how many records each holds; `key_store` is the hash of the key store's mark; `master_keys` are the keys that the
    records are wrapped by, with their check values; `seal` is the wrapped key of the proof."""

    id: str
    made_at: int
    version: str
    engine: str
    migrations: tuple[str, ...]
    tables: dict[str, int]
    key_store: str
    master_keys: dict[str, str]
    seal: bytes


def refuse(code: str, **values: str) -> NoReturn:
    """Raises `InvalidRequest` with the code and what to do."""
    raise InvalidRequest(f"[{code}] {REFUSALS[code].format(**values)}") from None


class Writer:
    """Writes the file from its beginning to its end."""

    def __init__(self, target: BinaryIO, header: Header, key: bytes) -> None:
        self._target = target
        self._mac = hmac.new(key, digestmod=hashlib.sha256)
        self._counts: Counter[str] = Counter()
        self._write(MAGIC)
        self._piece(msgspec.json.encode(header))

    def put(self, table: str, records: Sequence[bytes]) -> None:
        """Records of a table; any number of times."""
        self._counts[table] += len(records)
        piece: list[bytes] = []
        size = 0
        for record in records:
            piece.append(record)
            size += len(record)
            if size > PIECE:
                self._piece(msgspec.msgpack.encode((table, piece)))
                piece, size = [], 0
        if piece:
            self._piece(msgspec.msgpack.encode((table, piece)))

    def end(self) -> dict[str, int]:
        """The last piece and the proof; how many records of each table."""
        counts = dict(self._counts)
        self._piece(msgspec.msgpack.encode(("", [msgspec.json.encode(counts, order="sorted")])))
        self._target.write(self._mac.digest())
        return counts

    def _piece(self, content: bytes) -> None:
        self._write(struct.pack(">I", len(content)))
        self._write(content)

    def _write(self, content: bytes) -> None:
        self._mac.update(content)
        self._target.write(content)


class Reader:
    """Reads the header; `pieces` reads the rest, and at its end raises `InvalidRequest` unless all of it is genuine."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._seen: list[bytes] = []
        self._mac: hmac.HMAC | None = None
        if self._read(len(MAGIC), short="not_a_backup") != MAGIC:
            refuse("not_a_backup")
        try:
            self.header = msgspec.json.decode(self._next(), type=Header)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            refuse("altered")

    def pieces(self, key: bytes) -> Iterator[tuple[str, list[bytes]]]:
        """(table, records). The proof is checked at the end: what was given out before is not to be trusted yet."""
        self._mac = hmac.new(key, b"".join(self._seen), hashlib.sha256)
        counts: Counter[str] = Counter()
        while True:
            try:
                table, records = msgspec.msgpack.decode(self._next(), type=tuple[str, list[bytes]])
            except (msgspec.MsgspecError, UnicodeDecodeError):
                refuse("altered")
            if not table:
                break
            counts[table] += len(records)
            yield table, records
        proof = self._mac.digest()
        if not hmac.compare_digest(proof, self._read(MAC_BYTES)) or self._source.read(1):
            refuse("altered")
        if records != [msgspec.json.encode(dict(counts), order="sorted")]:
            refuse("altered")

    def _next(self) -> bytes:
        (length,) = struct.unpack(">I", self._read(4))
        if length > LARGEST_PIECE:
            refuse("altered")
        return self._read(length)

    def _read(self, length: int, *, short: str = "cut_off") -> bytes:
        content = self._source.read(length)
        if len(content) < length:
            refuse(short)
        if self._mac is None:
            self._seen.append(content)
        else:
            self._mac.update(content)
        return content
