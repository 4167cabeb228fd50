"""Following turns that other instances run: one look at the store for all of them, ten times a second.

However many people listen here to turns that run elsewhere, the store is asked one small question a look, and only
the listeners of a turn that went on are woken to read it. Nobody listening: nobody looks. docs/storage.md has the
figures, and why this and not a change stream.
"""

import threading
from collections.abc import Callable

from yunliao.errors import StoreUnavailable
from yunliao.ports import Clock, Head, Turns

PAUSE = 0.1
"""Seconds between two looks: what a listener on another instance sees is at most about this much later."""


class _Followed:
    """A turn with its listeners here, and where it stood at the last look."""

    def __init__(self) -> None:
        self.listeners = 0
        self.changed = threading.Condition()
        self.head: Head | None = None
        self.failure: StoreUnavailable | None = None

    def tell(self, head: Head | None, failure: StoreUnavailable | None) -> None:
        with self.changed:
            if (head, failure) != (self.head, self.failure):
                self.head, self.failure = head or self.head, failure
                self.changed.notify_all()


class Following:
    """The instance's look-out."""

    def __init__(self, *, turns: Turns, clock: Clock, spawn: Callable[[Callable[[], None]], None]) -> None:
        self._turns = turns
        self._clock = clock
        self._spawn = spawn
        self._lock = threading.Lock()
        self._followed: dict[str, _Followed] = {}
        self._looking = False
        self._closed = False

    def close(self) -> None:
        """Wake all who wait, now and from now on: this instance is leaving."""
        self._closed = True
        with self._lock:
            followed = list(self._followed.values())
        for one in followed:
            with one.changed:
                one.changed.notify_all()

    def wait(self, turn_id: str, after: int, timeout: float) -> None:
        """Until the turn has an event after `after` or has ended, at most `timeout` seconds. Raises `StoreUnavailable`
        when it cannot be seen."""
        followed = self._join(turn_id)
        try:
            with followed.changed:
                followed.changed.wait_for(
                    lambda: self._closed or followed.failure or _past(followed.head, after), timeout
                )
                if followed.failure:
                    raise StoreUnavailable(followed.failure.detail)
        finally:
            self._leave(turn_id, followed)

    def _join(self, turn_id: str) -> _Followed:
        with self._lock:
            followed = self._followed.setdefault(turn_id, _Followed())
            followed.listeners += 1
            start = not self._looking
            self._looking = True
        if start:
            self._spawn(self._look)
        return followed

    def _leave(self, turn_id: str, followed: _Followed) -> None:
        with self._lock:
            followed.listeners -= 1
            if not followed.listeners:
                del self._followed[turn_id]

    def _look(self) -> None:
        while True:
            with self._lock:
                followed = dict(self._followed)
                if not followed:
                    self._looking = False
                    return
            heads: dict[str, Head] = {}
            failure: StoreUnavailable | None = None
            try:
                heads = self._turns.heads(followed)
            except StoreUnavailable as failed:
                failure = failed
            for turn_id, one in followed.items():
                one.tell(heads.get(turn_id), failure)
            self._clock.sleep(PAUSE)


def _past(head: Head | None, after: int) -> bool:
    return head is not None and (head.last_seq > after or not head.live)
