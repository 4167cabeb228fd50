"""`python -m bench`: all figures in one run, systems taking turns; tables printed, and written where docs show them."""

import argparse
import pathlib
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace

from bench import growth, overload, pages, soak, starts, stored, streaming, targets
from bench.bench import Bench
from bench.options import add_options
from bench.scale import QUICK, QUOTA, WHOLE, Scale
from bench.servers import say
from bench.systems import missing
from mongod import ReplicaSet

PARTS: dict[str, Callable[[Bench], None]] = {
    "starts": starts.part,
    "streaming": streaming.streaming,
    "arrivals": streaming.arrivals,
    "check": streaming.check,
    "growth": growth.live,
    "stored": stored.stored,
    "overload": overload.overload,
}


def run(
    folder: pathlib.Path, scale: Scale, chosen: list[str], *, minutes: float = 0, rate: float | None = None
) -> Bench:
    """Measure these parts; the soak takes `minutes`."""
    with ReplicaSet(folder / "mongod") as store:
        process = store.members[0].process
        assert process is not None
        bench = Bench(folder, scale, store.url("bench"), process.pid)
        for name in chosen:
            say(name)
            if name == "soak":
                soak.part(bench, minutes, rate)
            else:
                PARTS[name](bench)
    if "streaming" in chosen:
        bench.tables["streaming"] += [line for said in missing() for line in ("", said)]
    bench.tables = {"targets": targets.table(bench.figures), **bench.tables}
    return bench


def main() -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench", description=__doc__)
    add_options(parser)
    options = parser.parse_args()
    chosen = [options.only] if options.only else list(PARTS)
    scale = QUICK if options.quick else replace(WHOLE, rounds=options.rounds)
    if options.only == "overload" and not options.quick:
        scale = replace(scale, quota=QUOTA)
    with tempfile.TemporaryDirectory(prefix="yunliao-bench-") as name:
        bench = run(pathlib.Path(name), scale, chosen, minutes=options.minutes, rate=options.rate)
    if options.only:
        del bench.tables["targets"]  # those of one whole run belong together
    for name, rows in bench.tables.items():
        print(f"\n## {name}\n")
        print("\n".join(rows), flush=True)
    print(f"\n{bench.right:,} texts were what the upstream said, {bench.wrong} were wrong or did not come.")
    if options.write:
        pages.write(bench.tables, bench.pictures, options.docs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
