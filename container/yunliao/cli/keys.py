"""`keys status` and `keys rotate` (docs/keys.md)."""

import argparse
from typing import TYPE_CHECKING, TextIO

from yunliao.cli.progress import Progress
from yunliao.services.rotation import KeyCounts

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

NAME = "keys"
HELP = "What each master key wraps; wrap everything by the first one."


def options(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("status", help="how much each master key wraps")
    actions.add_parser("rotate", help="wrap everything by the first key of YUNLIAO_MASTER_KEYS; may be repeated")


def run(services: "Services", options: argparse.Namespace, out: TextIO) -> int:
    """Run it; 1 when something is left to do."""
    if options.action == "status":
        counts = services.rotation.status()
        _table(counts, out)
        return 1 if counts.damaged or set(counts.others) - set(counts.ring) else 0
    progress = Progress("keys")
    try:
        done = services.rotation.rotate(progress)
    finally:
        progress.end()
    services.audit_trail.note("terminal", "keys.rotate", detail=f"{done.changed} wrapped by {done.counts.writer}")
    out.write(f"{done.changed:,} keys wrapped anew by {done.counts.writer!r} in {done.seconds:.1f} s.\n")
    _table(done.counts, out)
    for reason in done.reasons:
        out.write(f"Not done: {reason}\n")
    return _verdict(done.counts, done.failed, out)


def _verdict(counts: KeyCounts, failed: int, out: TextIO) -> int:
    if failed or counts.damaged:
        out.write(f"{failed or counts.damaged:,} keys could not be opened and stay as they are.\n")
        return 1
    if counts.others:
        out.write(
            f"Still in use: {', '.join(counts.others)}. An instance with the old setting made users meanwhile:"
            " start all instances with the new setting, then run this again.\n"
        )
        return 1
    spare = sorted(set(counts.ring) - {counts.writer})
    if spare:
        out.write(f"Nothing is wrapped by {', '.join(spare)} any more: remove it from YUNLIAO_MASTER_KEYS.\n")
    else:
        out.write("Everything is wrapped by the only key of the ring.\n")
    return 0


def _table(counts: KeyCounts, out: TextIO) -> None:
    out.write(f"{'key':<18}{'users':>12}{'shared':>8}\n")
    for name in sorted({*counts.users, *counts.secrets, *counts.ring}):
        note = "  writes" if name == counts.writer else "" if name in counts.ring else "  MISSING in the ring"
        out.write(f"{name:<18}{counts.users.get(name, 0):>12,}{counts.secrets.get(name, 0):>8}{note}\n")
    if counts.damaged:
        out.write(f"{'damaged':<18}{counts.damaged:>12,}\n")
