"""Credits that come and go otherwise than by turns: grants, codes, refunds, withdrawals."""

from typing import Literal

import msgspec
from msgspec.structs import replace

from yunliao.domain.ledger.account import Account, Change, Lot, rolled, taken, with_lot
from yunliao.domain.ledger.entries import Draft


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """Something an operator or a code does to an account. `reference` makes it happen once: a second movement of the
    same kind and reference changes nothing. `amount` micro-credits; `expires_at`: when they end, 0 = never. A refund's
    reference is its turn."""

    kind: Literal["grant", "redeem", "refund", "withdraw"]
    reference: str
    amount: int
    at: int
    expires_at: int = 0
    note: str = ""


def move(account: Account, movement: Movement) -> Change | None:
    """Do it; None when a withdrawal asks for more than is available. An amount must be positive."""
    if movement.amount <= 0:
        raise ValueError("a movement needs a positive amount")
    change = rolled(account, movement.at)
    account = change.account
    if movement.kind == "withdraw":
        if movement.amount > account.available:
            return None
        account, _ = taken(account, movement.amount)
    else:
        source: Literal["grant", "code", "refund"] = "grant"
        if movement.kind != "grant":
            source = "code" if movement.kind == "redeem" else "refund"
        lot = Lot(
            id=f"{movement.kind}/{movement.reference}",
            source=source,
            left=movement.amount,
            expires_at=movement.expires_at,
        )
        account = with_lot(account, lot)
    draft = Draft(kind=movement.kind, reference=movement.reference, amount=movement.amount, note=movement.note)
    return Change(account, (*change.drafts, draft))


def on_plan(account: Account, plan: str) -> Account:
    """The account on another plan: from the next day on its allowance is another."""
    return replace(account, plan=plan)
