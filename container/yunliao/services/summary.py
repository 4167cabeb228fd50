"""What all instances did, by the hour and the day, from what they keep in the store (services/tally_book.py)."""

from collections.abc import Iterable

import msgspec

from yunliao.domain.quota import DAY_MS
from yunliao.domain.summary import SummaryView, first_day, first_hour, rows, standing_view
from yunliao.domain.tally import HOUR_MS, Kept, Tally, day_of, hour_of, summed
from yunliao.ports import Clock
from yunliao.ports_tallies import Tallies, TallyRecord
from yunliao.services.tally_book import TallyBook

SEEN_MS = 90_000
"""An instance is there if it was heard of within this time: three heartbeats, and some difference of clocks."""
HOURS_KEPT_MS = 62 * DAY_MS
DAYS_KEPT_MS = 800 * DAY_MS
BATCH = 500
SECONDS = 4.0
"""Longest time of one call of `settle`: far below the platform's 15 (platform.md §1.3)."""


class Summary:
    """Reads, settles and clears what was counted."""

    def __init__(self, *, tallies: Tallies, book: TallyBook, clock: Clock) -> None:
        self._tallies = tallies
        self._book = book
        self._clock = clock

    def view(self, *, hours: int, days: int) -> SummaryView:
        """The last `hours` hours and `days` days. What other instances did in the last few seconds may be missing."""
        self._book.flush()
        now = self._clock.now_ms()
        settled = {}
        if days:
            found = self._tallies.read("day", since=first_day(now, days), until=now)
            settled = {record.at: _kept(record).tally for record in found}
        wanted = [first_day(now, days) + number * DAY_MS for number in range(days)]
        since = min([first_hour(now, hours + 1), *(day for day in wanted if day not in settled)])
        by_hour, own = self._hours(since, now + HOUR_MS)
        by_hours, by_days = rows(by_hour, settled, now=now, hours=hours, days=days)
        there = (kept.now for record, kept in newest(own) if record.version > now - SEEN_MS and not kept.now.gone)
        return SummaryView(now=standing_view(there), hours=by_hours, days=by_days)

    def settle(self) -> dict[str, int]:
        """Sum up days that were over a day ago, when every instance has written its part, and remove what is past its
        time; counts. Cut off anywhere it can be called again: a sum is written before its parts go, and only once."""
        began, now = self._clock.monotonic(), self._clock.now_ms()
        settled = 0
        while (oldest := self._tallies.oldest("instance")) is not None and day_of(oldest) + 2 * DAY_MS <= now:
            day = day_of(oldest)
            by_hour, _ = self._hours(day, day + DAY_MS)
            for hour, tally in by_hour.items():
                self._tallies.put(_record("hour", hour, tally))
            self._tallies.put(_record("day", day, summed(by_hour.values())))
            while self._tallies.expire("instance", before=day + DAY_MS, limit=BATCH) == BATCH:
                pass
            settled += 1
            if self._clock.monotonic() - began > SECONDS:
                break
        gone = self._tallies.expire("hour", before=now - HOURS_KEPT_MS, limit=BATCH)
        gone += self._tallies.expire("day", before=now - DAYS_KEPT_MS, limit=BATCH)
        return {"days_settled": settled, "tallies_expired": gone}

    def _hours(self, since: int, until: int) -> tuple[dict[int, Tally], list[tuple[TallyRecord, Kept]]]:
        """By hour, and what instances wrote of hours that are not settled."""
        settled = {one.at: _kept(one).tally for one in self._tallies.read("hour", since=since, until=until)}
        own = [
            (record, _kept(record))
            for record in self._tallies.read("instance", since=since, until=until)
            if record.at not in settled
        ]
        parts: dict[int, list[Tally]] = {}
        for record, kept in own:
            parts.setdefault(hour_of(record.at), []).append(kept.tally)
        return settled | {at: summed(tallies, together=True) for at, tallies in parts.items()}, own


def newest(own: Iterable[tuple[TallyRecord, Kept]]) -> Iterable[tuple[TallyRecord, Kept]]:
    """The newest of every instance."""
    found: dict[str, tuple[TallyRecord, Kept]] = {}
    for record, kept in own:
        if record.source not in found or found[record.source][0].version < record.version:
            found[record.source] = (record, kept)
    return found.values()


def _kept(record: TallyRecord) -> Kept:
    return msgspec.json.decode(record.body, type=Kept)


def _record(span: str, at: int, tally: Tally) -> TallyRecord:
    return TallyRecord(span=span, at=at, version=1, body=msgspec.json.encode(Kept(tally=tally)))  # type: ignore[arg-type]
