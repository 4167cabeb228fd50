"""What every part needs: the deterministic upstream in a process of its own, and progress on stderr."""

import contextlib
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATH = os.pathsep.join(str(ROOT / folder) for folder in ("tools", "container"))


def say(text: str) -> None:
    """Progress, apart from the tables."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def upstream(**options: float) -> Iterator[tuple[int, int]]:
    """The upstream and the content check (options of `bench.upstream`); their ports."""
    command = [sys.executable, "-m", "bench.upstream", *(f"--{name}={value}" for name, value in options.items())]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": PATH})
    try:
        assert process.stdout is not None
        _, chat, check = process.stdout.readline().split()
        yield int(chat), int(check)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
