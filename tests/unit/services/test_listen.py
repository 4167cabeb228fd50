"""Reading events: at once after a long wait, elsewhere when the instance has let go, awake when a lease ends."""

from typing import Any

import msgspec
import pytest

from tests.fakes.clock import FakeClock
from yunliao.domain.events import Accepted, End, Text, encode_event
from yunliao.domain.principal import Principal
from yunliao.domain.turn import Turn
from yunliao.ports import EventRow, Head
from yunliao.services.followed import Seen
from yunliao.services.listen import Listen
from yunliao.services.live_log import LiveLog, Numbered
from yunliao.services.people import Owner


class Plain:
    """A vault that seals nothing."""

    def open(self, key: bytes, blob: bytes, *, context: str) -> bytes:
        return blob


class OneTurn:
    """A store with one live turn; `later` rows appear when the clock has come so far."""

    def __init__(self, clock: FakeClock, lease_until: int, later: dict[int, EventRow]) -> None:
        self.clock, self.later, self.reads = clock, later, 0
        self.turn = Turn(
            id="turn_1", user_id="user", conversation_id="c", client_id="client01", fingerprint=b"",
            owner="another", lease_until=lease_until, last_seq=1, state="running",
        )  # fmt: skip

    def get(self, turn_id: str) -> Turn:
        self.reads += 1
        return self.turn

    def events(self, turn_id: str, *, after: int, limit: int) -> list[EventRow]:
        now = self.clock.now_ms()
        return [row for moment, row in self.later.items() if moment <= now and row.seq > after]


class OtherEngine:
    """An engine that does not run the turn; notes when it was asked to take it over."""

    def __init__(self, store: OneTurn) -> None:
        self.left, self.store = False, store
        self.taken: list[int] = []
        self.following: Any = None

    def user_of(self, turn_id: str) -> str:
        return ""

    def log_of(self, turn_id: str) -> None:
        return None

    def take_over(self, turn: Turn) -> bool:
        self.taken.append(self.store.clock.now_ms())
        self.store.turn = msgspec.structs.replace(turn, lease_until=self.store.clock.now_ms() + 6000)
        return True


class Followed:
    """Following that finds the turn as the store has it, and waits by the fake clock."""

    def __init__(self, store: OneTurn) -> None:
        self.store, self.closed = store, False

    def read(self, turn_id: str, after: int, timeout: float) -> Seen:
        clock, turn = self.store.clock, self.store.get(turn_id)
        until = clock.now_ms() + (0 if self.closed else int(timeout * 1000))
        news = [moment for moment, row in self.store.later.items() if row.seq > after]
        clock.sleep(max(0, min([until, turn.lease_until + 1, *news]) - clock.now_ms()) / 1000)
        rows = self.store.events(turn_id, after=after, limit=1)
        last_seq = max([self.store.get(turn_id).last_seq, *(row.seq for row in rows)])
        return Seen(Head(last_seq, self.store.turn.live, self.store.turn.lease_until), ())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def reader(clock: FakeClock, lease_ms: int, later: dict[int, EventRow]) -> tuple[Listen, OtherEngine, Any]:
    store = OneTurn(clock, clock.now_ms() + lease_ms, later)
    engine = OtherEngine(store)
    engine.following = following = Followed(store)
    owner = Owner("user", Principal(openid="", appid=""), b"", Plain())  # type: ignore[arg-type]
    return Listen(turns=store, engine=engine, following=following, clock=clock), engine, owner  # type: ignore[arg-type]


def row(seq: int) -> EventRow:
    event = Text(delta="好") if seq > 1 else Accepted(
        turn_id="turn_1", conversation_id="c", client_id="client01", user_message_id="m", created_at=0
    )  # fmt: skip
    return EventRow(seq=seq, body=encode_event(event), created_at=0)


def test_another_instances_text_is_seen_when_it_is_there(clock: FakeClock) -> None:
    listen, _, owner = reader(clock, 60_000, {clock.now_ms() + 1000: row(2)})
    piece = listen.read(owner, "turn_1", 1, 10)
    assert [event.seq for event in piece.events] == [2] and piece.live


def test_a_reader_wakes_in_the_moment_a_lease_ends(clock: FakeClock) -> None:
    began = clock.now_ms()
    listen, engine, owner = reader(clock, 1_000, {})
    listen.read(owner, "turn_1", 1, 3)
    assert len(engine.taken) == 1 and began + 1_000 < engine.taken[0] <= began + 1_010


def test_an_end_and_its_last_events_come_together(clock: FakeClock) -> None:
    listen, engine, owner = reader(clock, 60_000, {})
    store = engine.store
    store.turn = msgspec.structs.replace(store.turn, state="ended", last_seq=2)
    store.later = {clock.now_ms(): EventRow(seq=2, body=encode_event(End(reason="complete")), created_at=0)}
    piece = listen.read(owner, "turn_1", 1, 10)
    assert [event.seq for event in piece.events] == [2] and not piece.live
    assert not listen.read(owner, "turn_1", 2, 10).live


def test_nobody_waits_at_an_instance_that_has_let_go(clock: FakeClock) -> None:
    began = clock.now_ms()
    listen, engine, owner = reader(clock, 60_000, {})
    engine.left = True
    engine.following.closed = True
    piece = listen.read(owner, "turn_1", 1, 10)
    assert piece.live and not piece.events and clock.now_ms() == began


def test_a_listener_is_told_of_the_callers_turn_alone_and_only_where_it_runs(clock: FakeClock) -> None:
    listen, engine, owner = reader(clock, 60_000, {})
    told: Any = object()
    assert not listen.subscribe(owner, "turn_1", 0, told)  # it runs elsewhere
    log = LiveLog([Numbered(1, b'{"type":"accepted"}')])
    engine.log_of = lambda turn_id: log  # type: ignore[method-assign,assignment,return-value]
    engine.user_of = lambda turn_id: "another"  # type: ignore[method-assign]
    assert not listen.subscribe(owner, "turn_1", 1, told)
    engine.user_of = lambda turn_id: "user"  # type: ignore[method-assign]
    assert listen.subscribe(owner, "turn_1", 1, told)
    assert engine.store.reads == 0
