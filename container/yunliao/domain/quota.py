"""How many calls of a shared quota may still be made: at most so many in any minute and on any day in China.

All instances count in one record. A grant is a block of calls that its instance uses within `BLOCK_MS`; what it does
not use is lost, so blocks are small. The window counted is longer than a minute by a block's life, a bucket's width
and what clocks of instances may differ: in any real minute no more calls are made than the quota allows.
"""

import msgspec

BUCKET_MS = 2_000
BLOCK_MS = 2_000
"""Milliseconds after its grant in which a block may be used."""
SKEW_MS = 8_000
"""What the clocks of two instances may differ, milliseconds."""
WINDOW = (60_000 + BLOCK_MS + BUCKET_MS + SKEW_MS) // BUCKET_MS
"""Buckets that are counted together."""
DAY_MS = 86_400_000
CHINA_MS = 8 * 3_600_000
"""UTC+8: WeChat's days begin at midnight in China."""


class Limits(msgspec.Struct, frozen=True):
    """Calls in any minute, and on a day."""

    per_minute: int
    per_day: int


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """What was granted. `buckets`: [number of the bucket, calls], ascending; `closed_until` and `slow_until`: Unix
    milliseconds until which the platform said that the day, or the minute, is spent."""

    buckets: tuple[tuple[int, int], ...] = ()
    day: int = 0
    today: int = 0
    closed_until: int = 0
    slow_until: int = 0


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """`calls` granted; with 0, milliseconds until one may be, and whether it is the day that is spent."""

    calls: int
    wait_ms: int = 0
    daily: bool = False


def grant(used: Used, want: int, limits: Limits, now_ms: int) -> tuple[Used, Grant]:
    """Up to `want` calls, and the record after that. At least one when there is room for one."""
    used = forget(used, now_ms)
    if now_ms < used.closed_until:
        return used, Grant(calls=0, wait_ms=used.closed_until - now_ms, daily=True)
    if used.today >= limits.per_day:
        return used, Grant(calls=0, wait_ms=next_midnight(now_ms) - now_ms, daily=True)
    minute = sum(calls for _, calls in used.buckets)
    calls = min(want, limits.per_minute - minute, limits.per_day - used.today)
    if calls <= 0:
        return used, Grant(calls=0, wait_ms=(used.buckets[0][0] + WINDOW + 1) * BUCKET_MS - now_ms)
    bucket = now_ms // BUCKET_MS
    earlier, last = used.buckets, 0
    if earlier and earlier[-1][0] >= bucket:  # the clock of another instance may be ahead
        bucket, last = earlier[-1]
        earlier = earlier[:-1]
    return (
        msgspec.structs.replace(used, buckets=(*earlier, (bucket, last + calls)), today=used.today + calls),
        Grant(calls=calls),
    )


def forget(used: Used, now_ms: int) -> Used:
    """The record without what no longer counts."""
    first = now_ms // BUCKET_MS - WINDOW
    day = (now_ms + CHINA_MS) // DAY_MS
    return msgspec.structs.replace(
        used,
        buckets=tuple(one for one in used.buckets if one[0] >= first),
        day=max(day, used.day),
        today=used.today if day <= used.day else 0,
    )


def share_used(used: Used, limits: Limits, now_ms: int) -> float:
    """From 0 to 1: the larger of the minute's and the day's part that is spent; 1 while the platform said so."""
    if now_ms < max(used.slow_until, used.closed_until):
        return 1.0
    used = forget(used, now_ms)
    return max(sum(calls for _, calls in used.buckets) / limits.per_minute, used.today / limits.per_day)


def next_midnight(now_ms: int) -> int:
    """The next midnight in China, Unix milliseconds."""
    return ((now_ms + CHINA_MS) // DAY_MS + 1) * DAY_MS - CHINA_MS
