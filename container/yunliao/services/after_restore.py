"""What a store needs that was put back from a backup: nobody who was erased since may stay in it, and no turn that
was live then may go on now. The owner of such a turn is gone and whoever asked has long left, so it is ended truthfully
with what was shown, and what was set aside for it is settled; it would be wrong to ask a model for it again."""

from collections.abc import Callable

import msgspec

from yunliao.errors import YunliaoError
from yunliao.ports import Clock, Turns
from yunliao.services.account import Account
from yunliao.services.audit_trail import AuditTrail
from yunliao.services.backup_file import Header
from yunliao.services.engine import Engine

ALL_LEASES = 2**53
LIMIT = 500
LOOK_SECONDS = 0.2
END_SECONDS = 60.0
"""Longest wait for endings to be written."""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """How many were erased once more, and how many turns were ended; `left` could not be."""

    people: int
    conversations: int
    turns: int
    left: int


class AfterRestore:
    """Runs once after `Restore.load`; may be repeated. No other instance may run on the store."""

    def __init__(
        self, *, account: Account, turns: Turns, engine: Engine, audit: AuditTrail, clock: Clock, lease_seconds: float
    ) -> None:
        self._account = account
        self._turns = turns
        self._engine = engine
        self._audit = audit
        self._clock = clock
        self._lease_seconds = lease_seconds

    def run(self, header: Header, progress: Callable[[int], None] = lambda users: None) -> Done:
        """All of it, then an entry in the audit log. Raises `StoreUnavailable`: run it again."""
        people, conversations = self._account.erase_again(progress)
        turns = self._end_turns()
        left = len(self._turns.abandoned(now=ALL_LEASES, limit=LIMIT))
        made = self._clock.now_ms() - header.made_at
        detail = f"made {max(0, made) // 1000} s before; erased again {people} and {conversations}; ended {turns}"
        self._audit.note("terminal", "backup.restore", subject=header.id, detail=detail)
        return Done(people=people, conversations=conversations, turns=turns, left=left)

    def _end_turns(self) -> int:
        ended: set[str] = set()
        broken: set[str] = set()
        # A backup that was just made has leases that still run.
        until = self._clock.monotonic() + 2 * self._lease_seconds + END_SECONDS
        self._engine.taken = lambda turn, owner: None  # nobody waits for these any more
        while self._clock.monotonic() < until:
            live = [
                one
                for one in self._turns.abandoned(now=ALL_LEASES, limit=LIMIT + len(broken))
                if one.id not in broken | ended
            ]
            if not live and not (ended and self._unwritten(ended)):
                break
            for turn in live:
                try:
                    if self._engine.take_over(turn, go_on=False):
                        ended.add(turn.id)
                except YunliaoError:  # its owner's key does not open: told as left
                    broken.add(turn.id)
            self._clock.sleep(LOOK_SECONDS)
        return len(ended)

    def _unwritten(self, ended: set[str]) -> bool:
        return any(self._engine.log_of(one) is not None for one in ended)
