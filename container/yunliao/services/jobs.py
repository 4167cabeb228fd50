"""Named, idempotent jobs that a timer calls: nothing in the container depends on a clock of its own running."""

from collections.abc import Callable

from yunliao.errors import NotFound
from yunliao.ports import Clock, Conversations, Turns
from yunliao.services.account import Account
from yunliao.services.conversations import UNDO_SECONDS
from yunliao.services.engine import Engine
from yunliao.services.retention import Retention

BATCH = 200
"""Turns or conversations one call cleans up: a call stays far below the platform's 15 s."""


class Jobs:
    """`recover` takes over dead instances' turns; `expire` removes what is past its time, and what an
    erase that was cut short left."""

    names = ("recover", "expire")

    def __init__(
        self,
        *,
        turns: Turns,
        conversations: Conversations,
        account: Account,
        engine: Engine,
        clock: Clock,
        event_hours: float,
        retention: Retention | None = None,
        settle: Callable[[], dict[str, int]] = dict,
    ) -> None:
        """`settle` sums up the tallies of days that are over."""
        self._settle = settle
        self._retention = retention
        self._turns = turns
        self._conversations = conversations
        self._account = account
        self._engine = engine
        self._clock = clock
        self._event_ms = int(event_hours * 3_600_000)

    def run(self, name: str) -> dict[str, int]:
        """Run one job; counts of what it did. Raises `NotFound` for an unknown name."""
        now = self._clock.now_ms()
        if name == "recover":
            return {"taken_over": self._engine.recover()}
        if name == "expire":
            return {
                "turns_cleared": self._turns.expire_events(ended_before=now - self._event_ms, limit=BATCH),
                # Twice the undo time: a restore that began in time must find everything.
                "conversations_purged": self._conversations.purge(
                    deleted_before=now - 2 * UNDO_SECONDS * 1000, limit=BATCH
                ),
                "erases_finished": self._account.finish(),
                "unreadable_removed": self._account.sweep(),
                **self._settle(),
                **(self._retention.run() if self._retention else {}),
            }
        raise NotFound("no such job: " + ", ".join(self.names))
