"""`python3 -m ledger --interleavings N --store sqlite|mongodb|memory`; tools/, container/ and the root on the path.

Exit status: 0 every promise held in every interleaving, 1 one broke (its seed is printed and repeats it), 130 stopped.
"""

import argparse
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

from ledger import stores
from ledger.options import add_options
from ledger.walk import Broken, Walk

BATCH = 400
"""Interleavings in one store, which is then thrown away."""


Played = tuple[int, Counter[str], str]


def batch(kind: str, url: str, seed: str, numbers: range, steps: int) -> Played:
    """Interleavings played, what happened in them, and what broke."""
    played, seen = 0, Counter[str]()
    with stores.fresh(kind, url) as store:
        for number in numbers:
            walk = Walk(store, f"{seed}/{number}", steps=steps)
            try:
                seen["steps"] += walk.play()
            except Broken as broken:
                return played, seen, str(broken)
            played += 1
            seen["store errors"] += walk.faults.lost
            seen += walk.seen
    return played, seen, ""


def main() -> int:
    """Play them all."""
    options = argparse.ArgumentParser(prog="ledger", description=__doc__)
    add_options(options)
    chosen = options.parse_args()
    seed = chosen.seed or secrets.token_hex(4)
    numbers = range(chosen.interleavings) if chosen.only is None else range(chosen.only, chosen.only + 1)
    print(f"seed {seed}, {len(numbers)} interleavings of {chosen.steps} steps on {chosen.store}", flush=True)
    with server(chosen.store) as url:
        return play(chosen.store, url, seed, numbers, chosen.steps, chosen.processes)


def play(kind: str, url: str, seed: str, numbers: range, steps: int, processes: int) -> int:
    """All interleavings, in batches over processes; the exit status."""
    began, played, seen = time.monotonic(), 0, Counter[str]()
    batches = iter([numbers[start : start + BATCH] for start in range(0, len(numbers), BATCH)])
    with ProcessPoolExecutor(processes) as pool:
        running: set[Future[Played]] = set()
        for _ in range(processes):
            if (one := next(batches, None)) is not None:
                running.add(pool.submit(batch, kind, url, seed, one, steps))
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                more, happened, broke = future.result()
                played, seen = played + more, seen + happened
                if broke:
                    print(f"\n{broke}\nAgain: --seed {seed} --only {broke.split(':')[0].rpartition('/')[2]}")
                    pool.shutdown(cancel_futures=True)
                    return 1
                if (one := next(batches, None)) is not None:
                    running.add(pool.submit(batch, kind, url, seed, one, steps))
            progress(played, len(numbers), time.monotonic() - began)
    seconds = time.monotonic() - began
    print(f"\n{played} interleavings on {kind}: no promise broke ({seconds:.0f} s)")
    print("; ".join(f"{name} {count}" for name, count in seen.most_common()))
    return 0


def progress(played: int, whole: int, seconds: float) -> None:
    """A bar on a terminal, a line now and then elsewhere."""
    part = played / whole
    left = seconds / part * (1 - part) if part else 0
    if sys.stderr.isatty():
        sys.stderr.write(f"\r[{'#' * int(30 * part):30}] {played}/{whole}, {left:.0f} s left ")
    elif played == whole or played % (10 * BATCH) < BATCH:
        sys.stderr.write(f"{played}/{whole} after {seconds:.0f} s\n")
    sys.stderr.flush()


@contextmanager
def server(kind: str) -> Iterator[str]:
    """A MongoDB of its own, where one is needed: its address with `{}` for the database."""
    if kind != "mongodb":
        yield ""
        return
    from mongod import ReplicaSet

    with (
        tempfile.TemporaryDirectory(prefix="yunliao-walk-", dir=stores.FOLDER) as folder,
        ReplicaSet(Path(folder)) as running,
    ):
        yield running.url("DATABASE").replace("DATABASE", "{}")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
