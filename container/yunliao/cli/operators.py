"""`operators …`: accounts of the operators' desk (docs/operators.md)."""

import argparse
import getpass
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from yunliao.services.operators import ROLES, TERMINAL

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

NAME = "operators"
HELP = "Accounts of operators: add, list, change, end sessions."


def options(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    actions = parser.add_subparsers(dest="action", required=True)
    add = actions.add_parser("add", help="a new account; prints a password to hand over, or asks for one")
    add.add_argument("name")
    add.add_argument("--role", choices=ROLES, default="operator")
    add.add_argument("--ask", action="store_true", help="ask for the password instead of making one")
    actions.add_parser("list", help="all accounts")
    password = actions.add_parser("password", help="a new password; ends all sessions of the account")
    password.add_argument("name")
    password.add_argument("--ask", action="store_true", help="ask for the password instead of making one")
    role = actions.add_parser("role", help="another role")
    role.add_argument("name")
    role.add_argument("role", choices=ROLES)
    for action, said in (("disable", "switch off, with all sessions"), ("enable", "switch on again")):
        actions.add_parser(action, help=said).add_argument("name")
    actions.add_parser("logout", help="end all sessions of an account").add_argument("name")
    actions.add_parser("session", help="a session without a password, printed once").add_argument("name")


def run(services: "Services", options: argparse.Namespace, out: TextIO) -> int:
    """Run it."""
    operators, action = services.operators, options.action
    if action == "list":
        for one in operators.all():
            made = datetime.fromtimestamp(one.created_at / 1000, UTC).date()
            out.write(f"{one.name:<34}{one.role:<10}{made}{'  disabled' if one.disabled else ''}\n")
        return 0
    if action in ("add", "password"):
        given = _asked() if options.ask else None
        if action == "add":
            password = operators.add(TERMINAL, options.name, options.role, given)
        else:
            password = operators.set_password(TERMINAL, options.name, given)
        out.write(f"{options.name}: done.\n" if given else f"{options.name}: {password}\n")
        if not given:
            out.write("This password is shown once. Hand it over in private; it can be changed after the log-in.\n")
        return 0
    if action == "role":
        operators.set_role(TERMINAL, options.name, options.role)
    elif action in ("disable", "enable"):
        operators.disable(TERMINAL, options.name, disabled=action == "disable")
    elif action == "logout":
        out.write(f"{operators.logout_all(TERMINAL, options.name)} sessions ended.\n")
    elif action == "session":
        session = operators.session_for(options.name)
        out.write(f"{session.token}\nGood for twelve hours, outside the mini-program. Shown once.\n")
        return 0
    out.write(f"{options.name}: done.\n")
    return 0


def _asked() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return getpass.getpass("New password: ")
