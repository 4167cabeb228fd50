"""What an answer costs with ever more of them at once, at ten tokens a second each: flat, or not; and how many hold."""

import asyncio

from bench import load, script
from bench.bench import Bench
from bench.chart import Line, chart
from bench.report import percentile
from bench.servers import say, upstream
from bench.systems import yunliao

GAP = 0.1
STARTS = 100
"""So many begin in a second."""
HOLDS = 0.4
"""Seconds: the longest p99 gap between updates with which a number of answers counts as held."""


def live(bench: Bench) -> None:
    """Every number in a fresh worker: memory that an earlier crowd left would hide what this one needs."""
    scale = bench.scale
    rows = [
        "| live answers | CPU s per 1,000 answers | first text p99, ms | gap between updates p50, ms | p99 "
        "| memory idle, MB | memory per live answer, KB | wrong or lost |",
        "|---|---|---|---|---|---|---|---|",
    ]
    costs: list[tuple[float, float]] = []
    held, gaps, memory = 0, {}, {}
    with upstream(tokens=scale.live_tokens, first=0.2, gap=GAP) as ports:
        for people in scale.live:
            say(f"growth: {people:,} live answers")
            with yunliao(bench.folder / f"live-{people}", "socket", bench.store_url, f"live{people}") as system:
                system.start(*ports)
                result = asyncio.run(_one(bench, system, people))
            bench.count({system.name: [result]})
            memory[people] = (result.memory_busy - result.memory_idle) / people / 1000
            gaps[people] = percentile(result.gaps, 0.99)
            if gaps[people] <= HOLDS and not result.lost:
                held = people
            if people == scale.live[0]:
                bench.figures["memory idle"] = result.memory_idle / 1e6
            cells = [f"{people:,}", f"{result.cpu_per_1000:.1f}", f"{1000 * percentile(result.first, 0.99):,.0f}"]
            cells += [f"{1000 * percentile(result.gaps, share):,.0f}" for share in (0.5, 0.99)]
            cells += [f"{result.memory_idle / 1e6:.0f}", f"{memory[people]:.0f}", str(result.lost)]
            rows.append("| " + " | ".join(cells) + " |")
            costs.append((people, result.cpu_per_1000))
    most = scale.live[-1]
    bench.figures |= {
        "live held": held,
        "live most": most,
        "gap p99 at most": 1000 * gaps[most],
        "memory per live": memory[most],
        "growth live": max(cost for _, cost in costs) / costs[0][1],
    }
    bench.pictures["growth.svg"] = chart(
        "CPU seconds per 1,000 answers", "live answers", [Line("MongoDB, socket", costs)]
    )
    bench.tables["growth"] = [*rows, "", "![CPU seconds per 1,000 answers, by live answers](images/growth.svg)"]


async def _one(bench: Bench, system: load.System, people: int) -> load.Result:
    tokens = bench.scale.live_tokens
    await load.closed(system, people=3, answers=3, tokens=tokens, spread=0, offset=script.WARM)
    return await load.closed(
        system, people=people, answers=people, tokens=tokens, spread=max(2, people / STARTS), offset=people * 10_000
    )
