"""The live log: any cursor gives the rest, in order, once; a close wakes whoever waits."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from yunliao.services.live_log import MISSED, LiveLog, Numbered


def numbered(first: int, count: int) -> list[Numbered]:
    return [Numbered(seq, b'{"type":"text"}') for seq in range(first, first + count)]


@given(st.lists(st.integers(1, 5), max_size=20), st.integers(0, 60))
def test_any_cursor_gives_exactly_the_rest(batches: list[int], cursor: int) -> None:
    log, seq = LiveLog(numbered(1, 1)), 2
    for size in batches:
        log.append(numbered(seq, size))
        seq += size
    assert [event.seq for event in log.after(cursor, limit=1000)] == list(range(cursor + 1, seq))


def test_a_log_taken_over_in_the_middle_does_not_claim_the_beginning() -> None:
    log = LiveLog(numbered(5, 2))
    assert not log.covers(2)
    assert log.covers(4)
    assert not LiveLog().covers(0)


def test_a_waiter_gets_what_comes_and_leaves_at_the_close() -> None:
    log = LiveLog(numbered(1, 1))
    got: list[list[Numbered]] = []
    waiter = threading.Thread(target=lambda: got.append(log.wait(1, timeout=30, limit=10)))
    waiter.start()
    log.append(numbered(2, 1))
    waiter.join(30)
    assert [event.seq for event in got[0]] == [2]
    late = threading.Thread(target=lambda: got.append(log.wait(2, timeout=30, limit=10)))
    late.start()
    log.close()
    late.join(30)
    assert got[1] == []


class Told:
    """A listener that takes `room` events, then says no; `faulty` raises instead."""

    def __init__(self, room: int = 10**6, *, faulty: bool = False) -> None:
        self.room, self.faulty = room, faulty
        self.heard: list[int] = []
        self.gone = 0

    def take(self, events: list[Numbered]) -> bool:
        if self.faulty:
            raise ValueError
        self.heard += [event.seq for event in events]
        return len(self.heard) < self.room

    def go_on(self) -> None:
        self.gone += 1
        if self.faulty:
            raise ValueError


@given(
    st.lists(st.integers(1, 5), max_size=20),
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 40), st.integers(1, 60)), max_size=6),
)
def test_a_listener_hears_everything_after_its_cursor_once(
    batches: list[int], joins: list[tuple[int, int, int]]
) -> None:
    """Whenever it joins; who says no hears nothing more, and goes on by itself exactly once."""
    log, seq = LiveLog(numbered(1, 1)), 2
    here: list[tuple[Told, int]] = []
    for number, size in enumerate([*batches, 1]):
        for _, cursor, room in (join for join in joins if join[0] == number):
            told = Told(room)
            if log.subscribe(cursor, told):
                here.append((told, cursor))
            else:
                assert cursor >= seq or seq - 1 - cursor > MISSED or len(told.heard) >= room
                assert told.gone == 0
        log.append(numbered(seq, size), last=number == len(batches))
        seq += size
    for told, cursor in here:
        assert told.heard == list(range(cursor + 1, cursor + 1 + len(told.heard)))
        assert len(told.heard) >= told.room or told.heard[-1:] == [seq - 1]
        assert told.gone == 1


def test_a_faulty_listener_reaches_neither_the_committer_nor_the_others() -> None:
    log = LiveLog(numbered(1, 1))
    before, faulty, after = Told(), Told(), Told()
    for told in (before, faulty, after):
        assert log.subscribe(1, told)
    faulty.faulty = True
    log.append(numbered(2, 2))
    log.append(numbered(4, 1))
    assert before.heard == after.heard == [2, 3, 4]
    assert (faulty.heard, faulty.gone) == ([], 1)


def test_who_cannot_be_told_is_not() -> None:
    """From memory that does not reach back, from a cursor ahead, from a closed log, or after too much was missed."""
    assert not LiveLog().subscribe(0, Told())
    assert not LiveLog(numbered(5, 1)).subscribe(3, Told())
    assert LiveLog(numbered(5, 1)).subscribe(4, Told())
    assert not LiveLog(numbered(1, 3)).subscribe(4, Told())
    assert not LiveLog(numbered(1, MISSED + 1)).subscribe(0, Told())
    assert not LiveLog(numbered(1, 1)).subscribe(0, Told(faulty=True))
    log = LiveLog(numbered(1, 1))
    left = Told()
    assert log.subscribe(1, left)
    log.close()
    assert (left.heard, left.gone) == ([], 1)
    assert not log.subscribe(1, Told())
