"""The upper bound set aside when a message is accepted: whoever has not got it is told what is missing."""

from typing import Literal

import msgspec
from msgspec.structs import replace

from yunliao.domain.ledger.account import Account, Change, Hold, rolled, taken
from yunliao.domain.ledger.entries import Draft
from yunliao.domain.ledger.prices import ModelPrice
from yunliao.domain.quota import next_midnight


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """What accepting a turn is to set aside: at most `amount` micro-credits, by these prices. `allowances`: plan ->
    what a day gives; `day_limit`: most a user may spend on a day, 0 = no limit."""

    amount: int
    model: str
    price_version: str
    price: ModelPrice
    allowances: dict[str, int] = {}
    day_limit: int = 0


class Shortfall(msgspec.Struct, frozen=True, kw_only=True):
    """Why nothing was set aside: `needed` micro-credits, `available` are there (or left of the day's limit).
    `renews_at`: when the next allowance comes, or the limit begins anew; 0: neither will."""

    why: Literal["insufficient_credits", "daily_limit"]
    needed: int
    available: int
    renews_at: int = 0


def reserve(account: Account, turn_id: str, charge: Charge, now: int) -> Change | Shortfall:
    """Set aside what a turn may cost. A refusal changes nothing, not even the day."""
    change = rolled(account, now, charge.allowances)
    account = change.account
    midnight = next_midnight(account.at)
    if charge.day_limit:
        left = max(0, charge.day_limit - account.spent - account.held)
        if charge.amount > left:
            return Shortfall(why="daily_limit", needed=charge.amount, available=left, renews_at=midnight)
    if charge.amount > account.available:
        renews = bool(charge.allowances.get(account.plan))
        return Shortfall(
            why="insufficient_credits",
            needed=charge.amount,
            available=account.available,
            renews_at=midnight if renews else 0,
        )
    account, parts = taken(account, charge.amount)
    hold = Hold(
        turn_id=turn_id,
        parts=parts,
        at=account.at,
        model=charge.model,
        price_version=charge.price_version,
        price=charge.price,
    )
    draft = Draft(kind="reserve", reference=turn_id, amount=charge.amount, price_version=charge.price_version)
    return Change(replace(account, holds=(*account.holds, hold)), (*change.drafts, draft))
