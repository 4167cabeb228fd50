"""What one socket follows: turns' events, from a cursor on, in order, each once.

A turn that runs here is told of by its log, in the committer's own thread, which waits for nobody: what a client cannot
take at once is for a thread. So is what memory does not hold: another instance's turn, one that was lost or let go, a
cursor too far back. Such a thread leaves as soon as the log can tell again.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from yunliao.errors import InvalidRequest, RateLimited
from yunliao.services.live_log import Numbered, is_end
from yunliao.services.people import Owner
from yunliao.web.channel import Channel, Closed
from yunliao.web.render import frame

if TYPE_CHECKING:
    from yunliao.services.listen import Listen

FOLLOWED = 4
"""Turns one socket may follow at once; a phone follows one, a tablet with two windows two."""
MAX_LISTENERS = 4 * FOLLOWED
"""Listeners of one socket, those that a newer resume replaced and that still wait included."""
READ_WAIT = 10.0
"""Seconds one look of a thread waits for an event."""


class Listeners:
    """All of one socket. `failed(turn_id, fault)` is told why a turn could not be followed to its end."""

    __slots__ = ("_alive", "_failed", "_lock", "_open", "_turns", "channel", "listen")

    def __init__(self, channel: Channel, listen: "Listen", failed: Callable[[str, Exception], None]) -> None:
        self.channel = channel
        self.listen = listen
        self._failed = failed
        self._open = True
        self._turns: dict[str, Listener] = {}
        self._alive = 0
        self._lock = threading.Lock()

    def follow(self, owner: Owner, turn_id: str, after: int) -> None:
        """Send the turn's events from `after` on, without waiting; a newer one for the same turn replaces the older, of
        which not one frame comes after the newer one's first. Raises `InvalidRequest`, `RateLimited`."""
        with self._lock:
            if turn_id not in self._turns and len(self._turns) >= FOLLOWED:
                raise InvalidRequest(f"one socket follows at most {FOLLOWED} turns")
            if self._alive >= MAX_LISTENERS:
                raise RateLimited(retry_after=int(READ_WAIT))
            self._alive += 1
            listener = self._turns[turn_id] = Listener(self, owner, turn_id, after)
        if not self.listen.subscribe(owner, turn_id, after, listener):
            listener.go_on()

    def close(self) -> None:
        """The socket is closed: nobody sends any more."""
        self._open = False

    @property
    def followed(self) -> int:
        """Turns that are followed now."""
        return len(self._turns)

    def wants(self, listener: "Listener") -> bool:
        """Whether its socket is open and no newer one has replaced it."""
        return self._open and self._turns.get(listener.turn_id) is listener

    def left(self, listener: "Listener", fault: Exception | None = None) -> None:
        """It says no more."""
        try:
            if fault is not None and self.wants(listener):
                self._failed(listener.turn_id, fault)
        finally:
            with self._lock:
                self._alive -= 1
                if self._turns.get(listener.turn_id) is listener:
                    del self._turns[listener.turn_id]


class Listener:
    """One turn on one socket. Either the log tells it or a thread of its own reads, never both: the log calls `go_on`
    when it has let it go, and the thread ends when the log tells again."""

    __slots__ = ("_after", "_all", "_live", "_owner", "turn_id")

    def __init__(self, listeners: Listeners, owner: Owner, turn_id: str, after: int) -> None:
        self.turn_id = turn_id
        self._all = listeners
        self._owner = owner
        self._after = after
        self._live = True

    def take(self, events: list[Numbered]) -> bool:
        """The next events, sent without waiting. False: it takes no more from the log."""
        channel = self._all.channel
        try:
            if not channel.offer(*(frame(self.turn_id, event) for event in events), wanted=self._wanted):
                return False
        except Closed:
            self._live = False
            return False
        self._after, self._live = events[-1].seq, not is_end(events[-1])
        return self._live and not channel.behind

    def go_on(self) -> None:
        """The log tells nothing more: a thread does what is left, if anything is."""
        if self._all.channel.behind or (self._live and self._wanted()):
            threading.Thread(target=self._read, daemon=True).start()
        else:
            self._all.left(self)

    def _wanted(self) -> bool:
        return self._all.wants(self)

    def _read(self) -> None:
        try:
            if self._read_on():
                return  # the log tells again: from here this thread touches nothing
        except Closed:
            pass
        except Exception as fault:
            self._all.left(self, fault)
            return
        self._all.left(self)

    def _read_on(self) -> bool:
        """True when the log tells again; False when there is nothing more to say."""
        channel, listen = self._all.channel, self._all.listen
        while True:
            channel.send()  # what the client did not take at once
            if not self._live or not self._wanted():
                return False
            if listen.subscribe(self._owner, self.turn_id, self._after, self):
                return True
            if channel.behind or not self._live:
                continue
            piece = listen.read(self._owner, self.turn_id, self._after, READ_WAIT)
            frames = (frame(self.turn_id, event) for event in piece.events)
            if piece.events and not channel.send(*frames, wanted=self._wanted):
                return False
            self._after, self._live = piece.cursor, piece.live
