"""The audit sees every way in which books can lie."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tests.contract.records import charge
from yunliao.domain.ledger.account import Account, Hold, Lot
from yunliao.domain.ledger.audit import Books, findings
from yunliao.domain.ledger.entries import Entry
from yunliao.domain.ledger.granting import Movement, move
from yunliao.domain.ledger.reserving import Shortfall, reserve
from yunliao.domain.ledger.settling import Closing, settle
from yunliao.domain.turn import Turn


def turn(name: str, **fields: Any) -> Turn:
    return Turn(
        id=name, user_id="u", conversation_id="c", client_id=name, fingerprint=b"", price_version="v1", reserved=40,
        **fields,
    )  # fmt: skip


def good() -> Books:
    """A grant, one turn that ended, one that is live."""
    account, entries = Account(), list[Entry]()
    for step in range(4):
        change: Any = None
        if step == 0:
            change = move(account, Movement(kind="grant", reference="g", amount=100, at=1))
        elif step in (1, 3):
            change = reserve(account, f"t{step}", charge(40), 2)
            assert not isinstance(change, Shortfall)
        else:
            change = settle(account, "t1", reason="complete", code="", metered=None, now=3)
        account, more = change.booked("u")
        entries += more
    turns = (turn("t1", state="ended"), turn("t3"))
    return Books(user_id="u", account=account, entries=tuple(entries), turns=turns)


def changed(books: Books, number: int, **fields: Any) -> Books:
    entries = [replace(one, **fields) if one.number == number else one for one in books.entries]
    return replace(books, entries=tuple(entries))


def account_of(books: Books, **fields: Any) -> Books:
    assert books.account is not None
    return replace(books, account=replace(books.account, **fields))


def test_good_books_prove_themselves() -> None:
    assert findings(good()) == []
    assert findings(Books(user_id="u", account=None)) == []


def told_otherwise(books: Books, **fields: Any) -> Books:
    closing = next(one for one in books.entries if one.detail)
    detail = msgspec.json.decode(closing.detail, type=Closing)
    return changed(books, closing.number, detail=msgspec.json.encode(replace(detail, **fields)))


LIES = {
    "available is": lambda books: account_of(books, lots=(Lot(id="grant/g", source="grant", left=61),)),
    "held is": lambda books: account_of(books, holds=()),
    "entries are not": lambda books: replace(books, entries=(*books.entries[:1], *books.entries[2:])),
    "two entries of kind": lambda books: changed(books, 4, kind="reserve", reference="t1"),
    "does not move as": lambda books: changed(books, 1, credit="spent"),
    "overspent by": lambda books: changed(books, 1, amount=30),
    "credits of a user": lambda books: replace(books, known=False),
    "entries without an account": lambda books: replace(books, account=None),
    "a lot with nothing": lambda books: account_of(books, lots=(Lot(id="x", source="grant", left=0),)),
    "two lots of one id": lambda books: account_of(books, lots=(Lot(id="x", source="grant", left=1),) * 2),
    "two holds of one turn": lambda books: account_of(books, holds=books.account.holds * 2),
    "neither settled nor released": lambda books: replace(books, entries=books.entries[:2], turns=books.turns[:1]),
    "settled and released": lambda books: changed(books, 3, amount=39),
    "a hold of an ended turn": lambda books: replace(books, turns=(books.turns[0], turn("t3", state="ended"))),
    "a live turn was settled": lambda books: replace(books, turns=(turn("t1"), books.turns[1])),
    "a live turn without": lambda books: replace(books, turns=(*books.turns, turn("t9"))),
    "an ended turn without": lambda books: replace(books, turns=(*books.turns, turn("t9", state="ended"))),
    "the turn says": lambda books: replace(books, turns=(replace(books.turns[0], reserved=39), books.turns[1])),
    "the receipt says": lambda books: told_otherwise(books, paid=7, cost=7),
    "the lines of the receipt": lambda books: told_otherwise(books, cost=5),
    "without its receipt": lambda books: changed(books, 3, detail=b""),
    "more was refunded": lambda books: changed(books, 4, kind="refund", reference="t1"),
}


@pytest.mark.parametrize("told", LIES)
def test_a_lie_is_found(told: str) -> None:
    assert any(told in one.what for one in findings(LIES[told](good()))), findings(LIES[told](good()))


def test_a_hold_whose_turn_is_gone_is_found() -> None:
    books = good()
    assert any("ended turn" in one.what for one in findings(replace(books, turns=books.turns[:1])))
    assert Hold(turn_id="t").amount == 0
