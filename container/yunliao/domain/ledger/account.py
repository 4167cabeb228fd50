"""One user's credits as one small record: lots with their ends, what is held for live turns, and what the day saw.

Times are Unix milliseconds; days begin at midnight in China, as WeChat's do.
"""

import hashlib
from typing import Literal

import msgspec
from msgspec.structs import replace

from yunliao.domain.ledger.entries import Draft, Entry, book
from yunliao.domain.ledger.prices import DEFAULT_PLAN, ModelPrice
from yunliao.domain.quota import CHINA_MS, DAY_MS

Source = Literal["allowance", "grant", "code", "refund"]


class Lot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Credits that came together: `left` micro-credits, good until `expires_at` (0: for ever)."""

    id: str
    source: Source
    left: int
    expires_at: int = 0


class Hold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is set aside for one live turn: parts of lots, and the prices the turn will be settled by."""

    turn_id: str
    parts: tuple[Lot, ...] = ()
    at: int = 0
    model: str = ""
    price_version: str = ""
    price: ModelPrice = ModelPrice(input=0, output=0)

    @property
    def amount(self) -> int:
        """Micro-credits set aside."""
        return sum(part.left for part in self.parts)


class Account(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`entries`: how many there are, so the newest one's number. `at`: when it was last changed. `spent` was settled on
    `day`; `allowed_day` is the last day whose allowance was given. `guesses` wrong codes were tried since
    `guessing_since`."""

    lots: tuple[Lot, ...] = ()
    holds: tuple[Hold, ...] = ()
    entries: int = 0
    at: int = 0
    plan: str = DEFAULT_PLAN
    day: int = 0
    spent: int = 0
    allowed_day: int = -1
    guesses: int = 0
    guessing_since: int = 0

    @property
    def available(self) -> int:
        """What its lots have, micro-credits; after `rolled`, what can be spent."""
        return sum(lot.left for lot in self.lots)

    @property
    def held(self) -> int:
        """What is set aside for live turns."""
        return sum(hold.amount for hold in self.holds)

    def hold_of(self, turn_id: str) -> Hold | None:
        """The hold of a turn, if there is one."""
        return next((hold for hold in self.holds if hold.turn_id == turn_id), None)


class Change(msgspec.Struct, frozen=True):
    """A record after something happened, with the entries that say what."""

    account: Account
    drafts: tuple[Draft, ...] = ()

    def booked(self, user_id: str) -> tuple[Account, tuple[Entry, ...]]:
        """The record with its entries, numbered after those it had."""
        entries = book(user_id, self.account.entries, self.drafts, self.account.at)
        return replace(self.account, entries=self.account.entries + len(entries)), entries


class Mark(msgspec.Struct, frozen=True):
    """All that outlives an erased account, and no longer than its day: that the day's allowance was given. Else erasing
    the account would bring a new one each time. `name` is a hash of the user's id, `expires_at` the end of the day."""

    name: str
    allowed_day: int
    expires_at: int


def mark_of(user_id: str, account: Account | None) -> Mark:
    """The mark of a user; of one who had no account yet, or no allowance, it has ended already."""
    day = account.allowed_day if account is not None else -1
    name = hashlib.sha256(f"yunliao/allowance/{user_id}".encode()).hexdigest()
    return Mark(name, day, (day + 1) * DAY_MS - CHINA_MS)


def day_of(now: int) -> int:
    """The number of the day in China."""
    return (now + CHINA_MS) // DAY_MS


def rolled(account: Account, now: int, allowances: dict[str, int] | None = None) -> Change:
    """The record as it is `now`: what expired is gone, a new day has begun. With `allowances` (plan -> micro-credits a
    day) the day's allowance is given, once a day. Time never goes back: the clocks of two instances differ, and what
    one of them saw end has ended."""
    now = max(now, account.at)
    drafts: list[Draft] = []
    ended = [lot for lot in account.lots if lot.left and over(lot, now)]
    drafts += [Draft(kind="expire", reference=lot.id, amount=lot.left) for lot in ended]
    lots = tuple(lot for lot in account.lots if lot.left and not over(lot, now))
    day = day_of(now)
    account = replace(account, lots=lots, at=now, day=day, spent=account.spent if day == account.day else 0)
    if allowances is not None and day > account.allowed_day:
        amount = allowances.get(account.plan, allowances.get(DEFAULT_PLAN, 0))
        account = replace(account, allowed_day=day)
        if amount:
            lot = daily_lot(day, amount)
            account = with_lot(account, lot)
            drafts.append(Draft(kind="allowance", reference=lot.id, amount=amount))
    return Change(account, tuple(drafts))


def daily_lot(day: int, amount: int) -> Lot:
    """The allowance of a day: it ends with it."""
    return Lot(id=f"day/{day}", source="allowance", left=amount, expires_at=(day + 1) * DAY_MS - CHINA_MS)


def with_lot(account: Account, lot: Lot) -> Account:
    """The record with one lot more, or more in it; lots stand in the order in which they are spent: what ends first
    goes first."""
    same = next((other.left for other in account.lots if other.id == lot.id), 0)
    others = tuple(other for other in account.lots if other.id != lot.id)
    added = (*others, replace(lot, left=lot.left + same)) if lot.left + same else others
    return replace(account, lots=tuple(sorted(added, key=_order)))


def taken(account: Account, amount: int) -> tuple[Account, tuple[Lot, ...]]:
    """`amount` taken out of the lots, and the parts it consists of; `amount` must be available."""
    parts: list[Lot] = []
    lots: list[Lot] = []
    for lot in account.lots:
        part = min(lot.left, amount)
        amount -= part
        if part:
            parts.append(replace(lot, left=part))
        if lot.left > part:
            lots.append(replace(lot, left=lot.left - part))
    if amount:
        raise ValueError("more was taken than is there")
    return replace(account, lots=tuple(lots)), tuple(parts)


def over(lot: Lot, now: int) -> bool:
    """Whether a lot has ended."""
    return 0 < lot.expires_at <= now


def _order(lot: Lot) -> tuple[bool, int, str]:
    return (lot.expires_at == 0, lot.expires_at, lot.id)
