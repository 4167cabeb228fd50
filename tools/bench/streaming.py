"""Everything side by side: what an answer costs, and when its words come."""

import asyncio
import contextlib

from bench import load, report, script
from bench.bench import Bench
from bench.report import Rounds, percentile
from bench.servers import say, upstream
from bench.systems import DIRECT, NAIVE, System, everything, yunliao

FIRST, GAP = 0.2, 0.02
CHECK = 0.06
"""Seconds of a content check, in the part that has one."""


async def _warm(systems: list[System], tokens: int) -> None:
    """What is loaded with the first answers is no cost of an answer."""
    each = (load.closed(system, people=3, answers=3, tokens=tokens, spread=0, offset=script.WARM) for system in systems)
    await asyncio.gather(*each)


async def _rounds(bench: Bench, systems: list[System]) -> Rounds:
    taken: Rounds = {system.name: [] for system in systems}
    scale = bench.scale
    await _warm(systems, scale.tokens)
    for number in range(scale.rounds):
        for place, system in enumerate(systems):
            say(f"streaming, round {number + 1} of {scale.rounds}: {system.name}")
            offset = (number * len(systems) + place) * 100_000
            result = await load.closed(
                system,
                people=scale.people,
                answers=scale.answers,
                tokens=scale.tokens,
                spread=scale.spread,
                offset=offset,
            )
            taken[system.name].append(result)
    return taken


def streaming(bench: Bench) -> None:
    """The table of all systems, and the arrivals at a constant rate."""
    with upstream(tokens=bench.scale.tokens, first=FIRST, gap=GAP) as ports, contextlib.ExitStack() as running:
        systems = everything(bench.folder, bench.store_url, ports)
        for system in systems:
            if system.name != DIRECT:
                running.enter_context(system).start(*ports)
        taken = asyncio.run(_rounds(bench, systems))
    bench.tables["streaming"] = report.streaming(taken, against=NAIVE, direct=DIRECT)
    bench.count(taken)
    for kind in ("socket", "sse", "poll"):
        mine = taken[f"Yunliao, MongoDB, {kind}"]
        bench.figures[f"cpu {kind}"] = report.ratio(mine, taken[NAIVE])
    mine, base = taken["Yunliao, MongoDB, socket"], taken[DIRECT]
    for share in (0.5, 0.99):
        bench.figures[f"first over window p{share * 100:g}"] = 1000 * report.over(mine, base, share, "window")
        bench.figures[f"first over first p{share * 100:g}"] = 1000 * report.over(mine, base, share, "first")


def arrivals(bench: Bench) -> None:
    """New people at a constant rate, whatever becomes of those before."""
    scale = bench.scale
    rows = [
        "| system | first text p50, ms | p90 | p99 | over the direct listener's first 40 characters p50, ms | p99 "
        "| wrong or lost |",
        "|---|---|---|---|---|---|---|",
    ]
    with upstream(tokens=scale.tokens, first=FIRST, gap=GAP) as ports, contextlib.ExitStack() as running:
        found = everything(bench.folder / "arrivals", bench.store_url, ports, database="arrivals")
        systems = [one for one in found if one.name in (DIRECT, NAIVE, "Yunliao, MongoDB, socket")]
        for system in systems:
            if system.name != DIRECT:
                running.enter_context(system).start(*ports)
        asyncio.run(_warm(systems, scale.tokens))
        taken: Rounds = {}
        for place, system in enumerate(systems):
            say(f"arrivals at {scale.rate:g} a second: {system.name}")
            coming = load.arriving(
                system, rate=scale.rate, seconds=scale.arrivals, tokens=scale.tokens, offset=(place + 1) * 1_000_000
            )
            taken[system.name] = [asyncio.run(coming)]
    bench.count(taken)
    for name, results in taken.items():
        cells = [f"{1000 * percentile(results[0].first, share):,.0f}" for share in (0.5, 0.9, 0.99)]
        for share in (0.5, 0.99):
            over = 1000 * report.over(results, taken[DIRECT], share, "window")
            cells.append("" if name == DIRECT else f"{over:+,.1f}")
        rows.append(f"| {name} | " + " | ".join([*cells, str(results[0].lost)]) + " |")
    bench.tables["arrivals"] = rows


def check(bench: Bench) -> None:
    """First text where every content check takes its time."""
    scale = bench.scale
    with upstream(tokens=scale.tokens, first=FIRST, gap=GAP, check=CHECK) as ports:
        direct = System(DIRECT, "openai", bench.folder / "check-direct", url=f"http://127.0.0.1:{ports[0]}")
        mine = yunliao(bench.folder / "check", "socket", bench.store_url, "check")
        with mine:
            mine.start(*ports)
            asyncio.run(_warm([mine], scale.tokens))
            taken: Rounds = {}
            for place, system in enumerate((direct, mine)):
                say(f"with a check of {1000 * CHECK:g} ms: {system.name}")
                load_ = load.closed(
                    system, people=scale.people, answers=scale.answers, tokens=scale.tokens, spread=scale.spread,
                    offset=(place + 20) * 1_000_000,
                )  # fmt: skip
                taken[system.name] = [asyncio.run(load_)]
    bench.count(taken)
    rows = ["| | p50, ms | p90 | p99 |", "|---|---|---|---|"]
    base = taken[DIRECT]

    def row(label: str, values: list[float]) -> None:
        rows.append(f"| {label} | " + " | ".join(f"{1000 * value:,.0f}" for value in values) + " |")

    shares = (0.5, 0.9, 0.99)
    row("direct: first token", [percentile(base[0].first, share) for share in shares])
    row("direct: first 40 characters", [percentile(base[0].window, share) for share in shares])
    row("Yunliao: first text", [percentile(taken[mine.name][0].first, share) for share in shares])
    over = [report.over(taken[mine.name], base, share, "window") for share in shares]
    row(
        f"over the direct listener's first 40 characters and one check of {1000 * CHECK:g} ms",
        [late - CHECK for late in over],
    )
    both = [late - 2 * CHECK for late in over]
    row("the same, the check of the question taken out as well, without which no relay is asked", both)
    bench.tables["check"] = rows
    bench.figures |= {
        "check over p50": 1000 * (over[0] - CHECK),
        "check over p99": 1000 * (over[2] - CHECK),
        "both checks over p50": 1000 * both[0],
        "both checks over p99": 1000 * both[2],
    }
