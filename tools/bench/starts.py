"""From nothing to the first answer of /healthz, beside the least that gunicorn can serve; and what is imported."""

import pathlib
import re
import statistics
import subprocess
import sys

from bench.bench import Bench
from bench.report import spread
from bench.servers import upstream
from bench.systems import ROOT, System


def part(bench: Bench) -> None:
    """Both tables."""
    with upstream(tokens=1) as ports:
        bench.tables["starts"], bench.figures["start"] = starts(bench.folder, bench.scale.starts, ports)
    bench.tables["imports"] = imports()


def starts(folder: pathlib.Path, rounds: int, ports: tuple[int, int]) -> tuple[list[str], float]:
    """Markdown rows, the two started in turn; Yunliao's time over the other's."""
    seconds: dict[str, list[float]] = {"hello": [], "Yunliao": []}
    memory: dict[str, list[float]] = {"hello": [], "Yunliao": []}
    for number in range(rounds):
        for name in seconds:
            with System(name, "sse", folder / f"start-{name}-{number}") as system:
                system.start(*ports)
                seconds[name].append(system.start_seconds)
                assert system.process is not None
                memory[name].append(system.process.memory() / 1e6)
    ratio = statistics.median(seconds["Yunliao"]) / statistics.median(seconds["hello"])
    rows = ["| | start to first answer, s | ratio | memory then, MB |", "|---|---|---|---|"]
    for name, label in (("hello", "bare Flask + gunicorn gevent"), ("Yunliao", "Yunliao, SQLite, empty store")):
        told = "1" if name == "hello" else f"{ratio:.2f}"
        rows.append(f"| {label} | {spread(seconds[name], 2)} | {told} | {spread(memory[name], 0)} |")
    return rows, ratio


def imports(most: int = 12) -> list[str]:
    """Markdown rows: what importing the application costs, the dearest packages first."""
    code = "from yunliao.factory import create_app; import yunliao.bootstrap, yunliao.adapters.store.sqlite"
    told = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code], cwd=ROOT / "container", capture_output=True, text=True,
        check=True, env={"PYTHONPATH": "."},
    ).stderr  # fmt: skip
    own: dict[str, int] = {}
    for line in told.splitlines():
        found = re.match(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", line)
        if found:
            top = found[2].split(".")[0]
            own[top] = own.get(top, 0) + int(found[1])
    dearest = sorted(own.items(), key=lambda item: -item[1])[:most]
    rows = ["| package | own import time, ms |", "|---|---|"]
    rows += [f"| `{name}` | {cost / 1000:.0f} |" for name, cost in dearest]
    return [*rows, f"| all | {sum(own.values()) / 1000:.0f} |"]
