"""The breaker's three states, with a clock that only moves when told."""

import threading

import pytest

from tests.fakes.clock import FakeClock
from yunliao.adapters.relay.breaker import FIRST_OPEN, IN_A_ROW, LONGEST_OPEN, WINDOW, Breaker, Permit


class Watched:
    """A breaker with its clock and the states it passed through."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.states: list[str] = []
        self.breaker = Breaker(self.clock, self.states.append)

    def allowed(self) -> Permit:
        permit = self.breaker.permit()
        assert permit is not None
        return permit

    def fail(self, times: int = IN_A_ROW) -> None:
        for _ in range(times):
            self.allowed().failure()

    def later(self, seconds: float) -> None:
        self.clock.advance(seconds)


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_failures_in_a_row_open_it(watched: Watched) -> None:
    watched.fail(IN_A_ROW - 1)
    assert watched.breaker.state == "closed"
    watched.fail(1)
    assert watched.breaker.state == "open" and watched.breaker.permit() is None
    assert watched.breaker.waits == FIRST_OPEN
    assert watched.states == ["open"]


def test_a_success_between_them_starts_the_count_anew(watched: Watched) -> None:
    watched.fail(IN_A_ROW - 1)
    watched.allowed().success()
    watched.fail(IN_A_ROW - 1)
    assert watched.breaker.state == "closed"


def test_half_of_a_full_window_opens_it(watched: Watched) -> None:
    for _ in range(WINDOW // 2):
        watched.allowed().failure()
        watched.allowed().success()
    assert watched.breaker.state == "closed"  # a success opens nothing
    watched.fail(1)
    assert watched.breaker.state == "open"


def test_half_open_lets_one_trial_through(watched: Watched) -> None:
    watched.fail()
    watched.later(FIRST_OPEN)
    assert watched.breaker.state == "half-open"
    trial = watched.allowed()
    assert trial.trial and watched.breaker.permit() is None
    trial.success()
    assert watched.breaker.state == "closed" and watched.allowed() and watched.allowed()
    assert watched.states == ["open", "half-open", "closed"]


def test_of_many_threads_one_gets_the_trial(watched: Watched) -> None:
    watched.fail()
    watched.later(FIRST_OPEN)
    got: list[Permit | None] = []
    together = threading.Barrier(16)

    def ask() -> None:
        together.wait(30)
        got.append(watched.breaker.permit())

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(permit is not None for permit in got) == 1


def test_a_failed_trial_opens_it_for_twice_as_long_up_to_a_limit(watched: Watched) -> None:
    watched.fail()
    seconds = FIRST_OPEN
    for _ in range(8):
        watched.later(seconds - 0.001)
        assert watched.breaker.permit() is None
        watched.later(0.001)
        watched.allowed().failure()
        seconds = min(seconds * 2, LONGEST_OPEN)
        assert watched.breaker.waits == pytest.approx(seconds)
    assert seconds == LONGEST_OPEN
    watched.later(seconds)
    watched.allowed().success()
    watched.fail()
    assert watched.breaker.waits == FIRST_OPEN  # a success forgets the long times


def test_a_trial_that_was_stopped_says_nothing_and_makes_room_for_another(watched: Watched) -> None:
    watched.fail()
    watched.later(FIRST_OPEN)
    watched.allowed().cancel()
    assert watched.breaker.state == "half-open"
    watched.allowed().success()
    assert watched.breaker.state == "closed"


def test_reports_from_before_it_opened_do_not_count(watched: Watched) -> None:
    old = [watched.allowed() for _ in range(3)]
    watched.fail()
    old[0].success()
    assert watched.breaker.state == "open"
    watched.later(FIRST_OPEN)
    trial = watched.allowed()
    old[1].failure()
    assert watched.breaker.state == "half-open"
    trial.success()
    old[2].failure()
    assert watched.breaker.state == "closed"
    watched.fail(IN_A_ROW - 1)
    assert watched.breaker.state == "closed"


def test_only_the_first_report_of_a_permit_counts(watched: Watched) -> None:
    permit = watched.allowed()
    for _ in range(IN_A_ROW):
        permit.failure()
    assert watched.breaker.state == "closed"


def test_insisting_makes_the_trial_early_and_is_never_refused(watched: Watched) -> None:
    watched.fail()
    first = watched.breaker.permit(insist=True)
    second = watched.breaker.permit(insist=True)
    assert first and first.trial and second and not second.trial
    second.failure()  # beside the trial it says nothing
    first.success()
    assert watched.breaker.state == "closed"
