"""Where the hours' counts are kept (domain/tally.py): numbers of the whole service, nothing of a person. Every call may
raise `StoreUnavailable`."""

from typing import Literal, Protocol

import msgspec

Span = Literal["instance", "hour", "day"]
"""An hour of one instance; an hour of all, once it is settled; a day of all."""


class TallyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of the span that began `at` (Unix milliseconds). `source` is the instance, "" for all. A record holds
    whole counts, never a difference, so that writing it twice counts nothing twice; `version` orders the writes."""

    span: Span
    at: int
    source: str = ""
    version: int
    body: bytes


class Tallies(Protocol):
    """Counts by span, beginning and source."""

    def put(self, record: TallyRecord) -> None:
        """Write, unless what stands there has this `version` or a newer one: a repeated or late write changes
        nothing."""
        ...

    def read(self, span: Span, *, since: int, until: int) -> list[TallyRecord]:
        """Those with `since` <= `at` < `until`, ascending by (at, source)."""
        ...

    def oldest(self, span: Span) -> int | None:
        """The smallest `at`; None without any."""
        ...

    def expire(self, span: Span, *, before: int, limit: int) -> int:
        """Remove up to `limit` with `at` < `before`, oldest first; how many."""
        ...


class TallySink(Protocol):
    """Who counts along with the metrics; as `ports.Metrics`."""

    def live_turns(self, count: int) -> None: ...
    def moderation(self, layer: str, outcome: str, seconds: float) -> None: ...
    def relay_attempt(self, upstream: str, outcome: str) -> None: ...
    def relay_state(self, upstream: str, state: str) -> None: ...
    def store_failed(self) -> None: ...
    def started(self, seconds: float) -> None: ...
    def takeover(self) -> None: ...
    def credits_refused(self, code: str) -> None: ...
    def service_day(self, part: float) -> None: ...
