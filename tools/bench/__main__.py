"""`python -m bench`: all figures in one run, systems taking turns; tables printed, and written where docs show them."""

import argparse
import asyncio
import contextlib
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from bench import growth, load, report, starts
from bench.options import add_options
from bench.report import Rounds
from bench.systems import System
from mongod import ReplicaSet

DIRECT = "direct"
NAIVE = "naive Flask proxy"


def say(text: str) -> None:
    """Progress, apart from the tables."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def upstream(**options: float) -> Iterator[tuple[int, int]]:
    """The deterministic upstream and content check; their ports."""
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


def systems(folder: pathlib.Path, mongodb: str, ports: tuple[int, int]) -> list[System]:
    """What takes turns: the upstream itself, the peers, and Yunliao by every transport on both stores."""
    found = [System(DIRECT, "openai", folder / "direct", url=f"http://127.0.0.1:{ports[0]}")]
    if shutil.which("nginx"):
        found.append(System("nginx, bare proxy", "openai", folder / "nginx"))
    found += [System(NAIVE, "chat", folder / "naive"), System("tutorial backend", "chat", folder / "tutorial")]
    for store, kinds in (("SQLite", ("socket",)), ("MongoDB", ("socket", "sse", "poll"))):
        for kind in kinds:
            one = System(f"Yunliao, {store}, {kind}", kind, folder / f"{store}-{kind}")
            if store == "MongoDB":
                one.env["YUNLIAO_STORE_URL"] = mongodb.replace("/bench", f"/bench_{kind}")
            found.append(one)
    return found


async def stream(found: list[System], rounds: int, answers: int, people: int) -> Rounds:
    """All systems in turn, `rounds` times."""
    taken: Rounds = {system.name: [] for system in found}
    for number in range(rounds):
        for place, system in enumerate(found):
            say(f"round {number + 1} of {rounds}: {system.name}")
            offset = (number * len(found) + place) * 100_000
            result = await load.closed(system, people=people, answers=answers, tokens=200, spread=4, offset=offset)
            if result.wrong:
                say(f"wrong or lost: {result.wrong}")
            taken[system.name].append(result)
    return taken


def run(options: argparse.Namespace, folder: pathlib.Path) -> dict[str, list[str]]:
    """Tables by name."""
    tables: dict[str, list[str]] = {}
    rounds, answers = (1, 120) if options.quick else (options.rounds, 400)
    steps = [50, 200] if options.quick else [50, 100, 200, 400, 700, 1000]
    with ReplicaSet(folder / "mongod") as store, upstream(tokens=200, first=0.2, gap=0.02) as ports:
        say("starts")
        tables["starts"] = starts.starts(folder, 3 if options.quick else 7, ports)
        tables["imports"] = starts.imports()
        found = systems(folder, store.url("bench"), ports)
        with contextlib.ExitStack() as running:
            for system in found:
                if system.name != DIRECT:
                    running.enter_context(system).start(*ports)
            taken = asyncio.run(stream(found, rounds, answers, 40))
            tables["streaming"] = report.streaming(taken, against=NAIVE, direct=DIRECT)
    with ReplicaSet(folder / "mongod2") as store, upstream(tokens=growth.TOKENS, first=0.2, gap=0.1) as ports:
        system = System("Yunliao, MongoDB, socket", "socket", folder / "growth")
        system.env["YUNLIAO_STORE_URL"] = store.url("bench")
        with system:
            system.start(*ports)
            say("growth")
            tables["growth"], picture = asyncio.run(growth.live(system, steps))
    if options.write:
        (options.docs / "images").mkdir(parents=True, exist_ok=True)
        (options.docs / "images" / "growth.svg").write_text(picture, "utf-8")
        tables["growth"] += ["", "![CPU seconds per 1,000 answers, by live answers](images/growth.svg)"]
    return tables


def write(tables: dict[str, list[str]], docs: pathlib.Path) -> None:
    """Put the tables between their marks in docs/performance.md, docs/image.md and their translations."""
    for page in (docs / f"{name}{language}.md" for name in ("performance", "image") for language in ("", ".zh-CN")):
        text = page.read_text("utf-8")
        for name, rows in tables.items():
            begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
            before, mark, rest = text.partition(begin)
            if mark:
                text = before + begin + "\n".join(rows) + "\n" + end + rest.partition(end)[2]
        page.write_text(text, "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench", description=__doc__)
    add_options(parser)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="yunliao-bench-") as name:
        tables = run(options, pathlib.Path(name))
    for name, rows in tables.items():
        print(f"\n## {name}\n")
        print("\n".join(rows), flush=True)
    if options.write:
        write(tables, options.docs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
