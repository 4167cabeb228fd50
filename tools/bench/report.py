"""Figures of many rounds as rows: medians with their spread, and the ratio to one system of the same round."""

import math
import statistics
from collections.abc import Iterable, Sequence

from bench.load import Result

Rounds = dict[str, list[Result]]


def percentile(values: Iterable[float], share: float) -> float:
    """The least value that at least `share` of them do not exceed (nearest rank); NaN for none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)] if ordered else float("nan")


def spread(values: Sequence[float], digits: int = 1) -> str:
    """The median, and the least and the most where they differ."""
    middle = f"{statistics.median(values):,.{digits}f}"
    least, most = f"{min(values):,.{digits}f}", f"{max(values):,.{digits}f}"
    return middle if least == most else f"{middle} ({least}-{most})"


def ratio(mine: list[Result], peer: list[Result]) -> float:
    """The median of the ratios of processor time, round by round, since the machine drifts from round to round."""
    return statistics.median(_ratios(mine, peer))


def over(mine: list[Result], direct: list[Result], share: float, moment: str) -> float:
    """Seconds by which the first text came later than `moment` (`first` or `window`) at the direct listener of the same
    round, median of the rounds: percentile against percentile."""
    return statistics.median(_over(mine, direct, share, moment))


def _ratios(mine: list[Result], peer: list[Result]) -> list[float]:
    return [one.cpu_per_1000 / other.cpu_per_1000 for one, other in zip(mine, peer, strict=True)]


def _over(mine: list[Result], direct: list[Result], share: float, moment: str) -> list[float]:
    pairs = zip(mine, direct, strict=True)
    return [percentile(one.first, share) - percentile(getattr(base, moment), share) for one, base in pairs]


def streaming(rounds: Rounds, *, against: str, direct: str) -> list[str]:
    """Markdown rows."""
    rows = [
        f"| system | CPU s per 1,000 answers | ratio to {against} | first text over direct p50, ms | p99 "
        "| over direct's first 40 characters p50, ms | p99 | gap between updates p50, ms | p99 | memory, MB "
        "| wrong or lost |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, results in rounds.items():
        if name == direct:
            continue
        cells = [name, spread([one.cpu_per_1000 for one in results]), spread(_ratios(results, rounds[against]), 2)]
        for moment in ("first", "window"):
            checked = moment == "first" or name.startswith("Yunliao")
            for share in (0.5, 0.99):
                late = [1000 * value for value in _over(results, rounds[direct], share, moment)]
                cells.append(spread(late) if checked else "")
        for share in (0.5, 0.99):
            cells.append(spread([1000 * percentile(one.gaps, share) for one in results], 0))
        cells.append(spread([one.memory_busy / 1e6 for one in results], 0))
        cells.append(str(sum(one.lost for one in results)))
        rows.append("| " + " | ".join(cells) + " |")
    opening = [one.opening_per_1000 for name in rounds for one in rounds[name] if one.opened]
    if opening:
        rows += ["", f"Opening a socket (ticket, handshake, greeting) costs {spread(opening)} CPU s per 1,000, once."]
    return rows
