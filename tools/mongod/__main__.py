"""Starts a local replica set: `python -m mongod --folder DIR`; prints `ready mongodb://…`, stops on a signal."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from mongod import BinaryMissing, ReplicaSet, StartFailed


def main() -> int:
    """Until SIGINT or SIGTERM."""
    options = argparse.ArgumentParser(prog="mongod", description="A local replica set for trials.")
    options.add_argument("--folder", required=True, type=Path)
    options.add_argument("--members", type=int, choices=(1, 3), default=1)
    chosen = options.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        with ReplicaSet(chosen.folder, members=chosen.members) as replica_set:
            print(f"ready {replica_set.url()}", flush=True)
            ended.wait()
    except (BinaryMissing, StartFailed) as failed:
        print(f"failed {failed}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
