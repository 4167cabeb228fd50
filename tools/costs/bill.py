"""From figures to yuan. Prices and sizes are the platform's (platform documentation 产品定价, July 2026)."""

import math
from dataclasses import dataclass

CORE_HOUR = 0.055
GIGABYTE_HOUR = 0.032
"""Yuan."""
SIZES = ((0.25, 0.5), (0.5, 1.0), (1.0, 2.0), (2.0, 4.0))
"""Cores and GB of an instance; one worker uses no more than one core."""
HOURS = 720
"""30 days."""
PEAK = 5.0
"""The busiest hour has so many times the average: people sleep."""
USED = 0.6
"""Share of its processor at which an instance is joined by another (the threshold in container.config.json)."""
CHECKS_A_DAY = 2_000_000
"""msg_sec_check for one appid; the calls themselves are free."""


@dataclass(frozen=True)
class Measured:
    """For 1,000 answers: seconds of processor, calls of msg_sec_check, MB the store grows by. `idle_mb` and `busy_mb`:
    memory of an instance before and during."""

    cpu_seconds: float
    checks: float
    store_mb: float
    idle_mb: float
    busy_mb: float


@dataclass(frozen=True)
class Bill:
    """Thirty days. `size` is cores and GB of one instance."""

    size: tuple[float, float]
    instances: int
    yuan: float
    worked_yuan: float
    checks_a_day: float
    store_gb: float


def bill(measured: Measured, answers_a_day: int) -> Bill:
    """The cheapest instances that bear the busiest hour, one of them always on. `worked_yuan`: the part of it in which
    the processor really worked."""
    cores = answers_a_day * measured.cpu_seconds / 1000 / 86_400 * PEAK / USED
    choices = []
    for size in SIZES:
        if size[1] * 1024 < measured.busy_mb * 1.5:
            continue
        most = max(1, math.ceil(cores / min(size[0], 1.0)))
        hourly = size[0] * CORE_HOUR + size[1] * GIGABYTE_HOUR
        # One stays; the others are there while it is busy, a third of the day.
        choices.append((hourly * HOURS * (1 + (most - 1) / 3), size, most))
    yuan, size, instances = min(choices)
    worked = answers_a_day * 30 * measured.cpu_seconds / 1000 / 3600 * CORE_HOUR
    return Bill(
        size=size,
        instances=instances,
        yuan=yuan,
        worked_yuan=worked,
        checks_a_day=answers_a_day * measured.checks / 1000,
        store_gb=answers_a_day * 30 * measured.store_mb / 1000 / 1024,
    )
