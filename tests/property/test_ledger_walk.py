"""Whatever happens in whatever order, the books prove themselves; and a walk finds the mistakes it is there to find.

A failure prints its seed: `python3 dev.py ledger-walk --store … --seed … --only …` plays it again.
"""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from ledger.walk import Broken, Walk
from tests.contract import mongo_server
from tests.fakes import memory_store
from tests.fakes.memory_store import MemoryStore
from yunliao.adapters.store import posting
from yunliao.adapters.store.mongo import MongoStore
from yunliao.adapters.store.sqlite import SqliteStore
from yunliao.domain.ledger import settling
from yunliao.ports import Store


def play(store: Store, interleavings: int, steps: int = 14) -> None:
    seed = secrets.token_hex(4)
    print(f"seed {seed}")
    for number in range(interleavings):
        Walk(store, f"{seed}/{number}", steps=steps).play()


def test_in_memory() -> None:
    play(MemoryStore(), 1_000)


def test_on_sqlite(tmp_path: Path) -> None:
    store = SqliteStore(f"sqlite:///{tmp_path}/walk.db")
    store.migrate()
    try:
        play(store, 400)
    finally:
        store.close()


@pytest.fixture(scope="module")
def mongo() -> Iterator[Store]:
    with mongo_server.server() as address, mongo_server.fresh(address) as url:
        store = MongoStore(url, seconds=30)
        store.migrate()
        yield store
        store.close()


def test_on_mongodb(mongo: Store) -> None:
    play(mongo, 80)


def test_the_same_seed_is_the_same_walk() -> None:
    first, second = Walk(MemoryStore(), "again/7", steps=30), Walk(MemoryStore(), "again/7", steps=30)
    first.play()
    second.play()
    assert first.tale == second.tale and first.seen == second.seen


def twice(settle: Callable[..., Any]) -> Callable[..., Any]:
    """Settles, and leaves the hold where it was."""

    def wrong(account: Any, turn_id: str, **how: Any) -> Any:
        change = settle(account, turn_id, **how)
        return change and replace(change, account=replace(change.account, holds=account.holds))

    return wrong


def generous(settle: Callable[..., Any]) -> Callable[..., Any]:
    """Forgets to charge what was stopped."""
    return lambda account, turn_id, **how: settle(
        account, turn_id, **{**how, "reason": "failed" if how["reason"] == "stopped" else how["reason"]}
    )


def never(settle: Callable[..., Any]) -> Callable[..., Any]:
    """Leaves every reservation as it is."""
    return lambda account, turn_id, **how: None


def no_bound(settle: Callable[..., Any]) -> Callable[..., Any]:
    """Gives back one too many."""

    def wrong(account: Any, turn_id: str, **how: Any) -> Any:
        change = settle(account, turn_id, **how)
        lots = change.account.lots if change else ()
        if not lots:
            return change
        more = (replace(lots[0], left=lots[0].left + 1), *lots[1:])
        return replace(change, account=replace(change.account, lots=more))

    return wrong


@pytest.mark.parametrize("mistake", [twice, generous, never, no_bound])
def test_a_mistake_in_the_settling_is_found(monkeypatch: pytest.MonkeyPatch, mistake: Callable[..., Any]) -> None:
    monkeypatch.setattr(posting, "settle", mistake(settling.settle))
    with pytest.raises((Broken, AssertionError), match=r"seed|\("):
        play(MemoryStore(), 400)


def test_an_ending_written_by_one_who_lost_the_turn_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    settle_in = posting.settle_in
    commit = memory_store.MemoryTurns.commit

    def unguarded(self: Any, writes: Any, **who: Any) -> Any:
        for write in writes:
            turn = self._tables.turns.get(write.turn_id)
            if turn is not None and write.ending is not None and turn.owner != who["owner"] and turn.live:
                settle_in(memory_store.MemoryBooks(self._tables), turn, write.ending)
        return commit(self, writes, **who)

    monkeypatch.setattr(memory_store.MemoryTurns, "commit", unguarded)
    with pytest.raises(Broken):
        play(MemoryStore(), 600)


def test_a_grant_done_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_store.MemoryBooks, "entry", lambda *_: None)
    with pytest.raises(AssertionError):
        play(MemoryStore(), 400)
