"""Tallies as people read them: one row an hour or a day, with percentiles."""

from collections.abc import Iterable, Mapping

import msgspec

from yunliao.domain.quota import DAY_MS
from yunliao.domain.tally import (
    HOUR_MS,
    SHORT_MS,
    WHOLE_MS,
    Histogram,
    Standing,
    Tally,
    day_of,
    hour_of,
    percentile,
    summed,
)

WORST = ("closed", "half-open", "open")


class Percentiles(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds, null where nothing was observed; `count` observations."""

    p50: int | None
    p90: int | None
    p99: int | None
    count: int


class AskedView(msgspec.Struct, frozen=True, kw_only=True):
    """Generations asked of an upstream; `failed` by its fault."""

    asked: int
    failed: int


class SpanView(msgspec.Struct, frozen=True, kw_only=True, rename={"began": "from"}):
    """An hour or a day; `from` in Unix milliseconds. `completed` are whole answers, those cut at their longest among
    them; `success` is the part of turns that did not fail, null without turns. `moderation` by layer and outcome;
    `live_max`: the most at once, summed over instances; `cold_starts` of instances, `start_ms` how long they took."""

    began: int
    turns: int
    completed: int
    stopped: int
    failed: int
    blocked: int
    success: float | None
    errors: dict[str, int]
    first_text_ms: Percentiles
    whole_ms: Percentiles
    queued_ms: Percentiles
    tokens_in: int
    tokens_out: int
    cost_micro: int
    moderation: dict[str, dict[str, int]]
    moderation_ms: dict[str, Percentiles]
    relay: dict[str, AskedView]
    store_failures: int
    credits_refused: dict[str, int]
    takeovers: int
    cold_starts: int
    start_ms: Percentiles
    live_max: int


class NowView(msgspec.Struct, frozen=True, kw_only=True):
    """All instances heard of lately, together. `breakers`: the worst state of each upstream (`closed`, `half-open`,
    `open`); `service_day_part`: the part of the service's daily limit that is taken, 0 to 1."""

    live: int
    queued: int
    instances: int
    breakers: dict[str, str]
    service_day_part: float


class SummaryView(msgspec.Struct, frozen=True, kw_only=True):
    """Rows ascending without gaps, the last one still running; days begin at midnight in China. `now` is null where
    only log lines are known."""

    now: NowView | None
    hours: list[SpanView]
    days: list[SpanView]


def standing_view(standings: Iterable[Standing]) -> NowView:
    """Instances together."""
    all_of_them = list(standings)
    breakers: dict[str, str] = {}
    for one in all_of_them:
        for upstream, state in one.breakers.items():
            breakers[upstream] = max(breakers.get(upstream, WORST[0]), state, key=WORST.index)
    return NowView(
        live=sum(one.live for one in all_of_them),
        queued=sum(one.queued for one in all_of_them),
        instances=len(all_of_them),
        breakers=breakers,
        service_day_part=max((one.day_part for one in all_of_them), default=0.0),
    )


def first_hour(now: int, hours: int) -> int:
    """When the first of the last `hours` hours began, the running one included."""
    return hour_of(now) - (hours - 1) * HOUR_MS


def first_day(now: int, days: int) -> int:
    """When the first of the last `days` days began, the running one included."""
    return day_of(now) - (days - 1) * DAY_MS


def rows(
    by_hour: Mapping[int, Tally], by_day: Mapping[int, Tally], *, now: int, hours: int, days: int
) -> tuple[list[SpanView], list[SpanView]]:
    """The last hours and days before `now`. A day that is not in `by_day` is the sum of its hours."""
    began = [first_hour(now, hours) + number * HOUR_MS for number in range(hours)]
    whole: dict[int, list[Tally]] = {}
    for hour, tally in by_hour.items():
        whole.setdefault(day_of(hour), []).append(tally)
    dawned = [first_day(now, days) + number * DAY_MS for number in range(days)]
    return (
        [span_view(at, by_hour.get(at, Tally())) for at in began],
        [span_view(at, by_day[at] if at in by_day else summed(whole.get(at, ()))) for at in dawned],
    )


def span_view(began: int, tally: Tally) -> SpanView:
    """One row."""
    turns = sum(tally.ended.values())
    failed = tally.ended.get("failed", 0)
    return SpanView(
        began=began,
        turns=turns,
        completed=tally.ended.get("complete", 0) + tally.ended.get("length", 0),
        stopped=tally.ended.get("stopped", 0),
        failed=failed,
        blocked=tally.ended.get("blocked", 0),
        success=round(1 - failed / turns, 4) if turns else None,
        errors=tally.errors,
        first_text_ms=_percentiles(tally.first_text),
        whole_ms=_percentiles(tally.whole, WHOLE_MS),
        queued_ms=_percentiles(tally.queued),
        tokens_in=tally.input_tokens,
        tokens_out=tally.output_tokens,
        cost_micro=tally.cost,
        moderation=tally.moderation,
        moderation_ms={layer: _percentiles(times) for layer, times in tally.checks.items()},
        relay={
            upstream: AskedView(asked=sum(outcomes.values()), failed=outcomes.get("failure", 0))
            for upstream, outcomes in tally.relay.items()
        },
        store_failures=tally.store_failures,
        credits_refused=tally.refused,
        takeovers=tally.takeovers,
        cold_starts=sum(tally.starts.values()),
        start_ms=_percentiles(tally.starts),
        live_max=tally.live_max,
    )


def _percentiles(histogram: Histogram, bounds: tuple[int, ...] = SHORT_MS) -> Percentiles:
    p50, p90, p99 = (percentile(histogram, part, bounds) for part in (0.5, 0.9, 0.99))
    return Percentiles(p50=p50, p90=p90, p99=p99, count=sum(histogram.values()))
