"""`audit …`: what operators did, and whether the log of it is whole."""

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from yunliao.cli.progress import Progress
from yunliao.services.audit_trail import Head

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

NAME = "audit"
HELP = "The audit log: verify, show."


def options(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    actions = parser.add_subparsers(dest="action", required=True)
    verify = actions.add_parser("verify", help="find any change, removal or reordering")
    verify.add_argument("--expect", metavar="NUMBER:MAC", type=_head, help="a head that was written down before")
    show = actions.add_parser("show", help="the newest entries")
    show.add_argument("--last", type=int, default=50)


def run(services: "Services", options: argparse.Namespace, out: TextIO) -> int:
    """Run it; 1 when the log is not whole."""
    if options.action == "show":
        for one in reversed(services.audit_trail.newest(max(1, options.last))):
            at = datetime.fromtimestamp(one.at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
            said = "  ".join(filter(None, (one.subject, one.detail, one.reason)))
            out.write(f"{one.seq:>6}  {at}  {one.actor:<16}{one.action:<20}{said}\n")
        return 0
    progress = Progress("audit")
    found = services.audit_trail.verify(options.expect, progress)
    progress.end()
    if found.problem:
        out.write(f"NOT WHOLE: {found.problem}. {found.entries} entries before it are in order. 审计日志不完整。\n")
        return 1
    out.write(f"{found.entries} entries, whole. 审计日志完整。\n")
    out.write(f"Head: {found.head.seq}:{found.head.mac}\n")
    out.write("Keep the head outside the service; `audit verify --expect` then also finds a cut-off end.\n")
    return 0


def _head(text: str) -> Head:
    seq, _, mac = text.partition(":")
    if not seq.isdigit() or len(mac) != 64 or set(mac) - set("0123456789abcdef"):
        raise argparse.ArgumentTypeError("must be the number and the mac that `audit verify` showed")
    return Head(int(seq), mac)
