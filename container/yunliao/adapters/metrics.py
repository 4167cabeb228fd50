"""Prometheus metrics in a registry of their own. Label values come from the small fixed sets of `LABELS`; anything else
is `other`, so whatever is sent to the service cannot grow them."""

from collections.abc import Callable
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from yunliao import errors
from yunliao.adapters.wechat.moderation import OUTCOMES
from yunliao.domain.events import EndReason
from yunliao.domain.tally import SECONDS, WHOLE

LABELS: dict[str, frozenset[str]] = {
    "reason": frozenset(get_args(EndReason)),
    "code": frozenset({"", *errors.codes()}),
    "layer": frozenset({"wechat", "relay"}),
    "check": OUTCOMES,
    "attempt": frozenset({"success", "failure", "neutral", "stopped"}),
    "hedge": frozenset({"won", "lost", "failed"}),
    "continued": frozenset(get_args(EndReason)),
    "transport": frozenset({"socket", "poll", "sse"}),
}
"""What a label may say; the label `outcome` by what it is the outcome of."""
UPSTREAMS = 50
"""Upstreams that are told apart; a service has a handful."""
OTHER = "other"


def known(label: str, value: str) -> str:
    """The value, if it is one of the label's."""
    return value if value in LABELS[label] else OTHER


class PrometheusMetrics:
    """Implements `ports.Metrics`."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._upstreams: set[str] = set()
        self._ended = Counter("yunliao_turns_ended", "Ended turns", ("reason", "code"), registry=registry)
        self._whole = Histogram(
            "yunliao_turn_seconds", "From accept to the end of an answer", buckets=WHOLE, registry=registry
        )
        self._first_text = Histogram(
            "yunliao_first_text_seconds", "From accept to the first text shown", buckets=SECONDS, registry=registry
        )
        self._first_byte = Histogram(
            "yunliao_relay_first_byte_seconds",
            "From asking the relay to its first byte",
            buckets=SECONDS,
            registry=registry,
        )
        self._guard = Histogram(
            "yunliao_guard_delay_seconds",
            "From the first text received to the first shown",
            buckets=SECONDS,
            registry=registry,
        )
        self._queued = Histogram("yunliao_queue_seconds", "From accept to a place", buckets=SECONDS, registry=registry)
        self._tokens = Counter(
            "yunliao_tokens", "Tokens of ended turns, as reported or estimated", ("direction",), registry=registry
        )
        self._live = Gauge("yunliao_live_turns", "Turns this instance runs or queues", registry=registry)
        self._queue = Gauge("yunliao_queue_depth", "Turns waiting for a place", registry=registry)
        self._moderation = Histogram(
            "yunliao_moderation_seconds",
            "Checks by layer and outcome",
            ("layer", "outcome"),
            buckets=SECONDS,
            registry=registry,
        )
        self._relay_errors = Counter("yunliao_relay_errors", "Failed generations", ("code",), registry=registry)
        self._relay_attempts = Counter(
            "yunliao_relay_attempts", "Generations asked of an upstream", ("upstream", "outcome"), registry=registry
        )
        self._relay_state = Gauge(
            "yunliao_relay_breaker",
            "Breaker of an upstream: 0 closed, 1 half-open, 2 open",
            ("upstream",),
            registry=registry,
        )
        self._relay_hedges = Counter(
            "yunliao_relay_hedges", "Second upstreams asked for a late first byte", ("outcome",), registry=registry
        )
        self._relay_continued = Counter(
            "yunliao_relay_continued", "Answers cut off and gone on with", ("outcome",), registry=registry
        )
        self._commit = Histogram("yunliao_commit_seconds", "Group commits", buckets=SECONDS, registry=registry)
        self._rows = Counter("yunliao_commit_rows", "Events made durable", registry=registry)
        self._store_failures = Counter("yunliao_store_failures", "Commits the store did not take", registry=registry)
        self._start = Gauge(
            "yunliao_start_seconds", "From the start of the process to the first request it can take", registry=registry
        )
        self._takeovers = Counter("yunliao_takeovers", "Turns taken over from a dead instance", registry=registry)
        self._listeners = Gauge("yunliao_listeners", "Connected listeners", ("transport",), registry=registry)
        self._credits_cost = Counter(
            "yunliao_credits_cost", "Micro-credits that ended turns cost the operator", registry=registry
        )
        self._credits_refused = Counter(
            "yunliao_credits_refused", "Messages refused for want of credits", ("code",), registry=registry
        )
        self._service_day = Gauge(
            "yunliao_service_day_part", "Part of the service's daily limit that is taken, 0 to 1", registry=registry
        )

    def turn_ended(self, reason: str, code: str, seconds: float) -> None:
        self._ended.labels(known("reason", reason), known("code", code)).inc()
        self._whole.observe(seconds)

    def turn_used(self, queued_ms: int | None, input_tokens: int, output_tokens: int) -> None:
        if queued_ms is not None:
            self._queued.observe(queued_ms / 1000)
        self._tokens.labels("input").inc(input_tokens)
        self._tokens.labels("output").inc(output_tokens)

    def first_text(self, seconds: float) -> None:
        self._first_text.observe(seconds)

    def relay_first_byte(self, seconds: float) -> None:
        self._first_byte.observe(seconds)

    def guard_delay(self, seconds: float) -> None:
        self._guard.observe(seconds)

    def live_turns(self, count: int) -> None:
        self._live.set(count)

    def queue(self, depth: Callable[[], int]) -> None:
        """Who knows how many wait: asked with every scrape."""
        self._queue.set_function(depth)

    def moderation(self, layer: str, outcome: str, seconds: float) -> None:
        self._moderation.labels(known("layer", layer), known("check", outcome)).observe(seconds)

    def relay_error(self, code: str) -> None:
        self._relay_errors.labels(known("code", code)).inc()

    def relay_attempt(self, upstream: str, outcome: str) -> None:
        self._relay_attempts.labels(self.upstream(upstream), known("attempt", outcome)).inc()

    def relay_state(self, upstream: str, state: str) -> None:
        self._relay_state.labels(self.upstream(upstream)).set(("closed", "half-open", "open").index(state))

    def relay_hedge(self, outcome: str) -> None:
        self._relay_hedges.labels(known("hedge", outcome)).inc()

    def relay_continued(self, outcome: str) -> None:
        self._relay_continued.labels(known("continued", outcome)).inc()

    def commit(self, rows: int, seconds: float) -> None:
        self._commit.observe(seconds)
        self._rows.inc(rows)

    def store_failed(self) -> None:
        self._store_failures.inc()

    def started(self, seconds: float) -> None:
        """How long this instance took to be ready; once, when it is."""
        self._start.set(seconds)

    def takeover(self) -> None:
        self._takeovers.inc()

    def listeners(self, transport: str, change: int) -> None:
        self._listeners.labels(known("transport", transport)).inc(change)

    def credits_cost(self, amount: int) -> None:
        self._credits_cost.inc(amount)

    def credits_refused(self, code: str) -> None:
        self._credits_refused.labels(known("code", code)).inc()

    def service_day(self, part: float) -> None:
        self._service_day.set(part)

    def upstream(self, name: str) -> str:
        """The label of an upstream: names are the operator's, so only their number is bounded."""
        if name not in self._upstreams and len(self._upstreams) < UPSTREAMS:
            self._upstreams.add(name)
        return name if name in self._upstreams else OTHER

    def render(self) -> tuple[bytes, str]:
        """The exposition text and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST
