"""Waiting out an outage of the store in the middle of a turn: what was accepted is answered when the store is back.

Nothing can be shown or ended meanwhile anyway. Only the work of a turn waits like this; people who ask get the error.
"""

from collections.abc import Callable
from typing import TypeVar

from yunliao.errors import StoreUnavailable
from yunliao.ports import Clock

Result = TypeVar("Result")

LONGEST = 60.0
"""Seconds an outage is waited out: longer than an election or a restart of the store takes."""
PAUSE = 0.5
"""Seconds between two tries; during an outage they cost nothing, the store's adapter answers for it."""


def patiently(ask: Callable[[], Result], clock: Clock, given_up: Callable[[], bool] = lambda: False) -> Result:
    """What `ask` gives once it gets through. Raises `StoreUnavailable` after `LONGEST` seconds, or as soon as
    `given_up` says that nobody needs it any more."""
    until = clock.monotonic() + LONGEST
    while True:
        try:
            return ask()
        except StoreUnavailable:
            if given_up() or clock.monotonic() >= until:
                raise
        clock.sleep(PAUSE)
