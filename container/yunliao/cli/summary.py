"""`summary`: what all instances did, by hour and day; from the store, or from log lines alone."""

import argparse
import sys
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING, TextIO

import msgspec

from yunliao.cli.ledger.whom import CHINA
from yunliao.domain.summary import Percentiles, SpanView, SummaryView

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

NAME = "summary"
HELP = "What all instances did, by hour and day; also from log lines."
COLUMNS = (
    ("", 13),
    ("turns", 7),
    ("ok", 6),
    ("fail", 5),
    ("block", 6),
    ("stop", 5),
    ("first text ms p50/90/99", 24),
    ("whole ms p50/90/99", 22),
    ("tokens in/out", 18),
    ("credits", 10),
    ("relay fail", 11),
    ("checks", 7),
    ("starts", 7),
)


def options(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("--hours", type=_count, default=24, help="how many hours (24), the running one included")
    parser.add_argument("--days", type=_count, default=7, help="how many days (7), from midnight in China")
    parser.add_argument("--json", action="store_true", help="as GET /op/v1/summary gives it")
    parser.add_argument(
        "--from-logs",
        nargs="+",
        metavar="FILE",
        default=None,
        help="from the log lines of all instances instead (- for standard input); needs neither store nor settings",
    )


def alone(options: argparse.Namespace, out: TextIO) -> int | None:
    """What needs no services."""
    if options.from_logs is None:
        return None
    from yunliao.services.log_lines import LogLines

    lines = LogLines()
    with ExitStack() as opened:
        for name in options.from_logs:
            try:
                file = (
                    sys.stdin if name == "-" else opened.enter_context(open(name, encoding="utf-8", errors="replace"))
                )
            except OSError as failed:
                sys.stderr.write(f"yunliao: {name} cannot be read: {failed.strerror}\n")
                return 1
            lines.feed(file)
    if lines.skipped:
        sys.stderr.write(f"yunliao: {lines.skipped} lines are no log lines of the service and were skipped\n")
    return _show(lines.view(hours=options.hours, days=options.days), options, out)


def run(services: "Services", options: argparse.Namespace, out: TextIO) -> int:
    """Run it."""
    return _show(services.summary.view(hours=options.hours, days=options.days), options, out)


def _show(view: SummaryView, options: argparse.Namespace, out: TextIO) -> int:
    if options.json:
        out.write(msgspec.json.encode(view).decode() + "\n")
        return 0
    if view.now is not None:
        now = view.now
        states = "".join(f"  {upstream}: {state}" for upstream, state in sorted(now.breakers.items()))
        out.write(f"Now 现在: {now.live} live, {now.queued} waiting, {now.instances} instances{states}\n")
    out.write("".join(name.rjust(width) for name, width in COLUMNS) + "\n")
    for row in view.hours:
        if row.turns or row.cold_starts or row.moderation or row.relay:
            out.write(_line(row, "%m-%d %H:%M") + "\n")
    out.write("\n")
    for row in view.days:
        out.write(_line(row, "%Y-%m-%d") + "\n")
    return 0


def _line(row: SpanView, form: str) -> str:
    values = (
        datetime.fromtimestamp(row.began / 1000, CHINA).strftime(form),
        str(row.turns),
        "" if row.success is None else f"{row.success:.1%}",
        str(row.failed),
        str(row.blocked),
        str(row.stopped),
        _times(row.first_text_ms),
        _times(row.whole_ms),
        f"{row.tokens_in}/{row.tokens_out}",
        f"{row.cost_micro / 1_000_000:.3f}",
        f"{sum(one.failed for one in row.relay.values())}/{sum(one.asked for one in row.relay.values())}",
        str(sum(sum(outcomes.values()) for outcomes in row.moderation.values())),
        str(row.cold_starts),
    )
    return "".join(value.rjust(width) for value, (_, width) in zip(values, COLUMNS, strict=True))


def _times(times: Percentiles) -> str:
    return "" if times.p50 is None else f"{times.p50}/{times.p90}/{times.p99}"


def _count(text: str) -> int:
    if not text.isdigit() or int(text) > 1_500:
        raise argparse.ArgumentTypeError("must be a number from 0 to 1500")
    return int(text)
