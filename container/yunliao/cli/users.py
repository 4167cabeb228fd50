"""`users …`: find, suspend, lift, read; the same rules as over HTTP, the terminal in the operator's place."""

import argparse
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from yunliao.cli import whole_id
from yunliao.services.operators import TERMINAL
from yunliao.services.users_desk import UserView

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

NAME = "users"
HELP = "Users: find by openid or number, suspend, lift, read with a reason."


def options(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    actions = parser.add_subparsers(dest="action", required=True)
    find = actions.add_parser("find", help="by the number the app shows, or by openid read from standard input")
    find.add_argument("number", nargs="?", type=whole_id, help="the user's id, or the first characters of it")
    find.add_argument("--appid", help="with an openid on standard input, which keeps it out of the shell's history")
    suspend = actions.add_parser("suspend", help="refuse everything of a user")
    suspend.add_argument("user", type=whole_id)
    suspend.add_argument("--reason", required=True)
    suspend.add_argument("--days", type=int, help="without it until lifted")
    lift = actions.add_parser("lift", help="end a suspension")
    lift.add_argument("user", type=whole_id)
    lift.add_argument("--reason", required=True)
    read = actions.add_parser("read", help="show a user's words; leaves an entry in the audit log")
    read.add_argument("user", type=whole_id)
    read.add_argument("--reason", required=True)
    read.add_argument("--conversation", help="without it the list of conversations")
    verdicts = actions.add_parser("verdicts", help="the verdict log, of a user or of all; no words are in it")
    verdicts.add_argument("user", nargs="?", type=whole_id)
    verdicts.add_argument("--last", type=int, default=50)


def run(services: "Services", options: argparse.Namespace, out: TextIO) -> int:
    """Run it."""
    desk = services.users_desk
    if options.action == "find":
        if options.number:
            _show(desk.by_number(options.number), out)
            return 0
        appid = options.appid or next(iter(services.settings.appids), "")
        _show(desk.find(TERMINAL, appid, sys.stdin.readline().strip()), out)
    elif options.action == "suspend":
        _show(desk.suspend(TERMINAL, options.user, options.reason, options.days), out)
    elif options.action == "lift":
        _show(desk.lift(TERMINAL, options.user, options.reason), out)
    elif options.action == "read":
        _read(services, options, out)
    else:
        for one in desk.verdicts(options.user, None, max(1, options.last)).verdicts:
            out.write(
                f"{_when(one.at)}  {one.user_id[:12]}  {one.place:<9}{one.layer:<8}{one.suggest:<8}{one.label:<7}"
                f"{one.turn_id}  {one.trace_id}\n"
            )
    return 0


def _read(services: "Services", options: argparse.Namespace, out: TextIO) -> None:
    desk, before = services.users_desk, None
    if not options.conversation:
        for one in desk.conversations(TERMINAL, options.user, options.reason, None, 100).items:
            out.write(f"{_when(one.last_activity_at)}  {one.id}  {one.title}\n")
        return
    while True:
        page = desk.messages(TERMINAL, options.user, options.conversation, options.reason, before, 100)
        for message in reversed(page.items):
            label = f" [{message.label}]" if message.label else ""
            out.write(f"{_when(message.created_at)}  {message.id}  {message.role}{label} ({message.state})\n")
            out.write(f"{message.text}\n\n")
        before = page.next
        if before is None:
            return


def _show(user: UserView, out: TextIO) -> None:
    out.write(f"{user.id}\n  since {_when(user.created_at)}, consent {user.consent_version or 'none'}\n")
    if user.suspension:
        until = _when(user.suspended_until)
        out.write(f"  suspended until {until} by {user.suspension.by}: {user.suspension.reason}\n")


def _when(at: int) -> str:
    return datetime.fromtimestamp(min(at, 253402300799000) / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
