"""Switches over instances and outages of the store; trials that end whatever the upstream does."""

import threading
from collections.abc import Iterator

import pytest

from tests.fakes.clock import FakeClock
from tests.unit.services.desk_world import World
from yunliao.errors import InvalidRequest, NotFound, RelayRefused, StoreUnavailable
from yunliao.ports import Register, Registers, RelayEvent, RelayFinish, RelayRequest, RelayText
from yunliao.ports_operators import UpstreamView
from yunliao.services import relay_desk
from yunliao.services.relay_desk import RelayDesk
from yunliao.services.relay_switches import LOOK_SECONDS, RelaySwitches, SwitchedOff

OFF = SwitchedOff("alice", 1, "wrong answers")


class Stream:
    """Says its batches; `hang` then waits until it is closed."""

    upstream = "a"

    def __init__(self, *batches: list[RelayEvent], hang: bool = False, failure: Exception | None = None) -> None:
        self._batches, self._hang, self._failure = batches, hang, failure
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[list[RelayEvent]]:
        yield from self._batches
        if self._failure:
            raise self._failure
        if self._hang:
            assert self.closed.wait(30)

    def close(self) -> None:
        self.closed.set()


class Plant:
    """Two upstreams that answer with one stream."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.asked: list[tuple[str, RelayRequest]] = []

    def listed(self) -> list[UpstreamView]:
        return [self._view("a", ["deep", "fast"]), self._view("b", ["fast"])]

    def attempt(self, name: str, request: RelayRequest, first_byte: float) -> Stream:
        self.asked.append((name, request))
        return self.stream

    @staticmethod
    def _view(name: str, models: list[str]) -> UpstreamView:
        return UpstreamView(
            name=name,
            host="h",
            models=models,
            priority=1,
            weight=1,
            domestic=True,
            state="closed",
            live=0,
            max_live=0,
            waits=0,
            recent=[],
        )


class Flaky:
    """Registers of a store that can be away."""

    def __init__(self, registers: Registers) -> None:
        self._registers, self.away = registers, False

    def read(self, name: str) -> Register:
        if self.away:
            raise StoreUnavailable
        return self._registers.read(name)

    def swap(self, name: str, *, version: int, value: bytes) -> bool:
        return self._registers.swap(name, version=version, value=value)


def desk_over(world: World, stream: Stream) -> tuple[RelayDesk, Plant]:
    plant = Plant(stream)
    switches = RelaySwitches(world.store.registers, world.clock)
    return RelayDesk(
        upstreams=plant, switches=switches, audit=world.audit, clock=world.clock, instance="0123456789"
    ), plant


def test_another_instance_knows_with_the_first_look_after_two_seconds() -> None:
    clock, registers = FakeClock(), World().store.registers
    one, other = RelaySwitches(registers, clock), RelaySwitches(registers, clock)
    assert other.off() == frozenset()
    one.set("a", OFF)
    assert (one.off(), other.off()) == ({"a"}, frozenset())
    clock.advance(LOOK_SECONDS)
    assert other.off() == {"a"}
    other.set("a", None)
    clock.advance(LOOK_SECONDS)
    assert one.off() == frozenset()


def test_a_store_that_is_away_switches_nothing_on_or_off() -> None:
    clock, flaky = FakeClock(), Flaky(World().store.registers)
    switches = RelaySwitches(flaky, clock)
    flaky.away = True
    assert switches.off() == frozenset()
    flaky.away = False
    switches.set("a", OFF)
    flaky.away = True
    clock.advance(LOOK_SECONDS)
    assert switches.off() == {"a"}
    with pytest.raises(StoreUnavailable):
        switches.read()


def test_switches_are_audited_and_say_which_models_nobody_answers_for() -> None:
    world = World()
    desk, _ = desk_over(world, Stream())
    assert desk.switch_off("alice", "a", "  wrong \n answers ").stranded == ["deep"]
    assert desk.switch_off("alice", "b", "too").stranded == ["deep", "fast"]
    [a, _] = desk.all().relays
    assert a.off is not None and (a.off.by, a.off.reason) == ("alice", "wrong answers")
    assert desk.switch_on("bob", "a").stranded == []
    assert world.actions() == [("alice", "relay.off"), ("alice", "relay.off"), ("bob", "relay.on")]
    with pytest.raises(NotFound):
        desk.switch_off("alice", "nobody", "why")
    with pytest.raises(InvalidRequest):
        desk.switch_off("alice", "a", " \n ")
    assert len(world.actions()) == 3


def test_a_trial_asks_one_upstream_for_little_and_is_audited_first() -> None:
    world = World()
    stream = Stream([RelayText("好")], [RelayFinish("complete")])
    desk, plant = desk_over(world, stream)
    desk.switch_off("alice", "a", "why")
    tried = desk.test("alice", "a", "fast")
    assert tried.ok and tried.model == "fast" and tried.first_text_ms >= 1
    [(name, request)] = plant.asked
    assert (name, request.model, request.max_tokens) == ("a", "fast", relay_desk.TOKENS)
    assert world.actions()[-1] == ("alice", "relay.test") and stream.closed.is_set()
    with pytest.raises(InvalidRequest):
        desk.test("alice", "b", "deep")


def test_a_trial_ends_whatever_the_upstream_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_desk, "WHOLE_SECONDS", 0.05)
    hanging = desk_over(World(), Stream([RelayText("…")], hang=True))[0].test("alice", "a")
    assert (hanging.ok, hanging.code) == (False, "relay_timeout")
    refused = desk_over(World(), Stream(failure=RelayRefused("status 401")))[0].test("alice", "a")
    assert (refused.code, refused.detail, refused.first_text_ms) == ("relay_refused", "status 401", 0)
