"""The events of one live turn in memory, for the listeners of the instance that runs it.

Only what is already durable is added (P5), so a listener here and one that reads the store see the same log.
"""

import logging
import threading
from collections.abc import Iterable
from typing import Protocol

import msgspec

log = logging.getLogger("yunliao.listeners")

WORDS = (b'{"type":"text"', b'{"type":"reasoning"')
END = b'{"type":"end"'
MISSED = 50
"""Most events that a new listener is told at once: it is told while the log stands still. Who missed more reads."""


class Numbered(msgspec.Struct, frozen=True):
    """A durable event: its number and its JSON object without the number."""

    seq: int
    body: bytes


class Listener(Protocol):
    """Told of events as they become durable, one call after the other. Neither call may wait or raise."""

    def take(self, events: list[Numbered]) -> bool:
        """The next events, at least one. False: the log tells it nothing more."""

    def go_on(self) -> None:
        """The log has told all it will, because `take` said no or because it is closed. Called once, by itself."""


class LiveLog:
    """Append-only; `seq` of the first kept event is 1 or where the instance took the turn over."""

    __slots__ = ("_changed", "_events", "_listeners", "_spoke", "closed")

    def __init__(self, events: Iterable[Numbered] = ()) -> None:
        self._events = list(events)
        self._changed = threading.Condition(threading.Lock())
        self._spoke = _first_words(self._events)
        self._listeners: tuple[Listener, ...] = ()
        self.closed = False
        """Set when nothing more will come from this instance: the turn ended, or was lost to another owner."""

    def append(self, events: Iterable[Numbered], *, last: bool = False) -> None:
        """Show durable events to whoever listens or waits; `last` closes the log. Raises nothing a listener raised."""
        with self._changed:
            more = list(events)
            self._events.extend(more)
            self._spoke = self._spoke or _first_words(more)
            self.closed = self.closed or last
            told = self._listeners
            staying = tuple(one for one in told if not more or _told(one, more))
            self._listeners = () if self.closed else staying
            leaving = [one for one in told if self.closed or one not in staying]
            self._changed.notify_all()
        for one in leaving:
            _let_go(one)

    def subscribe(self, cursor: int, listener: Listener) -> bool:
        """Tell `listener` everything after `cursor`: what is there now, and what comes as it comes. False: it is not
        told, since nothing more comes from here, memory does not reach to the cursor, it missed more than `MISSED`, or
        it did not take what it missed; `go_on` is left to the caller then."""
        with self._changed:
            if self.closed or not self._reaches(cursor):
                return False
            missed = self._slice(cursor, MISSED + 1)
            if len(missed) > MISSED or (missed and not _told(listener, missed)):
                return False
            self._listeners = (*self._listeners, listener)
            return True

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

    def _reaches(self, cursor: int) -> bool:
        """Whether the next event after `cursor` is in memory or will be the next to come."""
        return bool(self._events) and self._events[0].seq <= cursor + 1 <= self._events[-1].seq + 1

    def _slice(self, cursor: int, limit: int) -> list[Numbered]:
        if not self._events:
            return []
        start = max(0, cursor + 1 - self._events[0].seq)
        return self._events[start : start + limit]


def is_end(event: Numbered) -> bool:
    """Whether it is the terminal event, after which there is none."""
    return event.body.startswith(END)


def _told(listener: Listener, events: list[Numbered]) -> bool:
    try:
        return listener.take(events)
    except Exception as fault:  # one listener's: it is not the committer's, nor the others'
        log.error("listener_fault kind=%s", type(fault).__name__)
        return False


def _let_go(listener: Listener) -> None:
    try:
        listener.go_on()
    except Exception as fault:
        log.error("listener_fault kind=%s", type(fault).__name__)


def _first_words(events: list[Numbered]) -> int:
    """The number of the first event with words in it; 0 if there is none."""
    return next((event.seq for event in events if event.body.startswith(WORDS)), 0)
