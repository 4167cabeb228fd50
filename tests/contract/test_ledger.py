"""The ledger's promises to a user, kept by every store: nothing overspent, nothing charged twice, nothing lost."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.contract.conftest import SENT_TO, opened
from tests.contract.records import LIMITS, charge, draft, ending, last, spent, user
from yunliao.domain.ledger.account import day_of, rolled
from yunliao.domain.ledger.audit import findings
from yunliao.domain.ledger.codes import GUESSES, GUESSING_MS, Code
from yunliao.domain.ledger.endings import Metered
from yunliao.domain.ledger.granting import Movement
from yunliao.domain.quota import DAY_MS
from yunliao.domain.turn import Turn
from yunliao.ports import AcceptOutcome, Store


@pytest.fixture(params=SENT_TO)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    yield from opened(request, tmp_path)


HASH = "a1" * 32


def granted(store: Store, amount: int, name: str = "u1", **more: Any) -> None:
    store.users.create(user(name))
    movement = Movement(kind="grant", reference=more.pop("reference", "g1"), amount=amount, at=1, **more)
    assert store.ledger.move(name, movement).status == "posted"


def send(store: Store, amount: int, name: str = "u1", at: int = 1_000, **more: Any) -> AcceptOutcome:
    terms = {key: more.pop(key) for key in ("allowances", "day_limit") if key in more}
    return store.turns.accept(draft(name, at=at, charge=charge(amount, **terms), **more), LIMITS)


def sent(store: Store, amount: int, **more: Any) -> Turn:
    turn = send(store, amount, **more).turn
    assert turn is not None
    return turn


def end(store: Store, turn: Turn, metered: Metered | None = None, at: int = 2_000, reason: Any = "complete") -> None:
    write = last(turn, 2, ending(reason, at=at, metered=metered))
    assert not store.turns.commit([write], owner=turn.owner, lease_until=9_000).lost


def has(store: Store, name: str = "u1") -> tuple[int, int]:
    """Available and held; the books prove themselves."""
    assert findings(store.ledger.books(name)) == []
    account = store.ledger.account(name)
    return (account.available, account.held) if account else (0, 0)


def test_what_was_set_aside_is_settled_and_the_rest_comes_back(store: Store) -> None:
    granted(store, 1_000)
    turn = sent(store, 400)
    assert has(store) == (600, 400)
    end(store, turn, spent(150))
    assert has(store) == (850, 0)
    kinds = [(entry.kind, entry.amount) for entry in store.ledger.about("u1", turn.id)]
    assert kinds == [("reserve", 400), ("settle", 150), ("release", 250)]


def test_nobody_pays_more_than_was_set_aside(store: Store) -> None:
    granted(store, 1_000)
    end(store, sent(store, 400), spent(5_000))
    assert has(store) == (600, 0)


def test_what_is_missing_is_told_and_nothing_is_written(store: Store) -> None:
    granted(store, 100)
    outcome = send(store, 400, allowances={"free": 50}, at=5_000)
    assert outcome.status == "shortfall" and outcome.turn is None and outcome.shortfall is not None
    assert (outcome.shortfall.needed, outcome.shortfall.available) == (400, 150)
    assert outcome.shortfall.renews_at > 5_000
    assert store.turns.live_of("u1") is None
    assert store.conversations.page("u1", before=None, limit=5) == []
    assert len(store.ledger.entries("u1", before=None, limit=9)) == 1
    assert has(store) == (100, 0)


def test_other_refusals_come_before_and_set_nothing_aside(store: Store) -> None:
    granted(store, 1_000)
    first = sent(store, 400)
    again = store.turns.accept(draft(client_id=first.client_id, charge=charge(400)), LIMITS)
    assert again.status == "existing"
    assert send(store, 400).status == "turn_in_progress"
    assert has(store) == (600, 400)


def test_the_days_allowance_comes_once_and_ends_with_the_day(store: Store) -> None:
    store.users.create(user())
    terms = {"free": 300}
    end(store, sent(store, 200, allowances=terms), spent(50))
    assert has(store) == (250, 0)
    end(store, sent(store, 200, allowances=terms, at=3_000), spent(50), at=4_000)
    assert has(store) == (200, 0)
    end(store, sent(store, 200, allowances=terms, at=DAY_MS + 5_000), spent(200), at=DAY_MS + 6_000)
    assert has(store) == (100, 0)
    account = store.ledger.account("u1")
    assert account is not None and rolled(account, 9 * DAY_MS).account.available == 0


def test_the_limit_of_a_day_counts_what_was_spent(store: Store) -> None:
    granted(store, 10_000)
    end(store, sent(store, 400, day_limit=500), spent(200))
    outcome = send(store, 400, day_limit=500, at=3_000)
    assert outcome.shortfall is not None
    assert (outcome.shortfall.why, outcome.shortfall.available) == ("daily_limit", 300)
    assert send(store, 300, day_limit=500, at=3_000).status == "accepted"


def test_what_ends_first_is_spent_first_and_what_ended_while_held_is_gone(store: Store) -> None:
    granted(store, 100, expires_at=5_000, reference="short")
    granted(store, 100, expires_at=0, reference="long")
    turn = sent(store, 150)
    end(store, turn, spent(30), at=6_000)
    assert has(store) == (100, 0)
    assert [entry.amount for entry in store.ledger.about("u1", turn.id) if entry.kind == "expire"] == [70]


def test_a_repeated_movement_changes_nothing(store: Store) -> None:
    granted(store, 100)
    again = store.ledger.move("u1", Movement(kind="grant", reference="g1", amount=999, at=5))
    assert again.status == "existing" and again.entry is not None and again.entry.amount == 100
    assert store.ledger.move("u1", Movement(kind="withdraw", reference="w", amount=101, at=5)).status == "too_much"
    assert store.ledger.move("u1", Movement(kind="withdraw", reference="w", amount=60, at=5)).status == "posted"
    assert store.ledger.move("nobody", Movement(kind="grant", reference="g", amount=1, at=5)).status == "no_user"
    assert has(store) == (40, 0)


def test_a_refund_gives_back_what_was_paid_once(store: Store) -> None:
    granted(store, 1_000)
    turn = sent(store, 400)
    refund = Movement(kind="refund", reference=turn.id, amount=10_000, at=5_000)
    assert store.ledger.move("u1", refund).status == "too_much"
    end(store, turn, spent(150))
    assert store.ledger.move("u1", refund).status == "posted"
    assert store.ledger.move("u1", refund).status == "existing"
    assert has(store) == (1_000, 0)


def test_a_code_is_worth_its_amount_once_a_user_and_only_so_often(store: Store) -> None:
    store.ledger.put_codes([Code(hash=HASH, amount=70, uses=2, expires_at=9_000)])
    for name in ("u1", "u2", "u3"):
        store.users.create(user(name))
    assert store.ledger.redeem("u1", HASH, at=1).status == "posted"
    assert store.ledger.redeem("u1", HASH, at=2).status == "existing"
    assert store.ledger.redeem("u2", HASH, at=3).status == "posted"
    assert store.ledger.redeem("u3", HASH, at=4).status == "wrong_code"
    assert [has(store, name) for name in ("u1", "u2", "u3")] == [(70, 0), (70, 0), (0, 0)]


def test_guessing_codes_must_wait(store: Store) -> None:
    store.users.create(user())
    store.ledger.put_codes([Code(hash=HASH, amount=70), Code(hash="b" * 64, amount=5, expires_at=50)])
    assert store.ledger.redeem("u1", "b" * 64, at=50).status == "wrong_code"
    for number in range(1, GUESSES):
        assert store.ledger.redeem("u1", f"{number}" * 64, at=60).status == "wrong_code"
    waiting = store.ledger.redeem("u1", HASH, at=1_000)
    assert (waiting.status, waiting.wait_ms) == ("too_many_guesses", 50 + GUESSING_MS - 1_000)
    assert store.ledger.redeem("u1", HASH, at=50 + GUESSING_MS).status == "posted"


def test_a_takeover_settles_once_and_the_dead_owner_settles_nothing(store: Store) -> None:
    granted(store, 1_000)
    turn = sent(store, 400, lease_until=1_500)
    assert store.turns.claim(turn.id, owner="heir", lease_until=9_000, now=2_000) is not None
    late = last(turn, 2, ending(metered=spent(100)))
    assert store.turns.commit([late], owner="me", lease_until=9_000).lost == {turn.id}
    assert has(store) == (600, 400)
    store.turns.commit([last(turn, 2, ending(metered=spent(150)))], owner="heir", lease_until=9_000)
    assert store.turns.commit([late], owner="heir", lease_until=9_000).lost == {turn.id}
    assert has(store) == (850, 0)


@pytest.mark.parametrize("known", [True, False], ids=["known", "looked up"])
def test_of_endings_that_come_together_each_counts_once_and_a_lost_one_not_at_all(store: Store, known: bool) -> None:
    for name in ("u1", "u2", "u3"):
        granted(store, 1_000, name)
    kept, stolen, erased = (sent(store, 400, name=name, lease_until=10) for name in ("u1", "u2", "u3"))
    assert store.turns.claim(stolen.id, owner="heir", lease_until=900, now=20) is not None
    store.users.erase("u3")
    writes = [last(turn, 2, ending(metered=spent(150))) for turn in (stolen, kept, erased)]
    writes = [replace(write, turn=write.turn if known else None) for write in writes]
    assert store.turns.commit(writes, owner="me", lease_until=9_000).lost == {stolen.id, erased.id}
    assert (has(store, "u1"), has(store, "u2"), has(store, "u3")) == ((850, 0), (600, 400), (0, 0))
    # The very same ending once more, as after a restart of the caller: another write, which finds the turn ended.
    again = [replace(write) for write in writes]
    assert store.turns.commit(again, owner="me", lease_until=9_000).lost == {kept.id, stolen.id, erased.id}
    assert (has(store, "u1"), has(store, "u2"), has(store, "u3")) == ((850, 0), (600, 400), (0, 0))
    assert store.conversations.message("u3", erased.answer_message_id) is None
    assert store.conversations.message("u2", stolen.answer_message_id) is None
    answer = store.conversations.message("u1", kept.answer_message_id)
    assert answer is not None and answer.state == "normal"


def test_a_turn_purged_with_its_conversation_gives_back(store: Store) -> None:
    granted(store, 1_000)
    turn = sent(store, 400)
    store.conversations.delete("u1", turn.conversation_id, at=5)
    store.conversations.purge(deleted_before=6, limit=5)
    assert has(store) == (1_000, 0)
    assert send(store, 400).status == "accepted"


def test_erasing_a_user_takes_the_credits_and_leaves_the_others(store: Store) -> None:
    granted(store, 100)
    granted(store, 200, "u2")
    sent(store, 50)
    counts = store.users.erase("u1")
    assert (counts["accounts"], counts["entries"]) == (1, 2)
    assert store.ledger.books("u1").account is None and store.ledger.users(after="", limit=9) == ["u2"]
    assert store.ledger.books("u1").turns == ()
    assert has(store, "u2") == (200, 0)


def test_erasing_the_account_brings_no_second_allowance_on_the_same_day(store: Store) -> None:
    store.users.create(user())
    terms = {"free": 300}
    end(store, sent(store, 200, allowances=terms), spent(200))
    store.users.erase("u1")
    store.users.create(user())
    account = store.ledger.account("u1")
    assert account is not None and rolled(account, 5_000, terms).account.available == 0
    assert send(store, 200, allowances=terms, at=5_000).status == "shortfall"
    granted(store, 50)
    assert send(store, 200, allowances=terms, at=6_000).status == "shortfall"
    assert send(store, 200, allowances=terms, at=DAY_MS + 6_000).status == "accepted"
    assert has(store) == (150, 200)


def test_pages_of_entries_go_through_everything_once(store: Store) -> None:
    store.users.create(user())
    for number in range(7):
        granted(store, 10 + number, reference=f"g{number}")
    found, before = [], None
    while page := store.ledger.entries("u1", before=before, limit=3):
        found += [entry.amount for entry in page]
        before = page[-1].number
    assert found == [16, 15, 14, 13, 12, 11, 10]
    assert store.ledger.entries("u1", before=None, limit=9, kinds=["settle"]) == []
    assert store.ledger.entries("u1", before=2**70, limit=1) != []


def test_a_plan_counts_from_the_next_day(store: Store) -> None:
    store.users.create(user())
    terms = {"free": 100, "gold": 900}
    end(store, sent(store, 100, allowances=terms), spent(0))
    assert store.ledger.set_plan("u1", "gold")
    assert not store.ledger.set_plan("nobody", "gold")
    assert send(store, 500, allowances=terms, at=3_000).status == "shortfall"
    assert send(store, 500, allowances=terms, at=DAY_MS + 3_000).status == "accepted"


@pytest.mark.parametrize("kind", ["grant", "withdraw", "redeem"])
def test_many_at_once_count_once_each(store: Store, kind: str) -> None:
    granted(store, 1_000)
    store.ledger.put_codes([Code(hash=HASH, amount=70)])
    statuses: list[str] = []

    def go(number: int) -> None:
        if kind == "redeem":
            statuses.append(store.ledger.redeem("u1", HASH, at=5).status)
        elif kind == "withdraw":
            movement = Movement(kind="withdraw", reference=f"w{number}", amount=300, at=5)
            statuses.append(store.ledger.move("u1", movement).status)
        else:
            statuses.append(store.ledger.move("u1", Movement(kind="grant", reference="new", amount=1, at=5)).status)

    together([lambda number=number: go(number) for number in range(8)])
    expected = {"grant": ("posted", 1, 1_001), "withdraw": ("posted", 3, 100), "redeem": ("posted", 1, 1_070)}[kind]
    assert statuses.count(expected[0]) == expected[1]
    assert has(store) == (expected[2], 0)


def test_sends_grants_and_endings_at_once_lose_nothing(store: Store) -> None:
    granted(store, 1_000)
    turn = sent(store, 400)
    together(
        [lambda: end(store, turn, spent(100))]
        + [
            lambda number=number: store.ledger.move(
                "u1", Movement(kind="grant", reference=f"n{number}", amount=10, at=5)
            )
            for number in range(6)
        ]
        + [lambda: send(store, 400, at=3_000) for _ in range(3)]
    )
    available, held = has(store)
    assert available + held == 1_000 - 100 + 60 and held in (0, 400)


def together(tasks: list[Callable[[], object]]) -> None:
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def test_days_begin_at_midnight_in_china() -> None:
    assert day_of(16 * 3_600_000 - 1) + 1 == day_of(16 * 3_600_000) == 1
