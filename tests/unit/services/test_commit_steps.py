"""The group commit over a store that fails, verdicts that come late, and turns that come back."""

import threading
from collections.abc import Callable

import pytest

from tests.contract.records import LIMITS, draft, user
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from tests.unit.services.test_run_stop import ANSWER, Anything, Plain, World
from yunliao.domain.guard import GuardPolicy
from yunliao.domain.principal import Principal
from yunliao.domain.turn import Turn
from yunliao.errors import StoreUnavailable
from yunliao.ports import CommitResult, Turns, TurnWrite
from yunliao.services.admission import Slots
from yunliao.services.committer import Committer
from yunliao.services.engine import Engine
from yunliao.services.live_log import LiveLog
from yunliao.services.people import Owner
from yunliao.services.run import Run, Tools

LEASE = 6.0


class Shaky:
    """The turns of a store that fails as often as it is told; `meanwhile` happens while it fails."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.failures = 0
        self.meanwhile: Callable[[], None] = lambda: None
        self.commits: list[list[TurnWrite]] = []
        self.leases: list[int] = []

    def commit(self, writes: list[TurnWrite], *, owner: str, lease_until: int) -> CommitResult:
        if self.failures:
            self.failures -= 1
            self.meanwhile()
            raise StoreUnavailable
        self.commits.append(list(writes))
        self.leases.append(lease_until)
        return self._turns.commit(writes, owner=owner, lease_until=lease_until)


class Instance:
    """A committer with its runs, driven step by step."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = MemoryStore()
        self.store.users.create(user())
        self.turns = Shaky(self.store.turns)
        self.runs: dict[str, Run] = {}
        self.ended: list[Run] = []
        self.world = World()
        self.slots = Slots(max_live=1, max_queue=5, clock=self.clock)
        self.committer = Committer(
            turns=self.turns, clock=self.clock, metrics=Anything(), owner="me", lease_seconds=LEASE,  # type: ignore[arg-type]
            runs=lambda: list(self.runs.values()), ended=self._ended,
        )  # fmt: skip

    def _ended(self, run: Run) -> None:
        self.ended.append(run)
        self.runs.pop(run.turn.id, None)

    def accepted(self, user_id: str = "u1") -> Turn:
        now = self.clock.now_ms()
        outcome = self.store.turns.accept(draft(user_id, at=now, lease_until=now + int(LEASE * 1000)), LIMITS)
        assert outcome.turn is not None
        return outcome.turn

    def run(
        self, turn: Turn | None = None, *, spawn: Callable[[Callable[[], None]], None] = lambda task: task()
    ) -> Run:
        tools = Tools(
            relay=self.world, screening=self.world, asking=self.world, slots=self.slots,  # type: ignore[arg-type]
            clock=self.clock, metrics=Anything(), guard=GuardPolicy(), queue_seconds=1, answer_tokens=100,  # type: ignore[arg-type]
            spawn=spawn,
        )  # fmt: skip
        owner = Owner("u1", Principal(openid="", appid=""), b"", Plain())  # type: ignore[arg-type]
        made = Run(turn or self.accepted(), owner, tools, log=LiveLog(), wake=self.committer.wake)
        self.runs[made.turn.id] = made
        return made


@pytest.fixture
def here() -> Instance:
    return Instance()


def test_a_turn_that_ends_while_the_store_fails_is_ended_when_it_answers_again(here: Instance) -> None:
    """The write that failed is repeated as it was; what the turn came to say meanwhile must not be forgotten."""
    run = here.run()
    here.turns.failures = 1

    def first_commit_fails() -> None:
        with pytest.raises(StoreUnavailable):
            here.committer.step()

    here.world.before_end = first_commit_fails
    run.execute()
    for _ in range(3):
        here.committer.step()
    assert here.ended == [run]
    stored = here.store.turns.get(run.turn.id)
    assert stored is not None and not stored.live and run.shown.text == ANSWER


def test_a_verdict_that_comes_after_the_end_writes_nothing_more(here: Instance) -> None:
    checks: list[Callable[[], None]] = []
    run = here.run(spawn=checks.append)
    here.world.before_end = run.stop
    run.execute()
    here.committer.step()
    assert here.ended == [run] and checks
    written = len(here.turns.commits)
    for check in checks:
        check()
    here.committer.step()
    assert len(here.turns.commits) == written and here.ended == [run] and not run.lost


def test_what_an_old_run_of_a_turn_says_does_not_hide_the_new_one(here: Instance) -> None:
    """Lost, left by its next owner and taken over here again: a check of the first time may still be out."""
    turn = here.accepted()
    old = here.run(turn)
    old.committed(lost=True)
    new = here.run(turn)
    new.execute()
    here.committer.wake(old)
    here.committer.step()
    assert here.ended == [new]


