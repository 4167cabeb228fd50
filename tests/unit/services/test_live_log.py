"""The live log: any cursor gives the rest, in order, once; a close wakes whoever waits."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from yunliao.services.live_log import LiveLog, Numbered


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
