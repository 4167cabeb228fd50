"""Counts from log lines: in any order, twice, wrapped, and with lines of others among them."""

import json
import random
from typing import Any

import msgspec
import pytest

from tests.fakes.clock import FakeClock
from tests.unit.services.test_tally_book import NOON, World
from yunliao.domain.tally import HOUR_MS, Kept, summed
from yunliao.services.log_lines import LogLines
from yunliao.services.tally_book import CountedTurns, TallyBook


class Written:
    """A log that keeps its lines, as an instance prints them."""

    def __init__(self, clock: FakeClock) -> None:
        self.lines: list[str] = []
        self._clock = clock

    def turn(self, **fields: Any) -> None:
        self._put("turn", {name: value for name, value in fields.items() if value not in (None, "")})

    def tally(self, instance: str, hour: int, version: int, tally: Any) -> None:
        counts = msgspec.to_builtins(tally)
        self._put("tally", {"instance": instance, "hour": hour, "version": version, **counts})

    def _put(self, event: str, fields: dict[str, Any]) -> None:
        self.lines.append(json.dumps({**fields, "event": event, "level": "info"}, ensure_ascii=False))


def lived(world: World, seed: int) -> list[str]:
    """Two instances through some hours; their lines."""
    chance = random.Random(seed)
    written = Written(world.clock)
    books: list[TallyBook] = []
    for name in ("one", "two"):
        book = world.book(name)
        book._told = lambda hour, version, tally, name=name: written.tally(name, hour, version, tally)  # type: ignore[misc]
        books.append(book)
    logs = [CountedTurns(written, book, world.clock) for book in books]
    for number in range(300):
        which = chance.randrange(2)
        match chance.randrange(6):
            case 0:
                books[which].moderation("wechat", chance.choice(["pass", "risky", "timeout"]), chance.random() * 3)
            case 1:
                books[which].relay_attempt(chance.choice(["main", "spare"]), chance.choice(["success", "failure"]))
            case 2:
                books[which].live_turns(chance.randrange(20))
                books[which].credits_refused("daily_limit")
            case 3:
                books[which].say()
                books[which].flush()
            case _:
                logs[which].turn(
                    turn=f"turn_{number}",
                    reason=chance.choice(["complete", "stopped", "blocked", "failed"]),
                    code=chance.choice(["", "relay_timeout"]),
                    first_text_ms=chance.choice([None, chance.randrange(9_000)]),
                    total_ms=chance.randrange(90_000),
                    queued_ms=chance.randrange(900),
                    input_tokens=chance.randrange(900),
                    output_tokens=chance.randrange(900),
                    cost=chance.randrange(9_000),
                )
        world.clock.advance(chance.random() * 120)
    for book in books:
        book.close()
    return written.lines


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("seed", range(6))
def test_the_log_and_the_store_tell_the_same(world: World, seed: int) -> None:
    lines = lived(world, seed)
    random.Random(seed).shuffle(lines)
    found = LogLines()
    found.feed([*lines, *lines[: len(lines) // 2]])  # files that overlap
    assert found.skipped == 0
    stored: dict[int, list[Any]] = {}
    for record in world.tallies.read("instance", since=0, until=2**60):
        stored.setdefault(record.at, []).append(msgspec.json.decode(record.body, type=Kept).tally)
    assert len(stored) > 3
    assert found.by_hour() == {at: summed(parts, together=True) for at, parts in stored.items()}
    told, kept = found.view(hours=30, days=3), world.summary().view(hours=30, days=3)
    assert [row for row in told.hours if row.turns] == [row for row in kept.hours if row.turns]
    assert [row for row in told.days if row.turns] == [row for row in kept.days if row.turns]
    assert sum(row.turns for row in told.days) > 60 and told.now is None


def test_lines_are_read_behind_a_prefix_and_within_another_object() -> None:
    line = json.dumps({"event": "turn", "turn": "t1", "reason": "complete", "total_ms": 5, "at": NOON})
    second = line.replace("t1", "t2")
    found = LogLines()
    found.feed(
        [
            f"2026-11-21T10:00:00Z stdout F {line}",
            json.dumps({"content": second, "container": "yunliao-001", "n": 5}),
            "plain words",
            "",
            "{broken",
            json.dumps({"no": "event"}),
            "[1, 2]",
            json.dumps({"event": "turn", "reason": "complete"}),  # of what turn, and when?
            json.dumps({"event": "tally", "instance": "a", "hour": "no", "version": 1}),
            json.dumps({"event": "audit", "seq": 1}),
        ]
    )
    assert sum(tally.ended["complete"] for tally in found.by_hour().values()) == 2
    assert found.skipped == 7


def test_a_line_of_an_older_version_is_placed_by_its_stamp() -> None:
    found = LogLines()
    found.feed(['{"event": "turn", "turn": "t", "reason": "complete", "timestamp": "2026-11-21T10:30:00.5Z"}'])
    ((hour, tally),) = found.by_hour().items()
    assert hour == 1_795_255_200_000 // HOUR_MS * HOUR_MS and tally.ended == {"complete": 1}
