"""The hours' counts: written whole, so that nothing is lost but the last seconds and nothing is counted twice."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from yunliao.domain.quota import DAY_MS
from yunliao.domain.tally import HOUR_MS, Kept, Tally, day_of
from yunliao.errors import StoreUnavailable
from yunliao.ports_tallies import Tallies, TallyRecord
from yunliao.services.summary import HOURS_KEPT_MS, Summary
from yunliao.services.tally_book import HEARTBEAT, KEPT_HOURS, CountedTurns, TallyBook

NOON = day_of(1_790_000_000_000) + 12 * HOUR_MS


class Flaky:
    """The tallies of a store that fails when told: before the write, or after it with the answer lost."""

    def __init__(self, tallies: Tallies) -> None:
        self._tallies = tallies
        self.fails: list[str] = []
        self.puts = 0

    def put(self, record: TallyRecord) -> None:
        how = self.fails.pop(0) if self.fails else ""
        if how == "before":
            raise StoreUnavailable
        self._tallies.put(record)
        self.puts += 1
        if how == "after":
            raise StoreUnavailable

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tallies, name)


class World:
    def __init__(self) -> None:
        self.clock = FakeClock(NOON)
        self.tallies = Flaky(MemoryStore().tallies)
        self.said: list[tuple[int, int, Tally]] = []
        self.spawned: list[Callable[[], None]] = []

    def book(self, instance: str = "a") -> TallyBook:
        return TallyBook(
            tallies=self.tallies,  # type: ignore[arg-type]
            clock=self.clock,
            instance=instance,
            spawn=self.spawned.append,
            told=lambda *told: self.said.append(told),
        )

    def summary(self, book: TallyBook | None = None) -> Summary:
        return Summary(tallies=self.tallies, book=book or self.book("reader"), clock=self.clock)  # type: ignore[arg-type]

    def ended(self, book: TallyBook, reason: str = "complete") -> None:
        book.turn(self.clock.now_ms(), {"reason": reason, "first_text_ms": 400, "total_ms": 2_000, "cost": 5})

    def hours(self, count: int = 3) -> list[int]:
        return [row.turns for row in self.summary().view(hours=count, days=0).hours]


@pytest.fixture
def world() -> World:
    return World()


def test_an_outcome_nobody_knows_is_written_again_and_counts_once(world: World) -> None:
    book = world.book()
    for how in ("after", "before", "after"):
        world.ended(book)
        world.tallies.fails = [how]
        with pytest.raises(StoreUnavailable):
            book.flush()
    book.flush()
    book.flush()
    assert world.hours(1) == [3]


def test_a_write_that_comes_late_takes_nothing_back(world: World) -> None:
    book = world.book()
    world.ended(book)
    late: list[TallyRecord] = []
    whole, world.tallies.put = world.tallies.put, late.append  # type: ignore[method-assign]
    book.flush()
    world.tallies.put = whole  # type: ignore[method-assign]
    world.ended(book)
    book.flush()
    whole(late[0])
    assert world.hours(1) == [2]


def test_a_crash_loses_only_what_was_not_written(world: World) -> None:
    book = world.book()
    world.ended(book)
    book.flush()
    world.ended(book)  # and now the process dies
    world.ended(world.book("its successor"))
    assert world.hours(1) == [1]


def test_a_turn_that_ends_as_the_hour_does_is_counted_in_the_hour_of_its_line(world: World) -> None:
    book = world.book()
    world.clock.advance(3599)
    at = world.clock.now_ms()
    world.ended(book)
    world.clock.advance(2)
    book.flush()
    world.ended(book)
    book.turn(at, {"reason": "stopped"})  # its moment was taken just before
    book.flush()
    assert world.hours(2) == [2, 1]


def test_hours_of_an_outage_are_written_after_it(world: World) -> None:
    book = world.book()
    for _ in range(4):
        world.ended(book)
        world.tallies.fails = ["before"]
        with pytest.raises(StoreUnavailable):
            book.flush()
        world.clock.advance(3600)
    book.flush()
    assert world.hours(5) == [1, 1, 1, 1, 0]
    assert world.summary().view(hours=0, days=1).days[0].turns == 4


def test_memory_is_bounded_however_long_the_store_is_away(world: World) -> None:
    book = world.book()
    for _ in range(100):
        world.ended(book)
        world.clock.advance(3600)
    assert len(book._hours) <= KEPT_HOURS + 1


def test_nothing_is_written_where_nothing_happens_but_a_heartbeat(world: World) -> None:
    book = world.book()
    book.flush()
    assert world.tallies.puts == 0  # a command of the operator counts nothing, and is no instance
    world.ended(book)
    book.flush()
    puts = world.tallies.puts
    book.flush()
    world.clock.advance(HEARTBEAT - 1)
    book.flush()
    assert world.tallies.puts == puts
    world.clock.advance(1)
    book.flush()
    assert world.tallies.puts == puts + 1


def test_now_is_all_instances_heard_of_lately(world: World) -> None:
    one, two, dead = world.book("one"), world.book("two"), world.book("dead")
    dead.live_turns(9)
    dead.flush()
    world.clock.advance(100)
    one.queued = lambda: 4
    one.live_turns(3)
    two.live_turns(2)
    one.relay_state("main", "closed")
    two.relay_state("main", "open")
    two.relay_state("spare", "half-open")
    two.service_day(0.4)
    one.flush()
    two.flush()
    now = world.summary().view(hours=1, days=0).now
    assert now is not None
    assert (now.live, now.queued, now.instances, now.service_day_part) == (5, 4, 2, 0.4)
    assert now.breakers == {"main": "open", "spare": "half-open"}
    two.close()
    now = world.summary().view(hours=1, days=0).now
    assert now is not None and (now.live, now.instances, now.breakers) == (3, 1, {"main": "closed"})
    assert world.summary().view(hours=1, days=0).hours[0].live_max == 9 + 3 + 2


def test_what_no_turn_tells_goes_to_the_log_whole_and_only_when_it_changed(world: World) -> None:
    book = world.book()
    book.moderation("wechat", "pass", 0.1)
    book.say()
    book.say()
    world.ended(book)  # has a line of its own
    book.say()
    book.moderation("wechat", "timeout", 3.0)
    book.relay_attempt("main", "failure")
    book.say()
    assert [(hour, tally.moderation, tally.relay) for hour, _, tally in world.said] == [
        (NOON, {"wechat": {"pass": 1}}, {}),
        (NOON, {"wechat": {"pass": 1, "timeout": 1}}, {"main": {"failure": 1}}),
    ]
    assert world.said[0][1] < world.said[1][1]
    assert not any(tally.ended for _, _, tally in world.said)


def test_the_end_writes_and_says_the_rest_and_does_not_fail(world: World) -> None:
    book = world.book()
    world.ended(book)
    book.store_failed()
    world.tallies.fails = ["before"]
    book.close()
    assert len(world.said) == 1
    book.close()
    assert world.hours(1) == [1]


def test_the_line_of_a_turn_has_the_moment_it_was_counted_at(world: World) -> None:
    lines: list[dict[str, Any]] = []

    class Log:
        def turn(self, **fields: Any) -> None:
            lines.append(fields)

    book = world.book()
    CountedTurns(Log(), book, world.clock).turn(turn="t", reason="complete", total_ms=5)
    book.flush()
    assert lines == [{"at": NOON, "instance": "a", "turn": "t", "reason": "complete", "total_ms": 5}]
    assert world.hours(1) == [1]


# --- days ------------------------------------------------------------------------------------------------------------


def test_days_are_summed_up_once_a_day_after_their_end_and_read_the_same(world: World) -> None:
    one, two = world.book("one"), world.book("two")
    for _ in range(30):
        world.ended(one)
        world.ended(two, "failed")
        one.live_turns(2)
        one.flush()
        two.flush()
        world.clock.advance(3600)
    assert world.summary().settle()["days_settled"] == 0
    world.clock.advance(24 * 3600)  # the first day has been over for a day, the second has not
    before = world.summary().view(hours=80, days=4)
    assert world.summary().settle() == {"days_settled": 1, "tallies_expired": 0}
    assert world.summary().settle()["days_settled"] == 0
    after = world.summary().view(hours=80, days=4)
    assert msgspec.json.encode(after) == msgspec.json.encode(before)
    assert [row.turns for row in after.days] == [0, 24, 36, 0]
    assert sum(row.turns for row in after.hours) == 60
    assert len(world.tallies.read("instance", since=0, until=day_of(NOON) + DAY_MS)) == 0
    assert after.days[1].live_max == 2


@pytest.mark.parametrize("survives", range(1, 40))
def test_settling_that_is_cut_off_anywhere_goes_on_and_counts_once(world: World, survives: int) -> None:
    for name in ("one", "two", "three"):
        book = world.book(name)
        for _ in range(3):
            world.ended(book)
            book.flush()
            world.clock.advance(3600)
    world.clock.advance(3 * 86_400)
    calls = 0

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*values: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > survives:
                raise StoreUnavailable
            if call.__name__ == "expire":
                named["limit"] = 1
                if call(*values, **named):
                    return 500  # a full batch: there is more
                return 0
            return call(*values, **named)

        return step

    tallies = world.tallies._tallies
    world.tallies.put = counted(tallies.put)  # type: ignore[method-assign]
    world.tallies.expire = counted(tallies.expire)  # type: ignore[attr-defined]
    try:
        world.summary().settle()
    except StoreUnavailable:
        assert calls == survives + 1
    world.tallies.put = tallies.put  # type: ignore[method-assign]
    world.tallies.expire = tallies.expire  # type: ignore[attr-defined]
    assert sum(row.turns for row in world.summary().view(hours=0, days=5).days) == 9
    world.summary().settle()
    seen = world.summary().view(hours=24 * 5, days=5)
    assert sum(row.turns for row in seen.hours) == sum(row.turns for row in seen.days) == 9


def test_two_that_settle_at_once_count_once(world: World) -> None:
    book = world.book()
    world.ended(book)
    book.flush()
    world.clock.advance(3 * 86_400)
    first, second = world.summary(), world.summary()
    put = world.tallies._tallies.put

    def meanwhile(record: TallyRecord) -> None:
        world.tallies.put = put  # type: ignore[method-assign]
        assert second.settle()["days_settled"] == 1
        put(record)

    world.tallies.put = meanwhile  # type: ignore[method-assign]
    first.settle()
    assert sum(row.turns for row in world.summary().view(hours=0, days=5).days) == 1


def test_hours_and_days_go_when_their_time_is_over(world: World) -> None:
    book = world.book()
    world.ended(book)
    book.flush()
    world.clock.advance(HOURS_KEPT_MS / 1000 + 3600)
    assert world.summary().settle() == {"days_settled": 1, "tallies_expired": 1}
    assert world.tallies.oldest("hour") is None
    assert sum(row.turns for row in world.summary().view(hours=0, days=70).days) == 1
    world.clock.advance(800 * 86_400)
    world.summary().settle()
    assert world.tallies.oldest("day") is None


def test_rows_have_no_gaps(world: World) -> None:
    seen = world.summary().view(hours=24, days=7)
    assert [row.began for row in seen.hours] == [NOON - (23 - number) * HOUR_MS for number in range(24)]
    assert [row.began for row in seen.days] == [day_of(NOON) - (6 - number) * DAY_MS for number in range(7)]
    row = seen.hours[-1]
    assert (row.turns, row.success, row.first_text_ms.p90, row.cold_starts) == (0, None, None, 0)


def test_a_foreign_body_of_a_later_version_is_read(world: World) -> None:
    body = msgspec.json.encode({"tally": {"ended": {"complete": 2, "evaporated": 1}}, "news": True})
    world.tallies.put(TallyRecord(span="instance", at=NOON, source="later", version=NOON, body=body))
    row = world.summary().view(hours=1, days=0).hours[0]
    assert (row.turns, row.completed) == (3, 2)
    assert msgspec.json.decode(body, type=Kept).now.gone is False
