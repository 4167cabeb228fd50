"""A name is claimed once over all callers, for a time."""

import threading

from yunliao.ports import Store


def test_the_first_has_it_and_may_ask_again(store: Store) -> None:
    assert store.once.claim("name", "first", now=1_000, expires_at=5_000)
    assert store.once.claim("name", "first", now=1_001, expires_at=6_000)
    assert not store.once.claim("name", "second", now=1_002, expires_at=9_000)
    assert store.once.claim("other", "second", now=1_002, expires_at=9_000)


def test_it_is_free_again_when_the_time_is_over(store: Store) -> None:
    assert store.once.claim("name", "first", now=1_000, expires_at=5_000)
    assert not store.once.claim("name", "second", now=4_999, expires_at=9_000)
    assert store.once.claim("name", "second", now=5_000, expires_at=9_000)
    assert not store.once.claim("name", "first", now=5_001, expires_at=9_000)


def test_of_many_at_once_one_has_it(store: Store) -> None:
    begun, won = threading.Barrier(8), []

    def try_it(token: str) -> None:
        begun.wait(60)
        if store.once.claim("name", token, now=1_000, expires_at=5_000):
            won.append(token)

    threads = [threading.Thread(target=try_it, args=(f"$token{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(won) == 1
