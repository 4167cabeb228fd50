"""Three walks at once on the same people, each on a thread and a store of its own: what a seed cannot repeat.

A walk alone tries every order of whole calls; this tries what happens between the steps inside them.
"""

import threading
from collections.abc import Sequence

from ledger.walk import LEASE_MS, Walk
from yunliao.ports import Store


def storm(stores: Sequence[Store], seed: str, *, steps: int) -> Walk:
    """Play `steps` on each store at the same time, end everything, and judge. Raises `Broken`, and whatever a thread
    raised. Gives back the first walk, whose `seen` has what happened to all."""
    first = Walk(stores[0], f"{seed}/0", steps=steps)
    first.begin()
    walks = [first, *(Walk(store, f"{seed}/{n}", steps=steps, beside=first) for n, store in enumerate(stores[1:], 1))]
    failures: list[BaseException] = []

    def play(walk: Walk) -> None:
        acts = [act for act in walk.acts if act.__name__ != "erase"]
        try:
            for _ in range(steps):
                walk.dice.choice(acts)()
        except BaseException as failed:
            failures.append(failed)

    threads = [threading.Thread(target=play, args=(walk,)) for walk in walks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    first.now = max(walk.now for walk in walks) + 10 * LEASE_MS
    first.finish()
    first.judge()
    for walk in walks[1:]:
        first.seen += walk.seen
    return first
