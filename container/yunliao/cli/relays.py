"""`relays …`: the upstreams from a terminal: which are switched off, off and on, and a trial."""

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from yunliao.services.operators import TERMINAL

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

NAME = "relays"
HELP = "The upstreams: list, switch off and on, try one with a tiny real generation."


def options(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="all of them, and which are switched off")
    off = actions.add_parser("off", help="ask it for no more answers, on every instance within seconds")
    off.add_argument("name")
    off.add_argument("--reason", required=True)
    actions.add_parser("on", help="ask it again").add_argument("name")
    test = actions.add_parser("test", help="one tiny real generation; 1 when it fails")
    test.add_argument("name")
    test.add_argument("--model", help="one of its models (default: its first)")


def run(services: "Services", options: argparse.Namespace, out: TextIO) -> int:
    """Run it."""
    desk, action = services.relay_desk, options.action
    if action == "test":
        tried = desk.test(TERMINAL, options.name, options.model)
        if tried.ok:
            out.write(f"{tried.model}: first text after {tried.first_text_ms} ms, whole after {tried.whole_ms} ms\n")
            return 0
        detail = f" ({tried.detail})" if tried.detail else ""
        out.write(f"{tried.model}: {tried.code}{detail} after {tried.whole_ms} ms. {tried.message_en}\n")
        return 1
    if action == "off":
        seen = desk.switch_off(TERMINAL, options.name, options.reason)
    elif action == "on":
        seen = desk.switch_on(TERMINAL, options.name)
    else:
        seen = desk.all()
    for one in seen.relays:
        said = "on"
        if one.off is not None:
            at = datetime.fromtimestamp(one.off.at / 1000, UTC).strftime("%Y-%m-%d %H:%M")
            said = f"off since {at} by {one.off.by}: {one.off.reason}"
        out.write(f"{one.upstream.name:<34}{one.upstream.host:<34}{said}\n")
    for model in seen.stranded:
        out.write(f"No upstream answers for {model} any more.\n")
    return 0
