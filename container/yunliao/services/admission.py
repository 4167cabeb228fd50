"""Bounded concurrency: so many turns run at once, the others wait in order of arrival and know their place.

Fair because a user has at most one live turn: first come, first served lets nobody hold two places in the line.
"""

import threading
from collections import OrderedDict

from yunliao.errors import QueueFull


class Slots:
    """`max_live` places and a queue of at most `max_queue`."""

    def __init__(self, *, max_live: int, max_queue: int) -> None:
        self._max_live = max_live
        self._max_queue = max_queue
        self._held: set[str] = set()
        self._waiting: OrderedDict[str, threading.Event] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def depth(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def check_room(self) -> None:
        """Raises `QueueFull` when one more turn would find no place to wait in."""
        if len(self._held) >= self._max_live and len(self._waiting) >= self._max_queue:
            raise QueueFull(retry_after=5)

    def enter(self, turn_id: str) -> threading.Event:
        """Join; the event is set when the turn holds a place (at once if there is one)."""
        granted = threading.Event()
        with self._lock:
            if len(self._held) < self._max_live and not self._waiting:
                self._held.add(turn_id)
                granted.set()
            else:
                self._waiting[turn_id] = granted
        return granted

    def leave(self, turn_id: str) -> None:
        """Give back the place, or the place in the line; harmless when there is neither."""
        with self._lock:
            self._waiting.pop(turn_id, None)
            self._held.discard(turn_id)
            while self._waiting and len(self._held) < self._max_live:
                next_id, granted = self._waiting.popitem(last=False)
                self._held.add(next_id)
                granted.set()

    def position(self, turn_id: str) -> int:
        """1 is next; 0 for a turn that does not wait."""
        with self._lock:
            return next((place for place, waiting in enumerate(self._waiting, 1) if waiting == turn_id), 0)
