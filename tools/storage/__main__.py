"""`python3 -m storage tailing`, `… growth`, `… rotation`, `… search`, with tools/ and container/ on the path: the
tables of docs/storage.md, docs/keys.md and docs/search.md."""

import argparse
import sys
import tempfile
from pathlib import Path

from mongod import ReplicaSet
from storage import growth, rotation, search, tailing

GROWTH = "| collection | documents | estimate, MB | data, MB | on disk, MB | indexes, MB | of them, MB (estimate) |"
HEADER = "| way | live turns | followed here | delay p50, ms | p95 | longest | CPU here | CPU of the server |"
SEARCH = "| store | messages | whole search, ms | of it processor, ms | calls | messages/s |"
ROTATION = (
    "| store | users | seconds | users/s | reads before | failed | p50, ms | p99 | longest | reads meanwhile | failed"
    " | p50, ms | p99 | longest |\n|" + "---|" * 14
)


def main() -> int:
    """Measure on a server of its own."""
    options = argparse.ArgumentParser(prog="storage", description="Measures of the MongoDB store.")
    commands = options.add_subparsers(dest="command", required=True)
    tails = commands.add_parser("tailing", help="what following the turns of other instances costs")
    tails.add_argument("--seconds", type=float, default=10)
    tails.add_argument("--live", type=int, default=150, help="live turns of all instances")
    tails.add_argument("--followed", type=int, default=20, help="of them listened to here")
    grows = commands.add_parser("growth", help="how collections and indexes grow, per 1,000,000 turns")
    grows.add_argument("--turns", type=int, default=100_000, help="turns to generate; a tenth of them with events")
    rotates = commands.add_parser("rotation", help="changing the master key while serving reads")
    rotates.add_argument("--users", type=int, default=100_000)
    searches = commands.add_parser("search", help="searching a history by decrypting it in memory")
    searches.add_argument("--messages", type=int, default=10_000)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="yunliao-storage-") as folder, ReplicaSet(Path(folder)) as running:
        process = running.members[0].process
        assert process is not None
        if chosen.command == "growth":
            print(GROWTH + "\n|---|---|---|---|---|---|---|", flush=True)
            rows = growth.measure(running.url("expired"), turns=chosen.turns, expired=True)
            rows += growth.measure(running.url("fresh"), turns=chosen.turns // 10, expired=False)[-1:]
            print("\n".join(rows))
            return 0
        if chosen.command == "rotation":
            print(ROTATION, flush=True)
            print(rotation.measure(f"sqlite:///{folder}/rotation.db", users=chosen.users), flush=True)
            print(rotation.measure(running.url("rotation"), users=chosen.users), flush=True)
            return 0
        if chosen.command == "search":
            print(SEARCH + "\n|---|---|---|---|---|---|", flush=True)
            print(search.measure(f"sqlite:///{folder}/search.db", messages=chosen.messages), flush=True)
            print(search.measure(running.url("search"), messages=chosen.messages), flush=True)
            return 0
        print(HEADER + "\n|---|---|---|---|---|---|---|---|", flush=True)
        for number, way in enumerate(tailing.WAYS):
            url = running.url(f"tailing_{number}")
            line = tailing.measure(
                url, way, live=chosen.live, followed=chosen.followed, seconds=chosen.seconds, server=process.pid
            )
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
