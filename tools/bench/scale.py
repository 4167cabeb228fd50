"""How much is measured: the whole run, the quick one, and the smallest that fills every row."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Counts, and seconds of each load. `quota` 0: that part is left out."""

    starts: int
    rounds: int
    people: int
    answers: int
    tokens: int
    spread: float
    rate: float
    arrivals: float
    live: tuple[int, ...]
    live_tokens: int
    stored: tuple[int, ...]
    stored_answers: int
    step: float
    overload: float
    quota: float
    least_rate: float
    largest_rate: float
    strangers: float
    """Seconds between an agreement and the first question, in the overload: the service keeps a key open for ten, which
    who asks now and then has no part in."""


WHOLE = Scale(
    starts=7, rounds=3, people=50, answers=100, tokens=200, spread=4, rate=8, arrivals=20,
    live=(50, 200, 500, 1000), live_tokens=200, stored=(10, 1_000, 10_000, 100_000), stored_answers=300, step=6,
    overload=30, quota=0, least_rate=20, largest_rate=600, strangers=10.5,
)  # fmt: skip
QUICK = Scale(
    starts=3, rounds=1, people=50, answers=50, tokens=100, spread=2, rate=8, arrivals=4, live=(50, 200), live_tokens=60,
    stored=(10, 1_000), stored_answers=100, step=4, overload=8, quota=0, least_rate=40, largest_rate=600, strangers=0,
)  # fmt: skip
TINY = Scale(
    starts=1, rounds=1, people=3, answers=3, tokens=40, spread=0.2, rate=3, arrivals=1, live=(2, 4), live_tokens=30,
    stored=(5, 10), stored_answers=4, step=1, overload=2, quota=0, least_rate=4, largest_rate=4, strangers=0,
)  # fmt: skip
QUOTA = 75
"""Seconds of the part where the quota of checks is the bound: only where the overload is asked for by name."""
