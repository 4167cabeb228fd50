"""Several instances on one store: what must happen once happens once (P2, P3)."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.records import LIMITS, draft
from tests.contract.store_worker import open_store
from tests.contract.worker_processes import answers
from yunliao.ports import Store

PROCESSES = 10


@pytest.fixture(params=["sqlite", "mongo", "mongo known"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/shared.db"
    return str(request.getfixturevalue("mongo_url")) + ("#known" if request.param == "mongo known" else "")


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    made = open_store(url)
    made.migrate()
    yield made
    made.close()


def test_the_same_client_id_sent_ten_times_at_once_is_accepted_once(url: str, store: Store) -> None:
    said = answers(url, "accept", "same-client-id", PROCESSES)
    assert Counter(status for status, _ in said) == {"accepted": 1, "existing": PROCESSES - 1}
    assert len({turn_id for _, turn_id in said}) == 1
    assert len(store.conversations.page("u1", before=None, limit=50)) == 1


def test_an_abandoned_turn_claimed_by_ten_at_once_goes_to_one(url: str, store: Store) -> None:
    turn = draft(lease_until=5_000)
    store.turns.accept(turn, LIMITS)
    assert Counter(answers(url, "claim", turn.turn.id, PROCESSES)) == {True: 1, False: PROCESSES - 1}
    found = store.turns.get(turn.turn.id)
    assert found is not None
    assert found.takeovers == 1


def test_a_ticket_shown_ten_times_at_once_opens_once(url: str, store: Store) -> None:
    store.tickets.put("hash", b"principal", expires_at=4_000_000_000_000)  # not for the server to remove
    assert Counter(answers(url, "take", "hash", PROCESSES)) == {True: 1, False: PROCESSES - 1}


def test_all_get_the_same_secret(url: str, store: Store) -> None:
    assert len(set(answers(url, "secret", "lookup", PROCESSES))) == 1


def test_the_rate_is_kept_exactly_over_all_processes(url: str, store: Store) -> None:
    counted = Counter(status for statuses in answers(url, "accept_many", "8", 4) for status in statuses)
    assert counted["accepted"] == 10
    assert sum(counted.values()) == 32
    assert set(counted) <= {"accepted", "rate_limited"}


def test_ten_instances_that_start_at_once_migrate_once(url: str) -> None:
    said = answers(url, "migrate", "", PROCESSES)
    applied = [name for names in said for name in names]
    assert applied
    assert len(applied) == len(set(applied))
    fresh = open_store(url)
    assert fresh.migrate() == []
    fresh.ping()
    fresh.close()
