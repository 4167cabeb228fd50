"""Following turns of other instances: a stream where there is one, else one look for all; from memory while nothing can
be missing there; woken only by their own turn; nothing at all for nobody."""

import queue
import threading
import time
from collections.abc import Callable, Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunliao.errors import StoreUnavailable
from yunliao.ports import EventRow, Head, Progress
from yunliao.services import following as module
from yunliao.services.followed import ROWS, Followed, Seen
from yunliao.services.following import Following

PATIENCE = 60.0
FAR = 2**60
"""A lease that never ends."""


def row(seq: int) -> EventRow:
    return EventRow(seq=seq, body=b"event", created_at=1)


def until(there: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.002)


class FakeStore:
    """A store and a clock; `changes` feeds the open watch, an exception in it breaks that watch."""

    def __init__(self) -> None:
        self.turns: dict[str, Head] = {}
        self.failing = False
        self.watchable = False
        self.looks: list[set[str]] = []
        self.watches = 0
        self.open = 0
        self.changes: queue.Queue[Progress | Exception] = queue.Queue()
        self.threads: list[threading.Thread] = []

    def heads(self, turn_ids: Collection[str]) -> dict[str, Head]:
        self.looks.append(set(turn_ids))
        if self.failing:
            raise StoreUnavailable("away")
        return {turn_id: self.turns[turn_id] for turn_id in turn_ids if turn_id in self.turns}

    def watch(self) -> "FakeStore | None":
        if not self.watchable:
            return None
        self.watches += 1
        self.open += 1
        return self

    def next(self) -> list[Progress]:
        try:
            change = self.changes.get(timeout=0.01)
        except queue.Empty:
            return []
        if isinstance(change, Exception):
            raise change
        return [change]

    def close(self) -> None:
        self.open -= 1

    def now_ms(self) -> int:
        return 1_000

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.005))

    def spawn(self, task: Callable[[], None]) -> None:
        thread = threading.Thread(target=task, daemon=True)
        self.threads.append(thread)
        thread.start()

    def ended(self) -> None:
        """Until no look-out runs."""
        for thread in self.threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FakeStore:
    monkeypatch.setattr(module, "KEEP", 0.05)
    monkeypatch.setattr(module, "REOPEN", 0.02)
    return FakeStore()


@pytest.fixture
def following(store: FakeStore) -> Following:
    return Following(turns=store, clock=store, spawn=store.spawn)  # type: ignore[arg-type]


class Listener(threading.Thread):
    def __init__(self, following: Following, turn_id: str, after: int) -> None:
        super().__init__(daemon=True)
        self.seen: Seen | None = None
        self.failure = ""
        self._read = lambda: following.read(turn_id, after, PATIENCE)
        self.start()

    def run(self) -> None:
        try:
            self.seen = self._read()
        except StoreUnavailable as failed:
            self.failure = failed.detail

    def heard(self) -> "Listener":
        self.join(PATIENCE)
        assert not self.is_alive()
        return self


def listening(following: Following, count: int) -> None:
    until(lambda: sum(one.listeners for one in following._followed.values()) == count)


@pytest.mark.parametrize("watchable", [False, True])
def test_listeners_are_woken_by_their_own_turn(store: FakeStore, following: Following, watchable: bool) -> None:
    store.watchable = watchable
    store.turns = {"a": Head(1, True, FAR), "b": Head(1, True, FAR)}
    ears_a = [Listener(following, "a", 1) for _ in range(10)]
    ears_b = [Listener(following, "b", 1) for _ in range(10)]
    listening(following, 20)
    until(lambda: store.open == watchable)
    store.turns["a"] = Head(2, True, FAR)
    store.changes.put(Progress(turn_id="a", rows=(row(2),)))
    for ear in ears_a:
        seen = ear.heard().seen
        assert seen is not None
        assert seen.head == Head(2, True, FAR)
        assert seen.rows == ((row(2),) if watchable else ())
    assert all(ear.is_alive() for ear in ears_b)
    store.turns["b"] = Head(1, False, FAR)
    store.changes.put(Progress(turn_id="b", ended=True))
    for ear in ears_b:
        assert ear.heard().seen == Seen(Head(1, False, FAR), ())
    store.ended()
    assert (store.open, following._followed) == (0, {})


def test_all_listeners_cost_one_look(store: FakeStore, following: Following) -> None:
    store.turns = {"a": Head(1, True, FAR), "b": Head(1, True, FAR)}
    ears = [Listener(following, name, 1) for name in "ab" for _ in range(10)]
    listening(following, 20)
    store.looks.clear()
    until(lambda: len(store.looks) > 5)
    assert all(look == {"a", "b"} for look in store.looks[1:5])
    store.turns = {name: Head(1, False, FAR) for name in "ab"}
    for ear in ears:
        ear.heard()


def test_a_stream_spares_looks_and_reads(store: FakeStore, following: Following) -> None:
    store.watchable = True
    store.turns = {"a": Head(1, True, FAR)}
    ear = Listener(following, "a", 1)
    until(lambda: store.open == 1)
    listening(following, 1)
    until(lambda: following._followed["a"].head)
    looks = len(store.looks)
    for seq in range(2, 30):
        store.changes.put(Progress(turn_id="a", rows=(row(seq),), lease_until=FAR + seq))
        seen = ear.heard().seen
        assert seen is not None
        assert seen.rows == (row(seq),)
        ear = Listener(following, "a", seq)
    store.changes.put(Progress(turn_id="a", rows=(row(30), row(31)), ended=True))
    assert ear.heard().seen == Seen(Head(31, False, FAR + 29), (row(30), row(31)))
    assert len(store.looks) <= looks + 1  # the one right after the opening


