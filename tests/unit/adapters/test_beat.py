"""One beat for many pauses, in true threads."""

import threading
import time

import pytest

from yunliao.adapters.beat import TICK, Beat, wake


def held() -> threading.Lock:
    place = threading.Lock()
    place.acquire()
    return place


def test_a_rest_lasts_at_least_as_long_as_asked_for() -> None:
    beat, began = Beat(), time.monotonic()
    beat.rest(3 * TICK, held())
    assert time.monotonic() - began >= 2 * TICK


def test_many_rest_at_once_and_all_go_on() -> None:
    beat = Beat()
    resting = [threading.Thread(target=beat.rest, args=(TICK * (number % 5), held())) for number in range(50)]
    for one in resting:
        one.start()
    for one in resting:
        one.join(30)
        assert not one.is_alive()


def test_a_place_that_is_woken_early_goes_on_and_is_not_woken_twice() -> None:
    beat, place = Beat(), held()
    resting = threading.Thread(target=beat.rest, args=(3600, place))
    resting.start()
    wake(place)
    resting.join(30)
    assert not resting.is_alive()
    place.release()
    wake(place)  # as the beat does when its time comes
    assert place.acquire(blocking=False)


def test_a_beat_that_stopped_begins_again() -> None:
    made: list[threading.Thread] = []

    def spawn(task) -> None:  # type: ignore[no-untyped-def]
        made.append(threading.Thread(target=task, daemon=True))
        made[-1].start()

    beat = Beat(spawn)
    beat.rest(TICK, held())
    made[0].join(30)
    assert not made[0].is_alive()
    beat.rest(TICK, held())
    assert len(made) == 2
    made[1].join(30)


def test_a_thread_that_cannot_be_had_is_no_reason_to_wait_for_ever() -> None:
    refused = [True]

    def spawn(task) -> None:  # type: ignore[no-untyped-def]
        if refused:
            refused.pop()
            raise RuntimeError("can't start new thread")
        threading.Thread(target=task, daemon=True).start()

    beat = Beat(spawn)
    for _ in range(2):
        resting = threading.Thread(target=beat.rest, args=(TICK, held()), daemon=True)
        resting.start()
        resting.join(30)
        assert not resting.is_alive()


def test_rests_that_begin_as_the_beat_ends_are_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """The beat stops after each beat without anybody waiting, so nearly every rest meets its end."""
    monkeypatch.setattr("yunliao.adapters.beat.IDLE", 1)
    monkeypatch.setattr("yunliao.adapters.beat.TICK", 0.0005)
    beat = Beat()

    def rests(number: int) -> None:
        for turn in range(60):
            beat.rest(0.0005 * ((turn + number) % 3), held())
            time.sleep(0.0005 * ((turn * number) % 4))

    resting = [threading.Thread(target=rests, args=(number,), daemon=True) for number in range(8)]
    for one in resting:
        one.start()
    for one in resting:
        one.join(60)
        assert not one.is_alive()


def test_a_pause_that_lost_its_reason_ends() -> None:
    beat, asked = Beat(), iter([False, False, True])
    beat.rest(3600, held(), lambda: next(asked))
    assert next(asked, None) is None


def test_a_pause_that_is_over_asks_nothing_more() -> None:
    asked: list[bool] = []
    Beat().rest(2 * TICK, held(), lambda: bool(asked.append(True)))
    assert not asked


def test_a_reason_that_cannot_be_told_is_none() -> None:
    beat = Beat()

    def failing() -> bool:
        raise ValueError("let go")

    beat.rest(3600, held(), failing)
    beat.rest(TICK, held())  # the beat is everybody's, and goes on
