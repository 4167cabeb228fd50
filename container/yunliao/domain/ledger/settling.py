"""The one closing of a reservation: what the ending's rule charges is spent, the rest goes back where it came from."""

import msgspec
from msgspec.structs import replace

from yunliao.domain.events import EndReason, Usage
from yunliao.domain.ledger.account import Account, Change, Hold, Lot, over, rolled, with_lot
from yunliao.domain.ledger.endings import Metered, charged, rule_of
from yunliao.domain.ledger.entries import Draft
from yunliao.domain.ledger.prices import Line, lines


class Closing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a receipt is made from, kept with the closing entry: numbers and names of rules, no words of anybody.
    `cost` is what the rule charges, of which at most the reservation was paid."""

    model: str
    reason: str
    rule: str
    usage: Usage
    lines: tuple[Line, ...]
    cost: int
    reserved: int
    paid: int


def settle(
    account: Account, turn_id: str, *, reason: EndReason, code: str, metered: Metered | None, now: int
) -> Change | None:
    """Close a turn's reservation; None when there is none (credits were off, or it was closed before). The user never
    pays more than was set aside: what a relay counts beyond the bound is the operator's."""
    hold = account.hold_of(turn_id)
    if hold is None:
        return None
    metered = metered or Metered()
    rule = rule_of(reason, code, metered)
    usage, images = charged(rule, metered)
    found = lines(hold.price, usage, images)
    cost = sum(line.amount for line in found)
    closing = Closing(
        model=hold.model,
        reason=reason,
        rule=rule.name,
        usage=usage,
        lines=found,
        cost=cost,
        reserved=hold.amount,
        paid=min(cost, hold.amount),
    )
    return _close(account, hold, closing, now)


def let_go(account: Account, turn_id: str, now: int) -> Change | None:
    """Give a reservation back whole: its turn was removed with its conversation before it had an ending."""
    hold = account.hold_of(turn_id)
    if hold is None:
        return None
    closing = Closing(
        model=hold.model,
        reason="removed",
        rule="removed",
        usage=Usage(),
        lines=(),
        cost=0,
        reserved=hold.amount,
        paid=0,
    )
    return _close(account, hold, closing, now)


def _close(account: Account, hold: Hold, closing: Closing, now: int) -> Change:
    change = rolled(account, now)
    account = change.account
    paid, parts = closing.paid, list[Lot]()
    for part in hold.parts:  # what ends first is spent first
        spent = min(part.left, paid)
        paid -= spent
        if part.left > spent:
            parts.append(replace(part, left=part.left - spent))
    rest = closing.reserved - closing.paid
    detail = msgspec.json.encode(closing)
    drafts = list(change.drafts)
    if closing.paid:
        drafts.append(_entry("settle", hold, closing.paid, detail))
    if rest or not closing.paid:
        drafts.append(_entry("release", hold, rest, b"" if closing.paid else detail))
    account = replace(
        account,
        holds=tuple(other for other in account.holds if other.turn_id != hold.turn_id),
        spent=account.spent + closing.paid,
    )
    ended = 0
    for part in parts:
        if over(part, account.at):
            ended += part.left  # its lot ended while it was held
        else:
            account = with_lot(account, part)
    if ended:
        drafts.append(Draft(kind="expire", reference=hold.turn_id, amount=ended))
    return Change(account, tuple(drafts))


def _entry(kind: str, hold: Hold, amount: int, detail: bytes) -> Draft:
    return Draft(
        kind="settle" if kind == "settle" else "release",
        reference=hold.turn_id,
        amount=amount,
        price_version=hold.price_version,
        detail=detail,
    )
