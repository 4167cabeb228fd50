"""What an answer costs with ever more of them at once, at ten tokens a second each: flat, or not."""

from bench import load
from bench.chart import Line, chart
from bench.report import percentile
from bench.systems import System

TOKENS = 100
"""Ten seconds of talk."""


async def live(system: System, steps: list[int]) -> tuple[list[str], str]:
    """Markdown rows and a picture."""
    rows = [
        "| live answers | CPU s per 1,000 answers | gap between updates p99, ms | memory per live answer, KB "
        "| wrong or lost |",
        "|---|---|---|---|---|",
    ]
    costs: list[tuple[float, float]] = []
    for people in steps:
        result = await load.closed(
            system, people=people, answers=people, tokens=TOKENS, spread=2, offset=people * 10_000
        )
        memory = (result.memory_busy - result.memory_idle) / people / 1000
        gap = 1000 * percentile(result.gaps, 0.99)
        lost = sum(result.wrong.values())
        rows.append(f"| {people:,} | {result.cpu_per_1000:.1f} | {gap:,.0f} | {memory:.0f} | {lost} |")
        costs.append((people, result.cpu_per_1000))
    picture = chart("CPU seconds per 1,000 answers", "live answers", [Line(system.name, costs)])
    return rows, picture
