"""A campaign's result as a table for people, in Markdown so that it can stand in docs/reliability.md."""

from __future__ import annotations

from collections import Counter

from chaos.campaign import Options, Result
from chaos.verdict import CHECKS

SHOWN = 12
"""Findings printed of each kind; all of them are in the evidence."""


def table(options: Options, result: Result) -> str:
    """What was done, what was checked, what broke, and how to play it again."""
    evidence = result.evidence
    ends = Counter(item.reason or item.state for item in evidence.kept)
    takeovers = sum(item.takeovers for item in evidence.kept)
    ways = Counter(way for view in evidence.views for way in view.ways)
    broken = Counter(finding.check for finding in result.findings)
    lines = [
        f"seed {options.seed} · {options.seconds / 60:g} min · {options.instances} instances · {options.users} users"
        f" · store {options.store} · lease {options.lease:g} s",
        "",
        f"turns {len(evidence.kept)} ({_counts(ends)}), taken over {takeovers} times; "
        f"screens {len(evidence.views)} ({_counts(ways)})",
        f"faults: {_counts(Counter(result.counts)) or 'none'}",
        f"relay requests {len(evidence.asked)}: {_counts(result.relay)}",
        "",
        "| check | looked at | broken |",
        "|---|---|---|",
        *(f"| {meaning} | {result.looked[check]} | {broken[check]} |" for check, meaning in CHECKS.items()),
    ]
    for check in CHECKS:
        found = [finding.what for finding in result.findings if finding.check == check]
        lines += [f"  {check}: {what}" for what in found[:SHOWN]]
        if len(found) > SHOWN:
            lines.append(f"  {check}: … and {len(found) - SHOWN} more")
    lines += ["", f"again: {options.command}"]
    return "\n".join(lines)


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())
