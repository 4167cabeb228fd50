"""Every statement finds its rows by an index, and a group commit is one transaction."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.every_call import use_everything
from tests.contract.records import LIMITS, draft, rows
from yunliao.adapters.store.sqlite import SqliteStore
from yunliao.ports import TurnWrite

HARMLESS = ("SCAN CONSTANT ROW", "SCAN json_each", "SCAN secrets", "SCAN sqlite_master")
"""The values of an insert, a list that came as a parameter, and two tables of a few rows that are read whole."""


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


def test_no_statement_reads_through_a_table(store: SqliteStore, statements: list[str], tmp_path: Path) -> None:
    use_everything(store)
    asked = {one for one in statements if one.split()[0] in ("SELECT", "UPDATE", "DELETE", "INSERT")}
    asked = {one for one in asked if not one.startswith("SELECT count(*)")}  # an operator's census
    assert len(asked) > 40
    plain = sqlite3.connect(tmp_path / "store.db")
    try:
        for statement in sorted(asked):
            plan = [str(step[3]) for step in plain.execute(f"EXPLAIN QUERY PLAN {statement}")]
            assert not [step for step in plan if step.startswith("SCAN") and not step.startswith(HARMLESS)], statement
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
