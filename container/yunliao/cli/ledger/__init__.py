"""`python3 -m yunliao ledger …`: prove the books, give and take credits, make codes (docs/credits.md)."""

import argparse
from typing import TYPE_CHECKING, TextIO

from yunliao.cli.ledger import codes, moves, verify

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

NAME = "ledger"
HELP = "prove the books, grant, refund and withdraw credits, make codes"
ACTIONS = {**verify.ACTIONS, **moves.ACTIONS, **codes.ACTIONS}


def options(parser: argparse.ArgumentParser) -> None:
    """The actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar=" | ".join(ACTIONS))
    for module in (verify, moves, codes):
        module.options(actions)


def run(services: "Services", options: argparse.Namespace, out: TextIO) -> int:
    """Do one action; the exit code."""
    return ACTIONS[options.action](services, options, out)
