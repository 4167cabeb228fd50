"""When to look at a stream again: its cost is its wake-ups, not its bytes.

Text is shown window by window (domain/guard.py), so bytes that do not fill the next window need not be fetched one by
one. How fast a stream speaks tells when a window will be full; until then, or until what there is will be checked
anyway, it is left alone. As long as somebody waits for the first text, the looks come closer and closer to that moment,
so that it is hardly missed.
"""

from yunliao.ports import Wanted

SHARE = 0.8
"""Part of the expected time that passes before the next look for the first text: the speed is a guess."""
SOONEST = 0.01
"""Seconds between two looks while the first text is waited for."""
UNKNOWN = 0.04
"""Seconds from the first piece to the second look: time for a few more, by which the speed is known."""
GUESSED = 0.3
"""Longest pause before the first window, seconds: the first pieces tell the speed badly."""
PIECE = 6
"""Characters of a piece that is longer than most: it may be the one that fills the first window."""
CLOSE = 0.03
"""Expected seconds to the first window from which on every piece is read as it comes."""
LEAST = 0.25
"""Seconds between two looks afterwards: the commit is no faster (services/committer.py)."""


class Pace:
    """Of one stream; `longest` seconds is the longest pause."""

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._since: float | None = None
        self._chars = 0

    def came(self, chars: int, now: float) -> None:
        """Characters came at `now` (monotonic seconds)."""
        if self._since is None:
            self._since = now  # what came first took the model's time to think, and says nothing about its speed
        else:
            self._chars += chars
        self._now = now

    def pause(self, wanted: Wanted) -> float:
        """Seconds to leave the stream alone; 0: read what comes next."""
        took = self._now - self._since if self._since is not None else 0.0
        known = self._chars > 0 and took > 0
        expected = wanted.chars * took / self._chars if known else 0.0
        if not wanted.soon:
            until_due = min(expected, wanted.within) if known else wanted.within
            return min(max(until_due, LEAST), self._longest)
        if not known:
            return min(UNKNOWN, self._longest)
        sooner = (wanted.chars - PIECE) * took / self._chars
        if sooner < CLOSE and wanted.chars:
            return 0.0
        return min(max(sooner * SHARE, SOONEST), GUESSED, self._longest)
