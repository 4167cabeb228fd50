"""What an hour saw, as numbers that can be added up: over instances, hours and days, from the store or from log lines.

A histogram is {upper bound in milliseconds: how many}; the bounds are those of the Prometheus metrics, so percentiles
computed here and there agree. Bounds that another version used add up as well.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping

import msgspec

from yunliao.domain.quota import CHINA_MS, DAY_MS

HOUR_MS = 3_600_000
SECONDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1, 1.5, 2, 3, 4, 6, 9, 12, 20, 30, 60)
"""Upper bounds for what takes a moment: first text, a wait, a check."""
WHOLE = (0.5, 1, 2, 3, 4, 6, 8, 11, 15, 22, 30, 45, 60, 90, 120, 300, 600)
"""Upper bounds for whole answers."""
OVER = 1_000_000_000
"""The bound of what is over every bound, milliseconds."""
SHORT_MS = tuple(round(bound * 1000) for bound in SECONDS)
WHOLE_MS = tuple(round(bound * 1000) for bound in WHOLE)

Counts = dict[str, int]
Histogram = dict[int, int]


class Tally(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Counts of one span. `ended` by reason, `errors` and `refused` by error code, `moderation` by layer and outcome,
    `relay` by upstream and outcome; tokens as reported or estimated; `cost` in micro-credits."""

    ended: Counts = {}
    errors: Counts = {}
    first_text: Histogram = {}
    whole: Histogram = {}
    queued: Histogram = {}
    input_tokens: int = 0
    output_tokens: int = 0
    cost: int = 0
    moderation: dict[str, Counts] = {}
    checks: dict[str, Histogram] = {}
    """How long checks took, by layer."""
    relay: dict[str, Counts] = {}
    store_failures: int = 0
    refused: Counts = {}
    takeovers: int = 0
    starts: Histogram = {}
    """How long starts of the process took."""
    live_max: int = 0
    """The most turns live at once: of one instance; added up over instances an upper bound."""

    def turn(self, fields: Mapping[str, str | int | float | bool | None]) -> None:
        """Count an ended turn by the fields of its log line."""
        _add(self.ended, str(fields.get("reason") or "failed"), 1)
        if code := fields.get("code"):
            _add(self.errors, str(code), 1)
        for histogram, name, bounds in (
            (self.first_text, "first_text_ms", SHORT_MS),
            (self.whole, "total_ms", WHOLE_MS),
            (self.queued, "queued_ms", SHORT_MS),
        ):
            value = fields.get(name)
            if isinstance(value, int | float):
                observe(histogram, value, bounds)
        self.input_tokens += _number(fields.get("input_tokens"))
        self.output_tokens += _number(fields.get("output_tokens"))
        self.cost += _number(fields.get("cost"))

    def check(self, layer: str, outcome: str, milliseconds: float) -> None:
        """Count a moderation check."""
        _add(self.moderation.setdefault(layer, {}), outcome, 1)
        observe(self.checks.setdefault(layer, {}), milliseconds, SHORT_MS)

    def asked(self, upstream: str, outcome: str) -> None:
        """Count a generation asked of an upstream."""
        _add(self.relay.setdefault(upstream, {}), outcome, 1)

    def refuse(self, code: str) -> None:
        """Count a message refused for want of credits."""
        _add(self.refused, code, 1)

    def start(self, milliseconds: float) -> None:
        """Count a start."""
        observe(self.starts, milliseconds, SHORT_MS)

    def add(self, other: "Tally", *, together: bool = False) -> None:
        """Add another span's, or, `together`, another instance's of the same span: what was live at once adds up there,
        and is a maximum over time."""
        for name in ("ended", "errors", "first_text", "whole", "queued", "refused", "starts"):
            _merge(getattr(self, name), getattr(other, name))
        for name in ("moderation", "checks", "relay"):
            mine, others = getattr(self, name), getattr(other, name)
            for key, counts in others.items():
                _merge(mine.setdefault(key, {}), counts)
        for name in ("input_tokens", "output_tokens", "cost", "store_failures", "takeovers"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.live_max = self.live_max + other.live_max if together else max(self.live_max, other.live_max)

    def aside(self) -> "Tally":
        """Only what no turn's log line tells."""
        return Tally(
            moderation=self.moderation,
            checks=self.checks,
            relay=self.relay,
            store_failures=self.store_failures,
            refused=self.refused,
            takeovers=self.takeovers,
            starts=self.starts,
            live_max=self.live_max,
        )


class Standing(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How an instance stands: `breakers` by upstream, `day_part` of the service's daily limit that is taken; `gone`
    when it has ended."""

    live: int = 0
    queued: int = 0
    breakers: dict[str, str] = {}
    day_part: float = 0.0
    gone: bool = False


class Kept(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What the store keeps of a span; `now` of an instance's hours only."""

    tally: Tally
    now: Standing = msgspec.field(default_factory=Standing)


def summed(tallies: Iterable[Tally], *, together: bool = False) -> Tally:
    """All of them in one."""
    total = Tally()
    for tally in tallies:
        total.add(tally, together=together)
    return total


def hour_of(at: int) -> int:
    """When the hour of a time began; both Unix milliseconds."""
    return at - at % HOUR_MS


def day_of(at: int) -> int:
    """When the day of a time began, at midnight in China; both Unix milliseconds."""
    return at - (at + CHINA_MS) % DAY_MS


def observe(histogram: Histogram, milliseconds: float, bounds: tuple[int, ...]) -> None:
    """Count one observation under the first bound it does not exceed."""
    place = bisect_left(bounds, milliseconds)
    bound = bounds[place] if place < len(bounds) else OVER
    histogram[bound] = histogram.get(bound, 0) + 1


def percentile(histogram: Histogram, part: float, bounds: tuple[int, ...]) -> int | None:
    """Milliseconds within which that `part` (0 to 1) lies, computed as Prometheus' `histogram_quantile` does: a
    straight line within the bucket, and the last bound for all above it. None without observations."""
    total = sum(histogram.values())
    if not total:
        return None
    rank, below, lower = part * total, 0, 0
    for bound in sorted({*bounds, *histogram} - {OVER}):
        count = histogram.get(bound, 0)
        if count and below + count >= rank:
            return round(lower + (bound - lower) * (rank - below) / count)
        below, lower = below + count, bound
    return lower


def _add(counts: Counts, name: str, more: int) -> None:
    counts[name] = counts.get(name, 0) + more


def _merge(mine: dict[str | int, int], others: Mapping[str | int, int]) -> None:
    for key, count in others.items():
        mine[key] = mine.get(key, 0) + count


def _number(value: str | int | float | bool | None) -> int:
    return value if isinstance(value, int) else 0
