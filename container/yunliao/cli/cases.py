"""`cases …`: the review queue from a terminal."""

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO, get_args

import msgspec

from yunliao.cli import whole_id
from yunliao.services.cases import Decision, State
from yunliao.services.operators import TERMINAL

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

NAME = "cases"
HELP = "The review queue: list, show, enter a complaint, look, decide."


def options(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    actions = parser.add_subparsers(dest="action", required=True)
    listed = actions.add_parser("list", help="newest first, with how long each waits")
    listed.add_argument("--state", choices=get_args(State))
    listed.add_argument("--last", type=int, default=50)
    for action, said in (("show", "one case"), ("look", "take a first look")):
        actions.add_parser(action, help=said).add_argument("case")
    enter = actions.add_parser("enter", help="a complaint that came by post, telephone, or from an authority")
    enter.add_argument("note")
    enter.add_argument("--user", default="", type=whole_id)
    words = actions.add_parser("words", help="what a user complained of; leaves an entry in the audit log")
    words.add_argument("case")
    words.add_argument("--reason", required=True)
    decide = actions.add_parser("decide", help="end a case")
    decide.add_argument("case")
    decide.add_argument("decision", choices=get_args(Decision))
    decide.add_argument("--note", required=True)


def run(services: "Services", options: argparse.Namespace, out: TextIO) -> int:
    """Run it."""
    cases, action = services.cases, options.action
    if action == "list":
        for one in cases.page(options.state, None, max(1, options.last)).cases:
            at = datetime.fromtimestamp(one.opened_at / 1000, UTC).strftime("%Y-%m-%d %H:%M")
            waits = f"waits {one.waits_ms / 3_600_000:.1f} h" if one.waits_ms else one.decision
            out.write(f"{at}  {one.state:<8}{one.kind:<10}{waits:<14}{one.user_id[:12]:<14}{one.id}\n")
        return 0
    if action == "words":
        out.write(services.users_desk.complaint(TERMINAL, options.case, options.reason) + "\n")
        return 0
    if action == "enter":
        found = cases.enter(TERMINAL, options.note, options.user)
    elif action == "look":
        found = cases.look(TERMINAL, options.case)
    elif action == "decide":
        found = cases.decide(TERMINAL, options.case, options.decision, options.note)
    else:
        found = cases.get(options.case)
    out.write(msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n")
    return 0
