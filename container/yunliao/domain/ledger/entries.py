"""Entries: what moved, from which account to which, in numbers that are never changed again.

An entry takes `amount` from the account named in `debit` and puts it into the one named in `credit`: the sum over all
accounts is zero, always. `available` and `held` belong to the user, all others stand for where credits come from and
go. A user's entries are numbered 1, 2, 3, ... without gaps.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

Kind = Literal["reserve", "settle", "release", "allowance", "grant", "redeem", "refund", "withdraw", "expire"]
AccountName = Literal["available", "held", "spent", "allowance", "granted", "redeemed", "withdrawn", "expired"]

WAYS: dict[Kind, tuple[AccountName, AccountName]] = {
    "reserve": ("available", "held"),
    "settle": ("held", "spent"),
    "release": ("held", "available"),
    "allowance": ("allowance", "available"),
    "grant": ("granted", "available"),
    "redeem": ("redeemed", "available"),
    "refund": ("spent", "available"),
    "withdraw": ("available", "withdrawn"),
    "expire": ("available", "expired"),
}
"""Kind -> (debit, credit)."""
OWN = ("available", "held")
"""What belongs to the user."""
MOVES: frozenset[Kind] = frozenset(kind for kind, (debit, credit) in WAYS.items() if (debit in OWN) != (credit in OWN))
"""Kinds that change what the user owns; the others only set aside and give back."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An entry before it has its number."""

    kind: Kind
    reference: str
    amount: int
    price_version: str = ""
    note: str = ""
    detail: bytes = b""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry. `reference` names what it is about: a turn, or a grant, a code, a day. At most one entry of a kind for
    a reference exists, so that what is repeated changes nothing. `note` is shown to the user, `detail` is what a
    receipt is made from."""

    user_id: str
    number: int
    reference: str
    kind: Kind
    debit: AccountName
    credit: AccountName
    amount: int
    at: int
    price_version: str = ""
    note: str = ""
    detail: bytes = b""

    @property
    def change(self) -> int:
        """What it did to what the user owns."""
        return self.amount * ((self.credit in OWN) - (self.debit in OWN))


def book(user_id: str, last: int, drafts: Iterable[Draft], at: int) -> tuple[Entry, ...]:
    """The drafts as entries after number `last`."""
    return tuple(
        Entry(
            user_id=user_id,
            number=number,
            reference=draft.reference,
            kind=draft.kind,
            debit=WAYS[draft.kind][0],
            credit=WAYS[draft.kind][1],
            amount=draft.amount,
            at=at,
            price_version=draft.price_version,
            note=draft.note,
            detail=draft.detail,
        )
        for number, draft in enumerate(drafts, last + 1)
    )


def balance(entries: Iterable[Entry], name: AccountName) -> int:
    """What an account has by its entries."""
    return sum(entry.amount * ((entry.credit == name) - (entry.debit == name)) for entry in entries)
