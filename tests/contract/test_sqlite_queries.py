"""Every statement finds its rows by an index, and a group commit is one transaction."""

import inspect
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.records import LIMITS, draft, ending, last, rows, user
from yunliao import ports
from yunliao.adapters.store.sqlite import SqliteStore
from yunliao.ports import TurnWrite

ROOMS = {
    "turns": ports.Turns,
    "users": ports.Users,
    "conversations": ports.Conversations,
    "tickets": ports.Tickets,
    "secrets": ports.Secrets,
}


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What SQLite was asked, with its values, since the test began."""
    traced: list[str] = []
    connect = sqlite3.connect

    def listening(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **kwargs)
        connection.set_trace_callback(traced.append)
        return connection

    monkeypatch.setattr(sqlite3, "connect", listening)
    return traced


@pytest.fixture
def store(statements: list[str], tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(f"sqlite:///{tmp_path}/store.db")
    made.migrate()
    statements.clear()
    yield made
    made.close()


class Called:
    """A room that notes which of its methods were used."""

    def __init__(self, room: object, used: set[str]) -> None:
        self._room, self._used = room, used

    def __getattr__(self, name: str) -> Any:
        self._used.add(name)
        return getattr(self._room, name)


def use_everything(store: Any) -> None:
    """Each method of each port, on records that let it do its work."""
    store.users.create(user())
    store.users.get("u1")
    store.users.set_consent("u1", version="v", overseas=True, at=1)
    store.secrets.get_or_put("s", b"v")
    store.tickets.put("h", b"p", expires_at=100)
    store.tickets.take("h", now=1)
    turn = store.turns.accept(draft(), LIMITS).turn
    store.turns.get(turn.id)
    store.turns.by_client_id("u1", turn.client_id)
    store.turns.live_of("u1")
    store.turns.abandoned(now=99_000, limit=5)
    store.turns.claim(turn.id, owner="me", lease_until=99_000, now=50_000)
    store.turns.request_stop(turn.id)
    store.turns.commit([TurnWrite(turn_id=turn.id, rows=rows(2, 2))], owner="me", lease_until=9)
    store.turns.commit([last(turn, 4, ending("blocked"))], owner="me", lease_until=9)
    room, conversation = store.conversations, turn.conversation_id
    edit = draft(
        at=3_000,
        conversation=conversation,
        hide_from=turn.user_message_id,
        hide_ids=(turn.answer_message_id,),
    )
    assert store.turns.accept(edit, LIMITS).status == "accepted"
    store.turns.events(turn.id, after=0, limit=5)
    room.create(ports.Conversation(id="c", user_id="u1", created_at=1, last_activity_at=1))
    room.get("u1", conversation)
    room.page("u1", before=(9_000, "x"), limit=5)
    room.set_title("u1", conversation, b"t", titled="user")
    room.set_snippet("u1", conversation, b"s")
    room.messages("u1", conversation, before=(9_000, "x"), limit=5)
    room.message("u1", turn.answer_message_id)
    room.set_feedback("u1", turn.answer_message_id, b"f")
    room.delete("u1", "c", at=10)
    room.restore("u1", "c", deleted_after=1)
    room.delete("u1", "c", at=10)
    assert room.purge(deleted_before=11, limit=5) == 1
    assert store.turns.expire_events(ended_before=99_000, limit=5) == 1
    assert store.users.erase("u1")["messages"] == 3


def test_no_statement_reads_through_a_table(store: SqliteStore, statements: list[str], tmp_path: Path) -> None:
    used: dict[str, set[str]] = {name: set() for name in ROOMS}
    use_everything(type("Rooms", (), {name: Called(getattr(store, name), used[name]) for name in ROOMS}))
    for name, port in ROOMS.items():
        methods = {method for method, _ in inspect.getmembers(port, inspect.isfunction) if not method.startswith("_")}
        assert used[name] == methods
    asked = {one for one in statements if one.split()[0] in ("SELECT", "UPDATE", "DELETE", "INSERT")}
    assert len(asked) > 40
    plain = sqlite3.connect(tmp_path / "store.db")
    try:
        for statement in sorted(asked):
            plan = [str(step[3]) for step in plain.execute(f"EXPLAIN QUERY PLAN {statement}")]
            assert not [step for step in plan if step.startswith("SCAN") and step != "SCAN CONSTANT ROW"], statement
            assert not [step for step in plan if "TEMP B-TREE" in step], statement
    finally:
        plain.close()


def test_a_group_commit_of_fifty_turns_is_one_transaction(store: SqliteStore, statements: list[str]) -> None:
    turns = [store.turns.accept(draft(f"u{number}"), LIMITS).turn for number in range(50)]
    writes = [TurnWrite(turn_id=turn.id, rows=rows(2, 3)) for turn in turns if turn is not None]
    statements.clear()
    assert not store.turns.commit(writes, owner="me", lease_until=9_000).lost
    kinds = [statement.split()[0] for statement in statements]
    assert [kind for kind in kinds if kind in ("BEGIN", "COMMIT", "ROLLBACK")] == ["BEGIN", "COMMIT"]
    assert kinds.count("INSERT") == 150
    assert len(kinds) <= 2 + 150 + 2 * 50


def test_a_look_for_new_events_is_one_statement(store: SqliteStore, statements: list[str]) -> None:
    store.turns.events("turn", after=3, limit=100)
    assert len(statements) == 1
