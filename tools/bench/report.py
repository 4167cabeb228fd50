"""Figures of many rounds as rows: medians with their spread, and the ratio to one system of the same round."""

import statistics
from collections.abc import Callable, Iterable, Sequence

from bench.load import Result

Rounds = dict[str, list[Result]]


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which `share` of them lie; NaN for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def spread(values: Sequence[float], digits: int = 1) -> str:
    """The median, and the least and the most where they differ."""
    middle = f"{statistics.median(values):,.{digits}f}"
    least, most = f"{min(values):,.{digits}f}", f"{max(values):,.{digits}f}"
    return middle if least == most else f"{middle} ({least}-{most})"


def streaming(rounds: Rounds, *, against: str, direct: str) -> list[str]:
    """Markdown rows. The ratio is of the rounds one by one, since the machine drifts from round to round."""
    rows = [
        f"| system | CPU s per 1,000 answers | ratio to {against} | first text over direct p50, ms | p99 | "
        "gap between updates p50, ms | p99 | memory, MB | wrong or lost |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, results in rounds.items():
        if name == direct:
            continue
        cells = [name, spread([one.cpu_per_1000 for one in results])]
        ratios = [
            one.cpu_per_1000 / peer.cpu_per_1000 for one, peer in zip(results, rounds[against], strict=True)
        ]  # fmt: skip
        cells.append(spread(ratios, 2))
        for share in (0.5, 0.99):
            over = _over(results, rounds[direct], lambda one, share=share: percentile(one.first, share))
            cells.append(spread([1000 * value for value in over]))
        for share in (0.5, 0.99):
            cells.append(spread([1000 * percentile(one.gaps, share) for one in results], 0))
        cells.append(spread([one.memory_busy / 1e6 for one in results], 0))
        cells.append(str(sum(sum(one.wrong.values()) for one in results)))
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def _over(results: list[Result], direct: list[Result], figure: Callable[[Result], float]) -> list[float]:
    return [figure(one) - figure(base) for one, base in zip(results, direct, strict=True)]
