"""One beat for many pauses, in true threads."""

import threading
import time

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
