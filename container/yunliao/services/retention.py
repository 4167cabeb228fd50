"""What is past its time leaves the store: batch by batch, so that a call of the timer stays short; the next goes on."""

from yunliao.ports import Clock
from yunliao.ports_records import Cards, History, Verdicts

DAY_MS = 86_400_000
BATCH = 200
SECONDS = 6.0
"""Longest time of one call: far below the platform's 15 (platform.md §1.3)."""


class Retention:
    """`history_days` 0 keeps histories until their owners delete them."""

    def __init__(
        self,
        *,
        history: History,
        verdicts: Verdicts,
        cards: Cards,
        clock: Clock,
        history_days: int,
        verdict_days: int,
    ) -> None:
        self._history = history
        self._verdicts = verdicts
        self._cards = cards
        self._clock = clock
        self._history_days = history_days
        self._verdict_days = verdict_days

    def run(self) -> dict[str, int]:
        """Remove what is due until all is done or the time is over; counts. `retention_left` is 1 if more remains."""
        now, began = self._clock.now_ms(), self._clock.monotonic()
        gone = {"messages_expired": 0, "conversations_expired": 0, "verdicts_expired": 0, "cards_expired": 0}
        busy = True
        while busy and self._clock.monotonic() - began < SECONDS:
            busy = self._step(now, gone)
        return gone | {"retention_left": int(busy)}

    def _step(self, now: int, gone: dict[str, int]) -> bool:
        found = {"messages": 0, "conversations": 0}
        if self._history_days:
            found = self._history.expire(before=now - self._history_days * DAY_MS, limit=BATCH)
        verdicts = self._verdicts.expire(before=now - self._verdict_days * DAY_MS, limit=BATCH)
        cards = self._cards.expire(now=now, limit=BATCH)
        gone["messages_expired"] += found["messages"]
        gone["conversations_expired"] += found["conversations"]
        gone["verdicts_expired"] += verdicts
        gone["cards_expired"] += cards
        # A batch that was not full may still have met messages of a live answer: the next call looks again.
        return max(found["messages"], found["conversations"], verdicts, cards) >= BATCH
