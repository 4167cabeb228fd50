"""The events of one live turn in memory, for the listeners of the instance that runs it.

Only what is already durable is added (P5), so a listener here and one that reads the store see the same log.
"""

import threading
from collections.abc import Iterable

import msgspec

WORDS = (b'{"type":"text"', b'{"type":"reasoning"')


class Numbered(msgspec.Struct, frozen=True):
    """A durable event: its number and its JSON object without the number."""

    seq: int
    body: bytes


class LiveLog:
    """Append-only; `seq` of the first kept event is 1 or where the instance took the turn over."""

    def __init__(self, events: Iterable[Numbered] = ()) -> None:
        self._events = list(events)
        self._changed = threading.Condition(threading.Lock())
        self._spoke = _first_words(self._events)
        self.closed = False
        """Set when nothing more will come from this instance: the turn ended, or was lost to another owner."""

    def append(self, events: Iterable[Numbered], *, last: bool = False) -> None:
        """Show durable events to whoever waits; `last` closes the log."""
        with self._changed:
            more = list(events)
            self._events.extend(more)
            self._spoke = self._spoke or _first_words(more)
            self.closed = self.closed or last
            self._changed.notify_all()

    def close(self) -> None:
        """Wake all who wait: they go on from the store."""
        self.append((), last=True)

    def after(self, cursor: int, *, limit: int) -> list[Numbered]:
        """Events with seq > `cursor`, ascending; `cursor` may lie anywhere."""
        with self._changed:
            return self._slice(cursor, limit)

    def wait(self, cursor: int, *, timeout: float, limit: int) -> list[Numbered]:
        """As `after`, but waits up to `timeout` seconds for the first one or for the close."""
        with self._changed:
            self._changed.wait_for(lambda: self.closed or self._slice(cursor, 1), timeout)
            return self._slice(cursor, limit)

    def had_words(self, cursor: int) -> bool:
        """Whether who has seen everything up to `cursor` has seen words: before that, somebody waits for the first."""
        return 0 < self._spoke <= cursor

    def covers(self, cursor: int) -> bool:
        """Whether everything after `cursor` is in memory."""
        with self._changed:
            return bool(self._events) and self._events[0].seq <= cursor + 1

    def _slice(self, cursor: int, limit: int) -> list[Numbered]:
        if not self._events:
            return []
        start = max(0, cursor + 1 - self._events[0].seq)
        return self._events[start : start + limit]


def _first_words(events: list[Numbered]) -> int:
    """The number of the first event with words in it; 0 if there is none."""
    return next((event.seq for event in events if event.body.startswith(WORDS)), 0)
