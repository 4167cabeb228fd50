"""All open sockets of the instance: counted for each user, closed together when it leaves."""

import threading
from typing import TYPE_CHECKING

from yunliao.errors import QueueFull

if TYPE_CHECKING:
    from yunliao.web.channel import Channel

PER_USER = 8
"""Open sockets of one user on one instance: the platform allows a mini-program five (platform.md §2), and a person may
have a phone and a computer. One that blinked is noticed late, so the oldest goes, never the new one."""

MOST = 4000
"""Open sockets of one instance. The server's own bound on connections counts requests only."""
ROOM_SECONDS = 10
"""When it is worth to try again where there are too many."""


class Sockets:
    """Add, name, remove; `restart` ends them all, `gone` waits for it."""

    def __init__(self) -> None:
        self._open: dict[Channel, str] = {}
        self._lock = threading.Condition(threading.Lock())
        self.draining = False

    def check_room(self) -> None:
        """Raises `QueueFull` when there are as many as may be."""
        if len(self._open) >= MOST:
            raise QueueFull(retry_after=ROOM_SECONDS)

    def add(self, channel: "Channel") -> None:
        """An opened socket, nobody's yet."""
        with self._lock:
            self._open[channel] = ""

    def belongs_to(self, channel: "Channel", user_id: str) -> None:
        """Whose it is; the user's oldest ones beyond `PER_USER` are closed with 4429."""
        with self._lock:
            self._open[channel] = user_id
            own = [other for other, user in self._open.items() if user == user_id]
        _close(own[:-PER_USER], 4429, "too many sockets")

    def remove(self, channel: "Channel") -> None:
        """A closed socket."""
        with self._lock:
            self._open.pop(channel, None)
            self._lock.notify_all()

    def restart(self) -> None:
        """Close all with 1012, and those that still come: the client resumes elsewhere."""
        with self._lock:
            self.draining = True
            channels = list(self._open)
        _close(channels, 1012, "restart")

    def gone(self, seconds: float) -> bool:
        """Whether all are closed, after at most so many seconds."""
        with self._lock:
            return self._lock.wait_for(lambda: not self._open, seconds)


def _close(channels: list["Channel"], code: int, reason: str) -> None:
    # Side by side: closing one whose client does not read takes as long as a send may take.
    for channel in channels:
        threading.Thread(target=channel.close, args=(code, reason), daemon=True).start()
