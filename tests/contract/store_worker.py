"""A process that uses the store of its first argument: says `ready`, waits for a line, does its second argument.

Every answer is one line of JSON on standard output. Started by the tests of several processes and of killed ones.
"""

import itertools
import json
import os
import random
import sys
import time
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from tests.contract import records
from tests.contract.known_users import known_users
from tests.contract.records import LIMITS, draft, ending, last, rows
from yunliao.domain.turn import Turn
from yunliao.errors import StoreUnavailable
from yunliao.ports import AcceptLimits, Store, TurnWrite


def open_store(url: str) -> Store:
    """The store of an address; one that ends with `#known` gives all who send an account."""
    url, _, known = url.partition("#")
    if known:
        return known_users(open_store(url))
    if url.startswith("mongodb:"):
        from yunliao.adapters.store.mongo import MongoStore

        return MongoStore(url)
    from yunliao.adapters.store.sqlite import SqliteStore

    return SqliteStore(url)


TURNS = 60
"""Live turns of the writer that is killed."""


def say(answer: Any) -> None:
    print(json.dumps(answer), flush=True)


def accept(store: Store, client_id: str) -> None:
    outcome = store.turns.accept(draft(client_id=client_id), LIMITS)
    say([outcome.status, outcome.turn.id if outcome.turn else None])


def accept_many(store: Store, count: str) -> None:
    """Different sends of one user, each ended at once, under a limit of ten."""
    limits = AcceptLimits(rate=10, window_ms=60_000)
    statuses = []
    for _ in range(int(count)):
        outcome = store.turns.accept(draft("hasty"), limits)
        while outcome.status == "turn_in_progress":  # of another process, which ends it at once
            time.sleep(0.005)
            outcome = store.turns.accept(draft("hasty"), limits)
        statuses.append(outcome.status)
        if outcome.status == "accepted" and outcome.turn is not None:
            store.turns.commit([last(outcome.turn, 2)], owner="me", lease_until=9_000)
    say(statuses)


def claim(store: Store, turn_id: str) -> None:
    say(store.turns.claim(turn_id, owner=f"process{os.getpid()}", lease_until=9_000, now=6_000) is not None)


def take(store: Store, ticket_hash: str) -> None:
    say(store.tickets.take(ticket_hash, now=50) is not None)


def secret(store: Store, name: str) -> None:
    say(store.secrets.get_or_put(name, os.urandom(8)).hex())


def migrate(store: Store, _: str) -> None:
    say(store.migrate())


def write(store: Store, seed: str) -> None:
    """Group commits without end, so large that a kill mostly falls inside one; each is said after it returned."""
    chance = random.Random(seed)
    live: dict[str, Turn] = {}
    while True:
        for name in map(str, range(TURNS)):
            if name not in live:
                outcome = store.turns.accept(draft(f"{seed}-{name}"), LIMITS)
                assert outcome.turn is not None
                live[name] = outcome.turn
        seqs = {name: turn.last_seq for name, turn in live.items()}
        writes, ended = [], []
        for name, turn in live.items():
            ends = chance.random() < 0.05
            new = rows(turn.last_seq + 1, chance.randint(1, 9))
            seqs[name] += len(new)
            writes.append(TurnWrite(turn_id=turn.id, rows=new, ending=ending() if ends else None, state=None))
            if ends:
                ended.append(name)
        result = store.turns.commit(writes, owner="me", lease_until=9_000)
        assert not result.lost
        say([[turn.id, seqs[name], name in ended] for name, turn in live.items()])
        live = {name: replace(turn, last_seq=seqs[name]) for name, turn in live.items() if name not in ended}


def fill(store: Store, size: str) -> None:
    """Write until the system lets no file grow beyond `size` bytes, then read, then write with the limit gone."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), resource.RLIM_INFINITY))
    kept: list[str] = []
    refused = ""
    while not refused:
        sent = draft(f"user{len(kept)}")
        try:
            store.turns.accept(sent, LIMITS)
            kept.append(sent.turn.id)
        except StoreUnavailable as error:
            refused = sent.turn.id
            say(["refused", error.detail])
    say(["kept", sum(store.turns.get(turn_id) is not None for turn_id in kept) == len(kept)])
    say(["torn", store.turns.get(refused) is not None or bool(store.turns.events(refused, after=0, limit=1))])
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    say(["healed", store.turns.accept(draft("later"), LIMITS).status])


TASKS: dict[str, Callable[[Store, str], None]] = {
    task.__name__: task for task in (accept, accept_many, claim, take, secret, migrate, write, fill)
}


def main() -> None:
    records._numbers = itertools.count(os.getpid() * 1_000_000)  # ids of several processes must not meet
    store = open_store(sys.argv[1])
    if sys.argv[2] != "migrate":
        store.ping()
    say("ready")
    sys.stdin.readline()
    TASKS[sys.argv[2]](store, sys.argv[3])
    store.close()


if __name__ == "__main__":
    main()
