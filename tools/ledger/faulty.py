"""A store that fails as stores do: a call raises before it did anything, or after it did everything."""

import random
from collections.abc import Callable
from typing import Any, TypeVar

from yunliao.errors import StoreUnavailable

Result = TypeVar("Result")


class Faults:
    """Decides by the walk's own dice. `done` is called with what a call did, also when its caller never hears of it."""

    def __init__(self, dice: random.Random, rate: float) -> None:
        self.dice = dice
        self.rate = rate
        self.lost = 0

    def call(self, work: Callable[[], Result], done: Callable[[Result], Any] = lambda result: None) -> Result | None:
        """What `work` gives; None when the caller had an error instead, whether or not the work was done."""
        fate = self.dice.random()
        if fate < self.rate:
            self.lost += 1
            return None
        try:
            result = work()
        except StoreUnavailable:  # a real one: nothing is known of what it did
            self.lost += 1
            return None
        done(result)
        if fate < 2 * self.rate:
            self.lost += 1
            return None
        return result