def test_a_run_knows_the_lease_that_the_store_has(here: Instance) -> None:
    """A commit between two renewals writes the last renewed lease, which may end before the one the turn began with."""
    here.slots.enter("someone else")
    first = here.run()
    first._granted = here.slots.enter(first.turn.id)
    here.committer.wake(first)
    here.committer.step()
    here.clock.advance(LEASE / 4)
    late = here.run(here.accepted("u2"))
    late._granted = here.slots.enter(late.turn.id)
    here.committer.wake(late)
    here.committer.step()
    stored = here.store.turns.get(late.turn.id)
    assert stored is not None and stored.state == "queued"
    assert late._lease_until == stored.lease_until


def test_a_turn_that_says_nothing_keeps_its_lease_and_hears_of_a_stop(here: Instance) -> None:
    run = here.run()
    here.committer.step()
    for _ in range(12):
        here.clock.advance(LEASE / 6)
        here.committer.step()
        stored = here.store.turns.get(run.turn.id)
        assert stored is not None and stored.lease_until > here.clock.now_ms()
    here.store.turns.request_stop(run.turn.id)
    here.clock.advance(LEASE / 3)
    here.committer.step()
    run.execute()
    here.committer.step()
    assert here.ended == [run] and run.outcome is not None and run.outcome.reason == "stopped"


def test_a_window_that_is_due_by_time_alone_is_cut_and_shown(here: Instance) -> None:
    run = here.run()
    here.runs[run.turn.id] = run
    run.answer.feed(reasoning="想" * 30)
    here.committer.step()
    assert run.shown.reasoning == ""
    here.clock.advance(GuardPolicy().max_wait_ms / 1000)
    here.committer.step()
    assert run.shown.reasoning != ""


def test_a_stop_is_heard_with_the_commit_of_another_turn(here: Instance) -> None:
    """A store may tell of a stop later than with the turn's own write."""
    run, other = here.run(), here.run(here.accepted("u2"))
    here.committer.step()
    other.answer.feed(text=ANSWER)
    commit = here.turns.commit

    def tells_late(writes: list[TurnWrite], *, owner: str, lease_until: int) -> CommitResult:
        commit(writes, owner=owner, lease_until=lease_until)
        return CommitResult(stops=frozenset({run.turn.id}))

    here.turns.commit = tells_late  # type: ignore[method-assign]
    here.committer.step()
    run.execute()
    assert run.outcome is not None and run.outcome.reason == "stopped"
    assert other.outcome is None


def test_an_answer_that_is_whole_when_the_time_to_drain_is_over_is_ended_not_asked_again(here: Instance) -> None:
    """It came in the last moment, and its commit waits for the pace."""
    tools = here.run()._tools
    turn = here.accepted("u2")
    engine = Engine(
        instance="me", turns=here.turns, people=Anything(), tools=tools, clock=here.clock, metrics=Anything(),  # type: ignore[arg-type]
        turn_log=Anything(), lease_seconds=LEASE, spawn=lambda task: None,  # type: ignore[arg-type]
    )  # fmt: skip
    owner = Owner("u2", Principal(openid="", appid=""), b"", Plain())  # type: ignore[arg-type]
    engine.start(turn, owner, [])
    run = engine._runs[turn.id]
    run.execute()
    assert engine.drain(0)
    stored = here.store.turns.get(turn.id)
    assert stored is not None and (stored.live, stored.end_reason) == (False, "complete")
    assert here.store.turns.abandoned(now=here.clock.now_ms() + 1, limit=5) == []


def test_leases_are_let_go_after_what_is_being_written(here: Instance) -> None:
    run = here.run()
    run.answer.feed(text=ANSWER)
    here.committer.wake(run)
    inside, on = threading.Event(), threading.Event()
    commit = here.turns.commit

    def slow(writes: list[TurnWrite], *, owner: str, lease_until: int) -> CommitResult:
        if not inside.is_set():
            inside.set()
            assert on.wait(30)
        return commit(writes, owner=owner, lease_until=lease_until)

    here.turns.commit = slow  # type: ignore[method-assign]
    writing = threading.Thread(target=here.committer.step, daemon=True)
    writing.start()
    assert inside.wait(30)
    leaving = threading.Thread(target=here.committer.let_go, args=([run],), daemon=True)
    leaving.start()
    leaving.join(0.05)
    assert leaving.is_alive()
    on.set()
    for thread in (writing, leaving):
        thread.join(30)
        assert not thread.is_alive()
    stored = here.store.turns.get(run.turn.id)
    assert stored is not None and stored.lease_until == here.clock.now_ms() == here.turns.leases[-1]


def test_a_write_that_failed_is_not_repeated_for_a_turn_that_was_let_go(here: Instance) -> None:
    run = here.run()
    here.committer.step()
    run.answer.feed(text=ANSWER)
    here.committer.wake(run)
    here.turns.failures = 1
    with pytest.raises(StoreUnavailable):
        here.committer.step()
    here.runs.clear()
    run.abandon()
    here.committer.let_go([run])
    written = len(here.turns.commits)
    here.committer.step()
    stored = here.store.turns.get(run.turn.id)
    assert len(here.turns.commits) == written and stored is not None
    assert stored.lease_until == here.clock.now_ms()
