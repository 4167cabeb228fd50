"""The same counts from the log lines of all instances (docs/logs-and-metrics.md): for where nobody reaches the store.

Lines may come in any order, more than once, from files that overlap, with something before the JSON, or as a string
within another object, as log services export them.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from yunliao.domain.summary import SummaryView, rows
from yunliao.domain.tally import Tally, hour_of, summed


class LogLines:
    """Feed it lines, then ask for the view. `skipped` counts lines that are none of ours."""

    def __init__(self) -> None:
        self.skipped = 0
        self._turns: dict[int, Tally] = {}
        self._seen: set[str] = set()
        self._asides: dict[tuple[int, str], tuple[int, Tally]] = {}
        self._latest = 0

    def feed(self, lines: Iterable[str]) -> None:
        """Count what they say."""
        for line in lines:
            found = _object(line)
            if found is None or "event" not in found:
                self.skipped += 1
            elif found["event"] == "turn":
                self._turn(found)
            elif found["event"] == "tally":
                self._aside(found)

    def by_hour(self) -> dict[int, Tally]:
        """The counts, by when the hour began."""
        together: dict[int, list[Tally]] = {}
        for (hour, _), (_, aside) in self._asides.items():
            together.setdefault(hour, []).append(aside)
        total = {hour: summed(asides, together=True) for hour, asides in together.items()}
        for hour, turns in self._turns.items():
            total.setdefault(hour, Tally()).add(turns)
        return total

    def view(self, *, hours: int, days: int) -> SummaryView:
        """The last hours and days before the newest line."""
        by_hours, by_days = rows(self.by_hour(), {}, now=self._latest, hours=hours, days=days)
        return SummaryView(now=None, hours=by_hours, days=by_days)

    def _turn(self, line: dict[str, Any]) -> None:
        at, turn = _moment(line), str(line.get("turn") or "")
        if at is None or not turn:
            self.skipped += 1
        elif turn not in self._seen:
            self._seen.add(turn)
            self._latest = max(self._latest, at)
            self._turns.setdefault(hour_of(at), Tally()).turn(line)

    def _aside(self, line: dict[str, Any]) -> None:
        try:
            told, tally = msgspec.convert(line, Place), msgspec.convert(line, Tally, str_keys=True)
        except msgspec.ValidationError:
            self.skipped += 1
            return
        self._latest = max(self._latest, told.hour)
        known = self._asides.get((told.hour, told.instance))
        if known is None or known[0] < told.version:
            self._asides[told.hour, told.instance] = (told.version, tally.aside())


class Place(msgspec.Struct, frozen=True):
    """Whose counts of which hour, and how new."""

    instance: str
    hour: int
    version: int


def _object(line: str) -> dict[str, Any] | None:
    """The JSON object of a line: its first brace begins it, or a string within it."""
    start = line.find("{")
    if start < 0:
        return None
    try:
        found = msgspec.json.decode(line[start:])
    except msgspec.DecodeError:
        return None
    if not isinstance(found, dict) or "event" in found:
        return found if isinstance(found, dict) else None
    inner = [value for value in found.values() if isinstance(value, str) and "{" in value]
    return next((one for one in map(_object, inner) if one is not None and "event" in one), found)


def _moment(line: dict[str, Any]) -> int | None:
    """When it was counted, Unix milliseconds; of lines written before there was `at`, when it was written."""
    at, stamp = line.get("at"), line.get("timestamp")
    if isinstance(at, int) and at > 0:
        return at
    try:
        return int(datetime.fromisoformat(str(stamp)).timestamp() * 1000)
    except ValueError:
        return None
