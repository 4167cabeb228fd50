"""Trouble with the file: a clear temporary error, nothing half written, and healing without a restart."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.records import LIMITS, draft, last, user
from tests.contract.worker_processes import go, workers
from yunliao.adapters.store.sqlite import SqliteStore, database
from yunliao.domain.ledger.granting import Movement
from yunliao.errors import StoreUnavailable
from yunliao.ports import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "made" / "store.db"


@pytest.fixture
def store(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteStore]:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    made = SqliteStore(f"sqlite:///{path}")
    made.migrate()
    yield made
    made.close()


def each_call(store: Store) -> list[Callable[[], object]]:
    sent = draft()
    return [
        lambda: store.turns.accept(sent, LIMITS),
        lambda: store.turns.get("t"),
        lambda: store.turns.commit([last(sent.turn, 2)], owner="me", lease_until=1),
        lambda: store.turns.events("t", after=0, limit=1),
        lambda: store.users.create(user()),
        lambda: store.users.erase("u1"),
        lambda: store.conversations.page("u1", before=None, limit=1),
        lambda: store.conversations.purge(deleted_before=1, limit=1),
        lambda: store.tickets.put("h", b"p", expires_at=1),
        lambda: store.secrets.get_or_put("s", b"v"),
        lambda: store.ledger.account("u1"),
        lambda: store.ledger.move("u1", Movement(kind="grant", reference="g", amount=1, at=1)),
        lambda: store.ledger.redeem("u1", "a" * 64, at=1),
        lambda: store.ledger.books("u1"),
        lambda: store.ledger.users(after="", limit=1),
        store.migrate,
        store.ping,
    ]


def refused(call: Callable[[], object]) -> str:
    """The detail of the error; what sqlite3 said is neither in it nor chained to it in a traceback."""
    with pytest.raises(StoreUnavailable) as caught:
        call()
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    return caught.value.detail


def test_a_relative_and_an_absolute_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for url in ("sqlite:///data/here.db", f"sqlite:///{tmp_path}/data/there 100%?#.db"):
        store = SqliteStore(url)
        store.migrate()
        store.close()
    assert {found.name for found in (tmp_path / "data").iterdir()} == {"here.db", "there 100%?#.db"}


def test_the_modes_that_are_promised(store: SqliteStore, path: Path) -> None:
    with store._database.read() as connection:
        modes = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
        assert [*modes, connection.execute("PRAGMA secure_delete").fetchone()[0]] == ["wal", 1, 1]


def test_another_process_holds_the_write_lock(store: SqliteStore, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        sent = draft()
        assert refused(lambda: store.turns.accept(sent, LIMITS)) == "sqlite: SQLITE_BUSY"
        assert store.turns.get(sent.turn.id) is None
        store.ping()
        other.execute("ROLLBACK")
        assert store.turns.accept(sent, LIMITS).status == "accepted"
    finally:
        other.close()


def test_a_full_disk_tears_nothing_and_heals(store: SqliteStore) -> None:
    with store._database.read() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 3}")
    kept, full = [], ""
    for number in range(10_000):
        sent = draft(f"u{number}")
        try:
            store.turns.accept(sent, LIMITS)
            kept.append(sent)
        except StoreUnavailable as error:
            full = error.detail
            break
    assert full == "sqlite: SQLITE_FULL"
    assert store.turns.get(sent.turn.id) is None
    assert store.conversations.page(sent.turn.user_id, before=None, limit=1) == []
    assert store.turns.events(sent.turn.id, after=0, limit=1) == []
    assert all(store.turns.get(one.turn.id) == one.turn for one in kept)
    store.ping()
    with store._database.read() as connection:
        connection.execute("PRAGMA max_page_count = 100000")
    assert store.turns.accept(sent, LIMITS).status == "accepted"


def test_a_file_that_the_system_lets_grow_no_more(store: SqliteStore, path: Path) -> None:
    pytest.importorskip("resource", reason="the limit of a process's files is a Unix thing")
    store.close()
    with workers(f"sqlite:///{path}", "fill", str(300_000), 1) as (process,):
        assert process.stdout is not None
        go(process)
        said = [json.loads(line) for line in process.stdout]
    names = [name for name, _ in said]
    assert names == ["refused", "kept", "torn", "healed"]
    assert said[0][1].startswith("sqlite: SQLITE_")
    assert [value for _, value in said[1:]] == [True, False, "accepted"]


def test_a_missing_file_is_told_and_never_made_anew(store: SqliteStore, path: Path) -> None:
    """An open file that was removed takes writes that nobody would ever see again."""
    sent = draft()
    store.turns.accept(sent, LIMITS)
    away = path.with_suffix(".away")
    store.close()  # so that the one file is whole
    path.rename(away)
    for call in each_call(store):
        assert refused(call) == "sqlite: SQLITE_CANTOPEN"
    assert not path.exists()
    away.rename(path)
    assert store.turns.get(sent.turn.id) == sent.turn


def test_a_file_removed_while_it_is_open(store: SqliteStore, path: Path) -> None:
    store.ping()
    for found in path.parent.iterdir():
        found.unlink()
    for call in each_call(store):
        assert refused(call) == "sqlite: SQLITE_CANTOPEN"
    assert list(path.parent.iterdir()) == []


def test_a_file_replaced_by_an_empty_one(store: SqliteStore, path: Path) -> None:
    store.ping()
    for found in path.parent.iterdir():
        found.unlink()
    path.touch()
    refused(store.ping)
    refused(lambda: store.turns.accept(draft(), LIMITS))


@pytest.mark.parametrize("content", [b"this is no database at all " * 99, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other.db").write_bytes(content)
    store = SqliteStore(f"sqlite:///{tmp_path}/other.db")
    for call in each_call(store):
        assert refused(call).startswith("sqlite: SQLITE_")
    store.close()
    assert (tmp_path / "other.db").read_bytes() == content


def test_a_path_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for path, detail in (("file/store.db", "folder"), ("folder", "CANTOPEN"), ("file/x/store.db", "folder")):
        store = SqliteStore(f"sqlite:///{tmp_path}/{path}")
        for call in each_call(store):
            assert detail in refused(call)
        store.close()


def test_a_store_that_was_never_migrated_is_not_ready(tmp_path: Path) -> None:
    store = SqliteStore(f"sqlite:///{tmp_path}/new.db")
    refused(store.ping)
    assert store.migrate() != []
    store.ping()
    store.close()


def test_a_closed_store_opens_again_when_used(store: SqliteStore) -> None:
    store.close()
    store.close()
    store.ping()


def test_a_file_that_another_process_is_just_making(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Going over to WAL is refused at once while another holds the file; it is tried again, and not for ever."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.0)
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    paused: list[float] = []

    def pause(seconds: float) -> None:
        paused.append(seconds)
        if len(paused) == 3 and other.in_transaction:
            other.execute("COMMIT")

    monkeypatch.setattr("yunliao.adapters.store.sqlite.database.time.sleep", pause)
    other.execute("BEGIN EXCLUSIVE")
    store = SqliteStore(f"sqlite:///{tmp_path}/store.db")
    assert store.migrate() != []
    assert paused == [database.PREPARE_PAUSE] * 3
    store.close()
    other.close()


def test_a_file_that_stays_held_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.0)
    paused: list[float] = []
    monkeypatch.setattr("yunliao.adapters.store.sqlite.database.time.sleep", paused.append)
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    store = SqliteStore(f"sqlite:///{tmp_path}/store.db")
    assert refused(store.migrate) == "sqlite: SQLITE_BUSY"
    assert len(paused) == database.PREPARE_TRIES - 1
    other.execute("ROLLBACK")
    assert store.migrate() != []
    store.close()
    other.close()
