"""Lots are spent in the order in which they end; time and days never go back."""

import pytest

from yunliao.domain.ledger.account import Account, Lot, rolled, taken, with_lot
from yunliao.domain.ledger.granting import Movement, move
from yunliao.domain.quota import DAY_MS, next_midnight

NOW = 1_700_000_000_000


def lot(name: str, left: int, ends: int = 0) -> Lot:
    return Lot(id=name, source="grant", left=left, expires_at=ends)


def test_what_ends_first_is_spent_first() -> None:
    account = Account()
    for one in (lot("ever", 5), lot("late", 5, NOW + 9), lot("soon", 5, NOW + 1)):
        account = with_lot(account, one)
    account, parts = taken(account, 7)
    assert [(part.id, part.left) for part in parts] == [("soon", 5), ("late", 2)]
    assert [(one.id, one.left) for one in account.lots] == [("late", 3), ("ever", 5)]
    with pytest.raises(ValueError):
        taken(account, 9)


def test_a_clock_that_is_behind_brings_nothing_back_and_gives_nothing_twice() -> None:
    ahead = rolled(Account(), NOW, {"free": 10}).account
    behind = rolled(ahead, NOW - DAY_MS, {"free": 10})
    assert behind.account == ahead and behind.drafts == ()
    gone = rolled(with_lot(ahead, lot("x", 3, NOW + 5)), NOW + 5).account
    assert [one.id for one in rolled(gone, NOW).account.lots] == [one.id for one in ahead.lots]


def test_the_allowance_ends_at_midnight_in_china_and_comes_again() -> None:
    midnight = next_midnight(NOW)
    today = rolled(Account(), NOW, {"free": 10}).account
    assert rolled(today, midnight - 1).account.available == 10
    change = rolled(today, midnight, {"free": 10})
    assert [(draft.kind, draft.amount) for draft in change.drafts] == [("expire", 10), ("allowance", 10)]
    assert rolled(today, midnight).account.available == 0


def test_an_unknown_plan_gives_what_the_default_gives() -> None:
    assert rolled(Account(plan="gone"), NOW, {"free": 10}).account.available == 10


@pytest.mark.parametrize("amount", [0, -5])
def test_a_movement_of_nothing_is_refused(amount: int) -> None:
    with pytest.raises(ValueError):
        move(Account(), Movement(kind="grant", reference="g", amount=amount, at=NOW))