def test_a_stream_that_breaks_is_bridged_by_looks_and_opened_again(store: FakeStore, following: Following) -> None:
    store.watchable = True
    store.turns = {"a": Head(1, True, FAR)}
    ear = Listener(following, "a", 1)
    until(lambda: store.open == 1)
    store.changes.put(Progress(turn_id="a", rows=(row(2),)))
    assert ear.heard().seen is not None
    ear = Listener(following, "a", 2)
    listening(following, 1)
    store.turns["a"] = Head(4, True, FAR)  # events 3 and 4 come while there is no stream
    store.changes.put(StoreUnavailable("cut"))
    seen = ear.heard().seen
    assert seen is not None
    assert (seen.head, seen.rows) == (Head(4, True, FAR), ())  # memory would have a gap: the store is read
    ear = Listener(following, "a", 4)
    until(lambda: store.watches == 2)
    store.changes.put(Progress(turn_id="a", rows=(row(5),)))
    seen = ear.heard().seen
    assert seen is not None
    assert seen.rows == (row(5),)


def test_trouble_is_told_to_all_and_is_over_when_it_is_over(store: FakeStore, following: Following) -> None:
    store.turns = {"a": Head(1, True, FAR)}
    ears = [Listener(following, "a", 1) for _ in range(3)]
    listening(following, 3)
    until(lambda: following._followed["a"].head)
    store.failing = True
    for ear in ears:
        assert ear.heard().failure == "away"
    store.failing = False
    store.turns["a"] = Head(2, True, FAR)
    deadline = time.monotonic() + PATIENCE
    while True:
        ear = Listener(following, "a", 1).heard()
        if ear.seen:
            break
        assert time.monotonic() < deadline
    assert ear.seen.head == Head(2, True, FAR)


def test_a_stream_mostly_for_others_is_given_up(
    store: FakeStore, following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY", 50)
    monkeypatch.setattr(module, "COUNTED", 0.0)
    monkeypatch.setattr(module, "REOPEN", PATIENCE)
    monkeypatch.setattr(module._Counts, "count", _counting(module._Counts.count, 100))
    store.watchable = True
    store.turns = {"a": Head(1, True, FAR)}
    ear = Listener(following, "a", 1)
    until(lambda: store.open == 1)
    for _ in range(100):
        store.changes.put(Progress(turn_id="elsewhere", rows=(row(2),)))
    until(lambda: store.open == 0)
    store.turns["a"] = Head(2, True, FAR)
    assert ear.heard().seen == Seen(Head(2, True, FAR), ())


def _counting(count: Callable[[module._Counts, bool], None], times: int) -> Callable[[module._Counts, bool], None]:
    """A judgement only after that many changes, whatever the time."""

    def later(counts: module._Counts, ours: bool) -> None:
        counts._since = 0.0 if counts._all >= times - 1 else time.monotonic() + PATIENCE
        count(counts, ours)

    return later


def test_a_look_out_that_hangs_does_not_leave_listeners_in_the_dark(
    store: FakeStore, following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STALE", 0.05)
    hang = threading.Event()
    monkeypatch.setattr(store, "sleep", lambda _: hang.wait(PATIENCE))
    store.turns = {"a": Head(1, True, FAR)}
    ear = Listener(following, "a", 1)
    listening(following, 1)
    until(lambda: len(store.looks) >= 2)
    store.turns["a"] = Head(2, True, FAR)
    assert ear.heard().seen == Seen(Head(2, True, FAR), ())
    hang.set()


def test_a_dead_lease_and_an_unknown_turn_are_told_at_once(store: FakeStore, following: Following) -> None:
    store.turns = {"dead": Head(1, True, store.now_ms() - 1)}
    assert following.read("dead", 1, PATIENCE) == Seen(Head(1, True, store.now_ms() - 1), ())
    assert following.read("unknown", 0, PATIENCE) == Seen(None, ())


def test_a_wait_ends_with_its_time(store: FakeStore, following: Following) -> None:
    store.turns = {"a": Head(1, True, FAR)}
    assert following.read("a", 1, 0.02) == Seen(Head(1, True, FAR), ())
    assert following.read("a", 1, 0) == Seen(Head(1, True, FAR), ())
    store.ended()


STEPS = st.sampled_from(["change", "change", "change", "late look", "look", "missed", "again"])


@given(st.lists(st.tuples(STEPS, st.integers(0, 4), st.integers(0, 80))))
def test_memory_gives_what_follows_a_cursor_without_a_gap_or_nothing(steps: list[tuple[str, int, int]]) -> None:
    """Looks and changes come in any order, late or twice; whenever changes were missed, memory is forgotten."""
    turn, last, held = Followed(), 1, 1
    for what, count, cursor in steps:
        rows = tuple(row(seq) for seq in range(last + 1, last + 1 + count))
        match what:
            case "change":
                last += count
                turn.progressed(Progress(turn_id="a", rows=rows))
            case "again":
                turn.progressed(Progress(turn_id="a", rows=(row(last),)))
            case "missed":
                last += count
                turn.forget()
            case "late look":
                turn.looked(Head(held, True, FAR))
            case "look":
                turn.looked(Head(last, True, FAR))
                held = last
        after = turn._after(cursor)
        assert [one.seq for one in after] in ([], list(range(cursor + 1, last + 1)))
        assert len(after) <= ROWS
        if turn.head is not None:
            assert held <= turn.head.last_seq <= last
