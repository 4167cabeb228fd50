"""Erasing everything held about a user (P10)."""

import msgspec

from yunliao.ports import Clock, Turns, Users
from yunliao.services.engine import Engine
from yunliao.services.people import Owner, People


class Receipt(msgspec.Struct, frozen=True):
    """That it was done: when (Unix milliseconds) and how many records went."""

    erased_at: int
    records: dict[str, int]


class Account:
    """The user's own account."""

    def __init__(self, *, users: Users, turns: Turns, engine: Engine, people: People, clock: Clock) -> None:
        self._users = users
        self._turns = turns
        self._engine = engine
        self._people = people
        self._clock = clock

    def erase(self, owner: Owner) -> Receipt:
        """Stop a live answer, then destroy the data key with every record; idempotent."""
        live = self._turns.live_of(owner.user_id)
        if live:
            self._turns.request_stop(live.id)
            self._engine.stop(live.id)
        records = self._users.erase(owner.user_id)
        self._people.forget(owner.user_id)
        return Receipt(self._clock.now_ms(), records)
