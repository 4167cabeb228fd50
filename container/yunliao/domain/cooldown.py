"""When somebody whose messages keep being blocked has to take a break."""

from collections.abc import Sequence

import msgspec


class CooldownRule(msgspec.Struct, frozen=True):
    """`count` blocked messages within `window_ms` lead to a break of `pause_ms`; a count of 0 switches it off."""

    count: int
    window_ms: int
    pause_ms: int

    def until(self, blocked_at: Sequence[int]) -> int:
        """Until when the break lasts, given when the user's messages were blocked, newest first; 0 for none. The break
        begins with the newest."""
        if not self.count or len(blocked_at) < self.count:
            return 0
        newest = blocked_at[0]
        return newest + self.pause_ms if newest - blocked_at[self.count - 1] < self.window_ms else 0


OFF = CooldownRule(0, 0, 0)
