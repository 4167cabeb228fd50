"""What Yunliao must reach, beside what one run measured: met, or missed and by which factor."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

HEAD = ("figure", "target", "measured", "")


@dataclass(frozen=True)
class Target:
    """`figure` names what a part measured; `unit` is printed after numbers; `least`: the target is a least, not a
    most."""

    label: str
    figure: str
    limit: float
    unit: str = ""
    digits: int = 2
    least: bool = False
    part: str = ""
    """The part of the run that measures it."""
    beside: str = ""
    """Said after the number; `{name}` is another figure."""

    def verdict(self, value: float) -> str:
        """met, or missed by which factor (differences at or below zero have none)."""
        if math.isnan(value):
            return "not measured: no answer came"
        if value >= self.limit if self.least else value <= self.limit:
            return "met"
        factor = self.limit / value if self.least and value else value / self.limit
        return "missed, none held" if self.least and not value else f"missed by {factor:.2f}×"


CPU = "CPU s per 1,000 answers over the naive proxy's, MongoDB, "
FIRST = "first text over the direct listener's first 40 characters, 50 at once, "
CHECK = "the same with a 60 ms check, that check taken out, counted "
TARGETS = (
    Target(CPU + "socket (aim 0.30)", "cpu socket", 0.45, "×", part="streaming"),
    Target(CPU + "SSE (aim 0.30)", "cpu sse", 0.45, "×", part="streaming"),
    Target(CPU + "long-poll", "cpu poll", 0.60, "×", part="streaming"),
    Target(FIRST + "p50", "first over window p50", 8, " ms", 1, part="streaming",
           beside="over its first token {first over first p50:+,.1f} ms"),
    Target(FIRST + "p99", "first over window p99", 40, " ms", 1, part="streaming",
           beside="over its first token {first over first p99:+,.1f} ms"),
    Target(CHECK + "from where the relay is asked, p50", "both checks over p50", 10, " ms", 1, part="check",
           beside="the guard adds no second round trip; p99 {both checks over p99:+,.1f} ms"),
    Target(CHECK + "from the question, whose own check comes before the relay, p50", "check over p50", 10,
           " ms", 1, part="check", beside="p99 {check over p99:+,.1f} ms"),
    Target("live answers at ten tokens a second held with a p99 gap of at most 400 ms", "live held", 1000, "", 0,
           least=True, part="growth", beside="p99 gap at {live most:,.0f}: {gap p99 at most:,.0f} ms"),
    Target("memory per live answer, at the largest number", "memory per live", 60, " KB", 0, part="growth"),
    Target("memory of an idle worker", "memory idle", 110, " MB", 0, part="growth"),
    Target("start to the first /healthz over a bare Flask and gunicorn hello", "start", 1.8, "×", part="starts"),
    Target("growth of CPU per answer with live answers, the dearest over the fewest", "growth live", 1.10, "×",
           part="growth"),
    Target("growth of CPU per answer with stored turns, the dearest over the fewest", "growth stored", 1.10, "×",
           part="stored"),
)  # fmt: skip


def table(figures: Mapping[str, float]) -> list[str]:
    """Markdown rows, one for every target."""
    rows = ["| " + " | ".join(HEAD) + " |", "|---" * len(HEAD) + "|"]
    for one in TARGETS:
        bound = f"{'at least' if one.least else 'at most'} {one.limit:,.{one.digits}f}{one.unit}"
        if one.figure in figures:
            value = figures[one.figure]
            told = f"{value:,.{one.digits}f}{one.unit}"
            told += f" ({filled(one.beside, figures)})" if one.beside else ""
            rows.append(f"| {one.label} | {bound} | {told} | {one.verdict(value)} |")
        else:
            rows.append(f"| {one.label} | {bound} | | not measured in this run (part `{one.part}`) |")
    return rows


def filled(text: str, figures: Mapping[str, float]) -> str:
    """`{name:format}` replaced, where names have blanks."""
    out, rest = "", text
    while "{" in rest:
        before, _, rest = rest.partition("{")
        inside, _, rest = rest.partition("}")
        name, _, how = inside.partition(":")
        out += before + format(figures.get(name, float("nan")), how)
    return out + rest
