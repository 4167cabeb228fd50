"""The group commit and an outage of the store: whatever became ready meanwhile is written afterwards."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.fakes.clock import FakeClock
from tests.unit.services.test_run_stop import Anything, World, run_in
from yunliao.domain.events import End, decode_event
from yunliao.errors import StoreUnavailable
from yunliao.ports import CommitResult, TurnWrite
from yunliao.services.committer import Committer
from yunliao.services.run import Run


class Store:
    """Takes writes unless it is `away`."""

    def __init__(self) -> None:
        self.away = False
        self.broken = 0
        self.taken: list[TurnWrite] = []

    def commit(self, writes: Sequence[TurnWrite], *, owner: str, lease_until: int) -> CommitResult:
        if self.broken:
            self.broken -= 1
            raise TypeError("a secret of somebody")
        if self.away:
            raise StoreUnavailable("away")
        self.taken += writes
        return CommitResult()


class Stage:
    """One run that has answered, a committer and a store; nothing has a thread of its own."""

    def __init__(self) -> None:
        self.store, self.ended = Store(), []  # type: ignore[var-annotated]
        self.run: Run = run_in(World())
        self.committer = Committer(
            turns=self.store,  # type: ignore[arg-type]
            clock=FakeClock(),
            metrics=Anything(),  # type: ignore[arg-type]
            owner="me",
            lease_seconds=6,
            runs=lambda: [] if self.ended else [self.run],
            ended=self.ended.append,
        )
        self.run._wake = self.committer.wake

    @property
    def written(self) -> list[Any]:
        return [decode_event(row.body) for write in self.store.taken for row in write.rows]


def test_an_end_that_came_while_an_older_write_waited_is_written_after_it() -> None:
    stage = Stage()
    stage.run.answer.feed(text="一句话。" * 20)
    stage.committer.wake(stage.run)
    stage.store.away = True
    with pytest.raises(StoreUnavailable):
        stage.committer.step()
    stage.run.execute()  # ends while the first write is not durable yet
    stage.store.away = False
    for _ in range(3):
        stage.committer.step()
    assert stage.ended == [stage.run]
    assert isinstance(stage.written[-1], End)


def test_a_run_that_has_nothing_to_say_is_not_asked() -> None:
    stage = Stage()
    stage.committer.step()  # renews the lease
    stage.committer.step()
    assert [write.rows for write in stage.store.taken] == [()]


def test_an_outage_forgets_no_run() -> None:
    stage = Stage()
    stage.run.execute()
    stage.store.away = True
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            stage.committer.step()
    stage.store.away = False
    stage.committer.step()
    assert stage.ended == [stage.run]


def test_a_fault_of_ours_ends_no_loop_and_tells_no_words(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    stage.run.execute()
    stage.store.broken = 2
    committer = stage.committer
    stage.committer._ended = lambda run: (stage.ended.append(run), committer.close())  # type: ignore[func-returns-value]
    committer.wake(stage.run, urgent=True)
    committer.loop()
    assert stage.ended == [stage.run]
    assert caplog.text.count("commit_fault kind=TypeError") == 2
    assert "secret" not in caplog.text
