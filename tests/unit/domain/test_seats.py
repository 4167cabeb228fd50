"""Shared seats: never more than there are, fair by demand, back from the dead."""

from hypothesis import given
from hypothesis import strategies as st

from yunliao.domain.seats import Seats, hold

LEASE = 6_000


@given(
    st.integers(1, 12),
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 15), st.integers(0, 4_000)), max_size=120),
)
def test_never_more_than_there_are(limit: int, steps: list[tuple[str, int, int]]) -> None:
    seats, now = Seats(), 0
    have: dict[str, tuple[int, int]] = {}
    for instance, demand, pause in steps:
        now += pause
        running = have[instance][0] if instance in have and have[instance][1] > now else 0
        seats, mine = hold(
            seats, instance, running=min(running, demand), demand=demand, limit=limit, now=now, until=now + LEASE
        )
        have[instance] = (mine, now + LEASE)
        assert sum(count for count, until in have.values() if until > now) <= limit
        assert mine <= demand


def test_one_alone_may_have_all() -> None:
    _, mine = hold(Seats(), "a", running=0, demand=10, limit=8, now=0, until=LEASE)
    assert mine == 8


def test_who_has_more_than_a_fair_share_gives_back_as_answers_end() -> None:
    seats, _ = hold(Seats(), "a", running=0, demand=100, limit=10, now=0, until=LEASE)
    seats, late = hold(seats, "b", running=0, demand=100, limit=10, now=1, until=LEASE)
    assert late == 0
    seats, busy = hold(seats, "a", running=10, demand=100, limit=10, now=2, until=LEASE)
    assert busy == 10
    seats, busy = hold(seats, "a", running=7, demand=100, limit=10, now=3, until=LEASE)
    assert busy == 7
    seats, late = hold(seats, "b", running=0, demand=100, limit=10, now=4, until=LEASE)
    assert late == 3
    seats, busy = hold(seats, "a", running=1, demand=100, limit=10, now=5, until=LEASE)
    assert busy == 5


def test_the_seats_of_the_dead_come_back() -> None:
    seats, _ = hold(Seats(), "dead", running=0, demand=5, limit=5, now=0, until=LEASE)
    seats, none = hold(seats, "a", running=0, demand=5, limit=5, now=LEASE - 1, until=2 * LEASE)
    assert none == 0
    _, all_of_them = hold(seats, "a", running=0, demand=5, limit=5, now=LEASE, until=2 * LEASE)
    assert all_of_them == 5
