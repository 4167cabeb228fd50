"""Following turns of other instances: one look for all listeners, woken only by their own turn, no look for nobody."""

import threading
import time
from collections.abc import Collection

import pytest

from yunliao.errors import StoreUnavailable
from yunliao.ports import Head
from yunliao.services.following import Following

PATIENCE = 60.0


class Looks:
    """The store and the clock of a look-out whose every look is called for by the test."""

    def __init__(self) -> None:
        self.heads_now: dict[str, Head] = {}
        self.failing = False
        self.asked: list[set[str]] = []
        self._step = threading.Semaphore(0)
        self.ended = threading.Event()

    def heads(self, turn_ids: Collection[str]) -> dict[str, Head]:
        self.asked.append(set(turn_ids))
        if self.failing:
            raise StoreUnavailable("away")
        return {turn_id: self.heads_now[turn_id] for turn_id in turn_ids if turn_id in self.heads_now}

    def sleep(self, seconds: float) -> None:
        assert self._step.acquire(timeout=PATIENCE)

    def spawn(self, task: object) -> None:
        def run() -> None:
            task()  # type: ignore[operator]
            self.ended.set()

        self.ended.clear()
        threading.Thread(target=run, daemon=True).start()

    def look(self) -> None:
        """Let it look once more, and wait until it has."""
        before = len(self.asked)
        self._step.release()
        until(lambda: len(self.asked) > before or self.ended.is_set())


class Listener(threading.Thread):
    def __init__(self, following: Following, turn_id: str, after: int, timeout: float = PATIENCE) -> None:
        super().__init__(daemon=True)
        self.call = lambda: following.wait(turn_id, after, timeout)
        self.failure = ""
        self.start()

    def run(self) -> None:
        try:
            self.call()
        except StoreUnavailable as failed:
            self.failure = failed.detail


def until(there: object) -> None:
    deadline = time.monotonic() + PATIENCE
    while not there():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def looks() -> Looks:
    return Looks()


@pytest.fixture
def following(looks: Looks) -> Following:
    return Following(turns=looks, clock=looks, spawn=looks.spawn)  # type: ignore[arg-type]


def listening(following: Following, count: int) -> None:
    until(lambda: sum(one.listeners for one in following._followed.values()) == count)


def test_one_look_serves_all_listeners_and_wakes_those_whose_turn_went_on(looks: Looks, following: Following) -> None:
    looks.heads_now = {"a": Head(1, True), "b": Head(1, True)}
    ears_a = [Listener(following, "a", 1) for _ in range(10)]
    ears_b = [Listener(following, "b", 1) for _ in range(10)]
    listening(following, 20)
    looks.look()
    assert looks.asked[-1] == {"a", "b"}
    looks.heads_now["a"] = Head(2, True)
    looks.look()
    for ear in ears_a:
        ear.join(PATIENCE)
    assert all(ear.is_alive() for ear in ears_b)
    looks.heads_now["b"] = Head(1, False)
    looks.look()
    for ear in ears_b:
        ear.join(PATIENCE)
        assert not ear.failure
    looks.look()
    assert looks.ended.wait(PATIENCE)


def test_nobody_listening_nobody_looks_and_the_next_listener_starts_it_again(
    looks: Looks, following: Following
) -> None:
    looks.heads_now = {"a": Head(5, True)}
    following.wait("a", 4, PATIENCE)
    looks.look()
    assert looks.ended.wait(PATIENCE)
    count = len(looks.asked)
    following.wait("a", 4, PATIENCE)
    assert len(looks.asked) == count + 1
    looks.look()


def test_trouble_is_told_to_all_and_is_over_when_it_is_over(looks: Looks, following: Following) -> None:
    looks.heads_now = {"a": Head(1, True)}
    ears = [Listener(following, "a", 1) for _ in range(3)]
    listening(following, 3)
    looks.failing = True
    looks.look()
    for ear in ears:
        ear.join(PATIENCE)
        assert ear.failure == "away"
    looks.failing = False
    looks.heads_now["a"] = Head(2, True)
    looks.look()
    ear = Listener(following, "a", 1)
    looks.look()
    ear.join(PATIENCE)
    assert not ear.failure


def test_a_wait_ends_with_its_time(looks: Looks, following: Following) -> None:
    looks.heads_now = {"a": Head(1, True)}
    following.wait("a", 1, 0.01)
    following.wait("unknown", 1, 0.01)
    assert not following._followed
