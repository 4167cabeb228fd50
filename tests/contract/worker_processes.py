"""Starts `store_worker` processes and lets them go all at once."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE = 120
"""Seconds that a process may take on a busy machine; only a hang is longer."""


@contextmanager
def workers(url: str, task: str, argument: str, count: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that have the store open and wait for `go`; ended at the end, whatever happened."""
    paths = os.pathsep.join((str(ROOT), str(ROOT / "container")))
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.contract.store_worker", url, task, argument],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": paths},
        )
        for _ in range(count)
    ]
    try:
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == '"ready"\n'
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait(PATIENCE)
            for stream in (process.stdin, process.stdout):
                assert stream is not None
                stream.close()


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def answers(url: str, task: str, argument: str, count: int) -> list[Any]:
    """The one answer of each of `count` processes that did the same at once."""
    with workers(url, task, argument, count) as started:
        for process in started:
            go(process)
        said = []
        for process in started:
            assert process.stdout is not None
            said.append(json.loads(process.stdout.readline()))
            assert process.wait(PATIENCE) == 0
    return said
