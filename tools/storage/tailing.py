"""What it costs to follow turns that other instances run: a look per listener, one look for all, or a change stream.

One process plays the other instances: it commits a row to every live turn ten times a second. Another plays this
instance and follows some of them, by one way at a time. A row carries the moment of its commit.
"""

import multiprocessing
import threading
import time
from collections.abc import Callable
from multiprocessing.synchronize import Event
from typing import Any

from storage.records import accept
from yunliao.adapters.clock import SystemClock
from yunliao.adapters.store.mongo import MongoStore
from yunliao.ports import EventRow, TurnWrite
from yunliao.services.following import Following

WAYS = ("a look each", "one look for all", "change stream")
PACE = 0.1
"""Seconds between two commits: every turn has something to say in each."""


def writer(url: str, turn_ids: list[str], go: Event, enough: Event) -> None:
    """Commit to all turns until `enough`."""
    store = MongoStore(url)
    seq = 1
    go.wait()
    while not enough.is_set():
        began = time.monotonic()
        seq += 1
        body = repr(time.time()).encode().ljust(120)
        writes = [TurnWrite(turn_id=one, rows=(EventRow(seq=seq, body=body, created_at=seq),)) for one in turn_ids]
        store.turns.commit(writes, owner="other", lease_until=2**50)
        time.sleep(max(0.0, PACE - (time.monotonic() - began)))
    store.close()


def reader(url: str, way: str, turn_ids: list[str], go: Event, enough: Event, answers: Any) -> None:
    """Follow those turns by one way; answers (delays in seconds, CPU seconds)."""
    store, delays = MongoStore(url), list[float]()
    for turn_id in turn_ids:
        store.turns.get(turn_id)
    ways: dict[str, Callable[[], list[threading.Thread]]] = {
        "a look each": lambda: [_thread(_each, store, one, delays, enough) for one in turn_ids],
        "one look for all": lambda: _shared(store, turn_ids, delays, enough, stream=False),
        "change stream": lambda: _shared(store, turn_ids, delays, enough, stream=True),
    }
    threads = ways[way]()
    go.wait()
    began = time.process_time()
    for thread in threads:
        thread.join()
    answers.put((delays, time.process_time() - began))
    store.close()


def _thread(target: Callable[..., None], *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=target, args=arguments)
    thread.start()
    return thread


def _each(store: MongoStore, turn_id: str, delays: list[float], enough: Event) -> None:
    cursor = 1
    while not enough.is_set():
        rows = store.turns.events(turn_id, after=cursor, limit=200)
        delays += [time.time() - float(row.body) for row in rows]
        cursor += len(rows)
        if not rows:
            store.turns.get(turn_id)
            time.sleep(0.15)


def _shared(
    store: MongoStore, turn_ids: list[str], delays: list[float], enough: Event, *, stream: bool
) -> list[threading.Thread]:
    following = Following(turns=store.turns, clock=SystemClock(), spawn=lambda task: _thread(task))
    if not stream:
        store.turns.watch = lambda: None  # type: ignore[method-assign]

    def follow(turn_id: str) -> None:
        cursor = 1
        while not enough.is_set():
            seen = following.read(turn_id, cursor, 1.0)
            rows = seen.rows or store.turns.events(turn_id, after=cursor, limit=200)
            delays.extend(time.time() - float(row.body) for row in rows)
            cursor += len(rows)

    return [_thread(follow, turn_id) for turn_id in turn_ids]


def measure(url: str, way: str, *, live: int, followed: int, seconds: float, server: int) -> str:
    """One way; a row of the table. `server` is the pid of the mongod."""
    store = MongoStore(url)
    store.migrate()
    turn_ids = [accept(store, f"user{number}", owner="other").id for number in range(live)]
    store.close()
    fresh = multiprocessing.get_context("spawn")
    go, enough, answers = fresh.Event(), fresh.Event(), fresh.Queue()
    processes = [
        fresh.Process(target=writer, args=(url, turn_ids, go, enough)),
        fresh.Process(target=reader, args=(url, way, turn_ids[:followed], go, enough, answers)),
    ]
    for process in processes:
        process.start()
    time.sleep(3)  # both are up
    before = cpu(server)
    go.set()
    time.sleep(seconds)
    used = cpu(server) - before
    enough.set()
    delays, own = answers.get(timeout=60)
    for process in processes:
        process.join(60)
    delays.sort()
    middle, late = (1000 * delays[int(len(delays) * part)] for part in (0.5, 0.95))
    return (
        f"| {way} | {live} | {followed} | {middle:.0f} | {late:.0f} | {1000 * delays[-1]:.0f} "
        f"| {100 * own / seconds:.0f} % | {100 * used / seconds:.0f} % |"
    )


def cpu(pid: int) -> float:
    """CPU seconds that a process has used."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
