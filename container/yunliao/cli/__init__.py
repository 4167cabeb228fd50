"""The operator's command line. A command is a module with `NAME`, `HELP`, `options(parser)` and
`run(services, options, out) -> int`; the services are those of the server, built from the same settings. One that can
do something without them has `alone(options, out)`, which gives the exit code, or None where they are needed. `restore`
is given the settings instead, since services begin by writing to the store.

Exit codes: 0 done; 1 something is wrong with what was asked or found; 2 the command line is; 4 the settings are.
"""

import argparse
import importlib
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TextIO

from yunliao.errors import Misconfigured, YunliaoError
from yunliao.settings import Settings, SettingsError

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

COMMANDS: tuple[str, ...] = (
    "operators", "users", "cases", "words", "relays", "audit", "ledger", "keys", "summary", "backup", "restore", "wipe",
)  # fmt: skip
"""Modules of this package, in the order shown."""

SHIELD = "id:"
DASHED_ID = re.compile(r"-[A-Za-z0-9_][A-Za-z0-9_-]{6,}|--[A-Za-z0-9_-]{41}")
"""No option of any command looks like this: all are words after two dashes, and shorter."""


class Command(Protocol):
    """One module of this package."""

    NAME: str
    HELP: str

    @staticmethod
    def options(parser: argparse.ArgumentParser) -> None: ...
    @staticmethod
    def run(services: "Services", options: argparse.Namespace, out: TextIO) -> int: ...


def main(arguments: Sequence[str], environment: Mapping[str, str], out: TextIO = sys.stdout) -> int:
    """Run one command; the exit code. Errors go to stderr, one line each, without values that may be secret."""
    commands = {command.NAME: command for command in map(_command, COMMANDS)}
    parser = argparse.ArgumentParser(prog="python3 -m yunliao", description="Yunliao 云聊: operate a service.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar=" | ".join(commands) or "command")
    for command in commands.values():
        command.options(subparsers.add_parser(command.NAME, help=command.HELP, description=command.HELP))
    try:
        options = parser.parse_args([_shielded(argument) for argument in arguments])
    except SystemExit as left:
        return int(left.code or 0)
    offline = getattr(commands[options.command], "alone", None)
    if offline is not None and (code := offline(options, out)) is not None:
        return int(code)
    try:
        settings = Settings.from_env(environment)
    except SettingsError as mistakes:
        for problem in mistakes.problems:
            sys.stderr.write(f"yunliao: {problem}\n")
        return 4
    try:
        if options.command == "restore":
            from yunliao.cli import restore

            return restore.run(settings, options, out)
        from yunliao.bootstrap import build_services  # not for --help

        services = build_services(settings)
        services.turn_log.stream = sys.stderr
        try:
            return commands[options.command].run(services, options, out)
        finally:
            services.close()
    except YunliaoError as failed:
        sys.stderr.write(f"yunliao: {failed.detail or failed.en}\n")
        return 4 if isinstance(failed, Misconfigured) else 1
    except KeyboardInterrupt:
        return 130


def whole_id(text: str) -> str:
    """The type of an argument that is an id."""
    return text.removeprefix(SHIELD)


def _shielded(argument: str) -> str:
    """A user's id, or the beginning of one, may begin with a dash and would be taken for an option."""
    return SHIELD + argument if DASHED_ID.fullmatch(argument) else argument


def _command(name: str) -> Command:
    return importlib.import_module(f"yunliao.cli.{name}")  # type: ignore[return-value]
