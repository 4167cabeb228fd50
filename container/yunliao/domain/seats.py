"""Places for live answers that all instances share: never more than `limit`, shared fairly, and back from the dead.

An instance holds a number of seats until a time; it renews them with its heartbeat. Those of an instance that died
are free when their time is over.
"""

import msgspec


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """One instance's seats until a time (Unix milliseconds), and how many it could use."""

    seats: int
    until: int
    demand: int


class Seats(msgspec.Struct, frozen=True):
    """Holdings by instance."""

    holdings: dict[str, Holding] = {}


def hold(
    seats: Seats, instance: str, *, running: int, demand: int, limit: int, now: int, until: int
) -> tuple[Seats, int]:
    """The record after `instance` asked for `demand` seats of which `running` are in use, and how many it has now.

    Everybody who wants no more than a share by demand gets it; who has more than that gives back as its answers end,
    never while they run.
    """
    others = {name: one for name, one in seats.holdings.items() if name != instance and one.until > now}
    wanted = demand + sum(one.demand for one in others.values())
    fair = demand if wanted <= limit else max(1, limit * demand // wanted)
    free = max(0, limit - sum(one.seats for one in others.values()))
    mine = min(demand, free, max(running, fair))
    if demand == 0:
        return Seats(others), 0
    return Seats({**others, instance: Holding(seats=mine, until=until, demand=demand)}), mine
