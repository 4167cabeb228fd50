"""What the whole service may cost on a day: instances take parts of it before they spend them (one shared record).

A part that an instance took and never gave back (it died) stays counted: the limit is never exceeded, and what a crash
wastes is at most one block.
"""

import msgspec

from yunliao.domain.ledger.account import day_of

BLOCK_PART = 1000
"""A block is this part of the limit: so many writes of the shared record a day, whatever the number of turns."""


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """`taken` micro-credits of the limit of `day`."""

    day: int = 0
    taken: int = 0


class Part(msgspec.Struct, frozen=True):
    """`amount` that may be spent on `day`; 0 with what was asked for refused. `part` of the limit is taken now."""

    amount: int
    day: int
    part: float


def take(budget: Budget, want: int, limit: int, now: int) -> tuple[Budget, Part]:
    """At least `want` of the limit, a block where that is more, or nothing."""
    budget = today(budget, now)
    free = limit - budget.taken
    amount = min(free, max(want, limit // BLOCK_PART)) if want <= free else 0
    budget = Budget(day=budget.day, taken=budget.taken + amount)
    return budget, Part(amount, budget.day, budget.taken / limit if limit else 1.0)


def give_back(budget: Budget, amount: int, day: int, now: int) -> Budget:
    """What an instance did not need, if it is still that day. A negative amount was spent beyond what was taken."""
    budget = today(budget, now)
    if budget.day != day:
        return budget
    return Budget(day=day, taken=max(0, budget.taken - amount))


def today(budget: Budget, now: int) -> Budget:
    """The record of this day; it never goes back to an earlier one."""
    day = day_of(now)
    return Budget(day=day) if day > budget.day else budget
