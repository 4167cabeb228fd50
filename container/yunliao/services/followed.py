"""One followed turn: where it stands, and its newest events, for the listeners that wait for it here."""

import threading
from collections.abc import Callable

import msgspec

from yunliao.errors import StoreUnavailable
from yunliao.ports import EventRow, Head, Progress

ROWS = 500
"""Events kept in memory for a turn; who is further behind reads the store."""


class Seen(msgspec.Struct, frozen=True):
    """How a turn stands (None: there is no such turn) and the events after the cursor that are in memory, maybe none
    although there are some."""

    head: Head | None
    rows: tuple[EventRow, ...]


class Followed:
    """Filled by the look-out and by looks of listeners, in any order: what is older than what is known changes nothing
    but the lease, which only ever leads to a question the store decides."""

    def __init__(self) -> None:
        self.listeners = 0
        self.left_at = 0.0
        self.head: Head | None = None
        self._rows: list[EventRow] = []
        self._failure: StoreUnavailable | None = None
        self._woken = False
        self._changed = threading.Condition()

    def wait(self, after: int, timeout: float, *, now: Callable[[], int]) -> Seen | None:
        """As `Following.read`; None when the time ran out or all were woken. Raises `StoreUnavailable` when the last
        look failed."""
        with self._changed:
            if self.head is not None:
                timeout = min(timeout, max(0.0, (self.head.lease_until - now()) / 1000 + 0.001))
            self._changed.wait_for(lambda: self._failure or self._woken or self._worth_telling(after, now()), timeout)
            if self._failure:
                raise StoreUnavailable(self._failure.detail)
            return Seen(self.head, self._after(after)) if self._worth_telling(after, now()) else None

    def looked(self, head: Head | None) -> None:
        """A look found this; None: nothing."""
        with self._changed:
            if head is not None and self.head is not None:
                last_seq = max(head.last_seq, self.head.last_seq)
                head = Head(last_seq, head.live and self.head.live, head.lease_until)
            if head != self.head or self._failure:
                self.head, self._failure = head or self.head, None
                self._changed.notify_all()

    def failed(self, failure: StoreUnavailable) -> None:
        """A look failed."""
        with self._changed:
            self._failure = failure
            self._changed.notify_all()

    def progressed(self, change: Progress) -> None:
        """The turn changed."""
        with self._changed:
            for row in change.rows:
                if self._rows and row.seq > self._rows[-1].seq + 1:
                    self._rows.clear()  # a gap: the store has what lies in it
                if not self._rows or row.seq == self._rows[-1].seq + 1:
                    self._rows.append(row)
            del self._rows[:-ROWS]
            if self.head is not None:
                last_seq = max([self.head.last_seq, *(row.seq for row in change.rows)])
                lease = self.head.lease_until if change.lease_until is None else change.lease_until
                self.head = Head(last_seq, self.head.live and not change.ended, lease)
            self._changed.notify_all()

    def wake(self) -> None:
        """Nobody waits here any longer."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def forget(self) -> None:
        """Changes may have been missed: no event in memory is sure to have its successor here."""
        with self._changed:
            self._rows.clear()

    def _worth_telling(self, after: int, now: int) -> bool:
        head = self.head
        return head is None or head.last_seq > after or not head.live or head.lease_until < now

    def _after(self, cursor: int) -> tuple[EventRow, ...]:
        if not self._rows or self._rows[0].seq > cursor + 1:
            return ()
        return tuple(self._rows[max(0, cursor + 1 - self._rows[0].seq) :])
