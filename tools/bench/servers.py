"""What every part needs: the deterministic upstream in a process of its own, and progress on stderr."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator


def say(text: str) -> None:
    """Progress, apart from the tables."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def upstream(**options: float) -> Iterator[tuple[int, int]]:
    """The upstream and the content check (options of `bench.upstream`); their ports."""
    command = [sys.executable, "-m", "bench.upstream", *(f"--{name}={value}" for name, value in options.items())]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        _, chat, check = process.stdout.readline().split()
        yield int(chat), int(check)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
