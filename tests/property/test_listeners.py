"""A socket's events under random interleavings: commits, slow and broken clients, newer resumes, lost turns.

Real threads, the real log and the real listeners; the channel takes as much as chance lets it.
"""

import itertools
import random
import threading
import time
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.services.test_listen import Plain
from yunliao.domain.principal import Principal
from yunliao.services.listen import Slice
from yunliao.services.live_log import MISSED, LiveLog, Numbered, is_end
from yunliao.services.people import Owner
from yunliao.web.channel import Closed
from yunliao.web.listeners import MAX_LISTENERS, Listeners

LIMIT = 30
OWNER = Owner("user", Principal(openid="", appid=""), b"", Plain())  # type: ignore[arg-type]


def numbered(seq: int, last: bool) -> Numbered:
    return Numbered(seq, b'{"type":"end"}' if last else b'{"type":"text"}')


class Turn:
    """One turn and its `Listen`: in memory here, or let go and read as from the store."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.log = LiveLog([numbered(1, False)])
        self.stored = [numbered(1, False)]
        self.here = True
        self.reads = 0
        self._changed = threading.Condition()

    def commit(self, count: int, last: bool) -> None:
        first = len(self.stored) + 1
        more = [numbered(seq, last and seq == first + count - 1) for seq in range(first, first + count)]
        with self._changed:
            self.stored += more
            self._changed.notify_all()
        if self.here:
            self.log.append(more, last=last)

    def lose(self) -> None:
        """To another instance."""
        self.here = False
        self.log.close()

    def take_over(self) -> None:
        """Back again, with a log of its own."""
        self.log = LiveLog(self.stored)
        self.here = True

    def subscribe(self, owner: Owner, turn_id: str, after: int, listener: Any) -> bool:
        return self.log.subscribe(after, listener)

    def read(self, owner: Owner, turn_id: str, after: int, wait: float, *, gather: float = 0.0) -> Slice:
        self.reads += 1
        with self._changed:
            self._changed.wait_for(lambda: len(self.stored) > after, self.rng.random() * 0.01)
            events = self.stored[after : after + self.rng.randint(1, 60)]
        live = not (events and is_end(events[-1])) and not (not events and is_end(self.stored[-1]))
        return Slice(turn_id, events, events[-1].seq if events else after, live)


class ChanceChannel:
    """As the real one: whole texts in order, one writer at a time, an offer taken whole, in part or not at all."""

    def __init__(self, seed: int, slow: float) -> None:
        self._rng = random.Random(seed)
        self._slow = slow
        self._lock = threading.Lock()
        self._rest: list[bytes] = []
        self.out: list[int] = []
        self.cut = False

    def send(self, *texts: bytes, wanted: Any = None) -> bool:
        with self._lock:
            self._write(self._rest)
            self._rest = []
            if wanted is not None and not wanted():
                return False
            if self._rng.random() < self._slow:
                time.sleep(0.0005)
            self._write(list(texts))
        return True

    def offer(self, *texts: bytes, wanted: Any) -> bool:
        if self._rest or not self._lock.acquire(blocking=False):
            return False
        try:
            if self._rest or not wanted():
                return False
            took = self._rng.randint(0, len(texts)) if self._rng.random() < self._slow else len(texts)
            self._write(list(texts[:took]))
            self._rest = list(texts[took:])
            return True
        finally:
            self._lock.release()

    @property
    def behind(self) -> bool:
        return bool(self._rest)

    def _write(self, texts: list[bytes]) -> None:
        if self.cut:
            raise Closed
        self.out += [msgspec.json.decode(text)["event"]["seq"] for text in texts]


def until(condition: Any) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.integers(1, 8)),
        st.tuples(st.just("commit"), st.just(MISSED + 5)),
        st.tuples(st.just("resume"), st.integers(0, 40)),
        st.tuples(st.just("lose"), st.just(0)),
        st.tuples(st.just("pause"), st.integers(1, 3)),
    ),
    max_size=30,
)


@settings(max_examples=120, deadline=None)
@given(steps, st.sampled_from([0.0, 0.3, 1.0]), st.integers(0, 2**32 - 1))
def test_the_newest_listener_has_everything_once_and_in_order(
    plan: list[tuple[str, int]], slow: float, seed: int
) -> None:
    """Commits and resumes go on side by side; `lose` lets the turn be another's, then this instance's again."""
    turn, channel = Turn(seed), ChanceChannel(seed + 1, slow)
    faults: list[Exception] = []
    listeners = Listeners(channel, turn, lambda turn_id, fault: faults.append(fault))  # type: ignore[arg-type]
    commits = [step for step in plan if step[0] != "resume"]
    resumes = [step for step in plan if step[0] != "commit"]

    def committing() -> None:
        for what, number in commits:
            if what == "commit":
                turn.commit(number, False)
            elif what == "lose":
                turn.lose()
                turn.take_over()
            else:
                time.sleep(number / 5000)
        turn.commit(1, True)

    listeners.follow(OWNER, "turn_1", 0)
    committer = threading.Thread(target=committing)
    committer.start()
    after, count = 0, 1
    for what, number in resumes[: MAX_LISTENERS - 1]:
        if what == "resume":
            after, count = min(number, len(turn.stored)), count + 1
            listeners.follow(OWNER, "turn_1", after)
        else:
            time.sleep(number / 7000)
    committer.join(LIMIT)
    until(lambda: listeners.followed == 0)
    assert not faults
    end = len(turn.stored)
    newest = channel.out[len(channel.out) - (end - after) :]
    assert newest == list(range(after + 1, end + 1))
    # What came before is the older ones': each a run without a gap, and no more runs than there were listeners.
    older = channel.out[: len(channel.out) - (end - after)]
    runs = 1 + sum(seq != before + 1 for before, seq in itertools.pairwise(older)) if older else 0
    assert runs <= count - 1


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=3, max_size=10), st.integers(0, 2**32 - 1))
def test_a_broken_client_ends_its_listener_and_disturbs_no_other(sizes: list[int], seed: int) -> None:
    turn = Turn(seed)
    sound, broken = ChanceChannel(seed, 0.2), ChanceChannel(seed, 0.2)
    everyone = [
        Listeners(channel, turn, lambda turn_id, fault: None)  # type: ignore[arg-type]
        for channel in (broken, sound)
    ]
    for listeners in everyone:
        listeners.follow(OWNER, "turn_1", 0)
    for number, size in enumerate(sizes):
        if number == len(sizes) // 2:
            broken.cut = True
        turn.commit(size, number == len(sizes) - 1)
    for listeners in everyone:
        until(lambda listeners=listeners: listeners.followed == 0)
    assert sound.out == list(range(1, len(turn.stored) + 1))
    assert broken.out == list(range(1, len(broken.out) + 1))


def test_events_that_come_one_by_one_need_no_thread() -> None:
    turn, channel = Turn(0), ChanceChannel(0, 0.0)
    listeners = Listeners(channel, turn, lambda turn_id, fault: None)  # type: ignore[arg-type]
    listeners.follow(OWNER, "turn_1", 0)
    threads = threading.active_count()
    for seq in range(2, 200):
        turn.commit(1, False)
        assert channel.out[-1] == seq
    turn.commit(1, True)
    assert channel.out == list(range(1, 201))
    assert (turn.reads, threading.active_count(), listeners.followed) == (0, threads, 0)


def test_a_closed_socket_is_told_nothing_more() -> None:
    turn, channel = Turn(0), ChanceChannel(0, 0.0)
    listeners = Listeners(channel, turn, lambda turn_id, fault: None)  # type: ignore[arg-type]
    listeners.follow(OWNER, "turn_1", 0)
    listeners.close()
    turn.commit(3, False)
    assert channel.out == [1]
    assert listeners.followed == 0
