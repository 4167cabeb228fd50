"""A name is claimed once over all callers, for a time."""

import threading

from yunliao.ports import Store

NOW = 4_000_000_000_000
"""Far from now: a server that removes what has expired by its own clock must not take part."""


def test_the_first_has_it_and_may_ask_again(store: Store) -> None:
    assert store.once.claim("name", "first", now=NOW + 1000, expires_at=NOW + 5000)
    assert store.once.claim("name", "first", now=NOW + 1001, expires_at=NOW + 6000)
    assert not store.once.claim("name", "second", now=NOW + 1002, expires_at=NOW + 9000)
    assert store.once.claim("other", "second", now=NOW + 1002, expires_at=NOW + 9000)


def test_it_is_free_again_when_the_time_is_over(store: Store) -> None:
    assert store.once.claim("name", "first", now=NOW + 1000, expires_at=NOW + 5000)
    assert not store.once.claim("name", "second", now=NOW + 4999, expires_at=NOW + 9000)
    assert store.once.claim("name", "second", now=NOW + 5000, expires_at=NOW + 9000)
    assert not store.once.claim("name", "first", now=NOW + 5001, expires_at=NOW + 9000)


def test_a_released_name_is_free(store: Store) -> None:
    assert store.once.claim("name", "first", now=NOW, expires_at=NOW + 5_000)
    store.once.release("name")
    store.once.release("never claimed")
    assert store.once.claim("name", "second", now=NOW, expires_at=NOW + 5_000)


def test_nothing_is_kept_of_a_claim_that_ends_at_once(store: Store) -> None:
    assert store.once.claim("name", "look", now=NOW, expires_at=NOW)
    assert store.once.claim("name", "first", now=NOW, expires_at=NOW + 5_000)
    assert not store.once.claim("name", "look", now=NOW + 1, expires_at=NOW + 1)


def test_of_many_at_once_one_has_it(store: Store) -> None:
    begun, won = threading.Barrier(8), []

    def try_it(token: str) -> None:
        begun.wait(60)
        if store.once.claim("name", token, now=NOW + 1000, expires_at=NOW + 5000):
            won.append(token)

    threads = [threading.Thread(target=try_it, args=(f"$token{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(won) == 1
