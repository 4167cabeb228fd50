"""The seeded schedule of faults: what strikes when, how long, and whom. The same seed gives the same schedule."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """`at` and `seconds` in seconds from the start; `target` is an instance number where one is meant."""

    at: float
    kind: str
    target: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.at:.0f}s {self.kind}" + (f" {self.target}" if self.target else "")


INSTANCE = ("kill", "term", "freeze")
GATEWAY = ("lose answers", "duplicates", "platform errors", "connect errors", "cut sockets", "slow network", "offline")
WECHAT = ("slow verdicts", "verdicts fail", "verdicts drop", "verdicts 502", "verdicts hang")
STORE = ("stepdown", "store restart", "partition", "slow store")


def schedule(seed: str, seconds: float, instances: int, store: tuple[str, ...] = ()) -> list[Fault]:
    """Faults in order of time, the last one a little before the end; `store` names the store faults to draw from."""
    chance = random.Random(f"{seed}/schedule")
    kinds = (*(INSTANCE * 3), *GATEWAY, *WECHAT, *(store * 2))
    faults = []
    at = chance.uniform(2, 5)
    while at < seconds - 2:
        kind = chance.choice(kinds)
        target = chance.randint(1, instances) if kind in INSTANCE else 0
        faults.append(Fault(at, kind, target, chance.uniform(1.0, 5.0)))
        at += chance.uniform(2.0, 9.0)
    return faults
