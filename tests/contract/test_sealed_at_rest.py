"""The bytes of the database: no words and names of people, and nothing of what was removed for good (P9, P10)."""

import os
import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.contract.records import LIMITS, draft, ending, last, rows
from yunliao.adapters.store.sqlite import SqliteStore
from yunliao.adapters.vault import MasterKeyVault
from yunliao.domain.turn import Turn
from yunliao.ports import EventRow, Store, TurnWrite, User

OPENID = "oCANARY-openid-28-characters"
WORDS = {
    name: f"金丝雀-canary-{name}-1f9c" * 40 for name in ("question", "answer", "event", "title", "snippet", "note")
}
MASTER, LOOKUP_KEY, DATA_KEY = (os.urandom(32) for _ in range(3))


class Records:
    """One user's whole history, sealed as the services do it; `blobs` are the sealed parts that were stored."""

    def __init__(self, store: Store, name: str) -> None:
        self.vault = MasterKeyVault([("k1", MASTER)])
        self.user_id = self.vault.lookup(LOOKUP_KEY, OPENID + name)
        self.blobs: list[bytes] = []
        self.wrapped = self.vault.wrap(DATA_KEY, context=self.user_id)
        self.blobs.append(self.wrapped)
        openid = self._seal("openid", (OPENID + name).encode())
        store.users.create(User(id=self.user_id, wrapped_key=self.wrapped, sealed_openid=openid, created_at=1))
        self.turn = self._turn(store)

    def _turn(self, store: Store) -> Turn:
        sent = draft(self.user_id)
        assert sent.message is not None
        sent = replace(sent, message=replace(sent.message, sealed_body=self._seal("question")))
        turn = sent.turn
        assert store.turns.accept(sent, LIMITS).status == "accepted"
        body = EventRow(seq=2, body=self._seal("event"), created_at=1)
        store.turns.commit([TurnWrite(turn_id=turn.id, rows=(body,))], owner="me", lease_until=9_000)
        how = replace(ending(), answer=self._seal("answer"), snippet=self._seal("snippet"))
        store.turns.commit([TurnWrite(turn_id=turn.id, rows=rows(3, 1), ending=how)], owner="me", lease_until=9_000)
        store.conversations.set_title(self.user_id, turn.conversation_id, self._seal("title"))
        store.conversations.set_feedback(self.user_id, turn.answer_message_id, self._seal("note"))
        return turn

    def _seal(self, field: str, text: bytes = b"") -> bytes:
        blob = self.vault.seal(DATA_KEY, text or WORDS[field].encode(), context=f"{self.user_id}/{field}")
        self.blobs.append(blob)
        return blob


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    made = SqliteStore(f"sqlite:///{tmp_path}/store.db")
    made.migrate()
    return made


def on_disk(folder: Path) -> bytes:
    """All bytes of the database, its log and its index."""
    return b"".join(found.read_bytes() for found in sorted(folder.iterdir()))


def stored(blob: bytes, disk: bytes) -> bool:
    """Whether any part of the blob is there; longer ones are cut over pages."""
    return any(blob[start : start + 24] in disk for start in range(0, len(blob) - 23, 24))


def test_the_file_and_its_log_hold_no_canary(store: SqliteStore, tmp_path: Path) -> None:
    records = Records(store, "")
    disk = on_disk(tmp_path)
    assert all(stored(blob, disk) for blob in records.blobs)  # so that the search below finds what is there
    for word in (OPENID, "canary", "金丝雀", "1f9c"):
        assert word.encode() not in disk
    for key in (MASTER, LOOKUP_KEY, DATA_KEY):
        assert key not in disk
        assert key.hex().encode() not in disk
    store.close()


def test_nothing_of_an_erased_user_is_left_in_any_file(store: SqliteStore, tmp_path: Path) -> None:
    gone, stays = Records(store, "gone"), Records(store, "stays")
    store.users.erase(gone.user_id)
    disk = on_disk(tmp_path)
    for trace in (*gone.blobs, gone.user_id.encode(), gone.turn.id.encode(), gone.turn.conversation_id.encode()):
        assert not stored(trace.ljust(24, b"\0") if len(trace) < 24 else trace, disk)
        assert trace not in disk
    assert all(stored(blob, disk) for blob in stays.blobs)
    store.close()


def test_nothing_of_a_purged_conversation_is_left_in_any_file(store: SqliteStore, tmp_path: Path) -> None:
    records = Records(store, "")
    store.conversations.delete(records.user_id, records.turn.conversation_id, at=10)
    assert store.conversations.purge(deleted_before=11, limit=5) == 1
    disk = on_disk(tmp_path)
    assert stored(records.wrapped, disk)
    for blob in records.blobs[2:]:  # all but the user's key and openid
        assert not stored(blob, disk)
    store.close()


def test_a_reader_in_another_process_does_not_make_erasing_fail(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yunliao.adapters.store.sqlite.database.BUSY_SECONDS", 0.05)
    store.close()
    records = Records(store, "")
    reader = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM users").fetchone()
    assert store.users.erase(records.user_id)["users"] == 1
    reader.close()
    store.users.erase(records.user_id)
    assert not any(stored(blob, on_disk(tmp_path)) for blob in records.blobs)
    store.close()


def test_a_turn_whose_conversation_goes_keeps_no_late_answer(store: SqliteStore, tmp_path: Path) -> None:
    sent = draft("u1")
    store.turns.accept(sent, LIMITS)
    store.users.erase("u1")
    late = MasterKeyVault([("k1", MASTER)]).seal(DATA_KEY, b"late", context="late")
    write = last(sent.turn, 2, replace(ending(), answer=late))
    assert store.turns.commit([write], owner="me", lease_until=9_000).lost == {sent.turn.id}
    assert not stored(late, on_disk(tmp_path))
    store.close()
