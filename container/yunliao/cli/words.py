"""`words …`: the operators' word list from a terminal; in force on every instance within seconds."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from yunliao.errors import InvalidRequest
from yunliao.services.operators import TERMINAL

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

NAME = "words"
HELP = "The operators' word list: versions, put one in force, try a text."


def options(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="all versions")
    show = actions.add_parser("show", help="the words of a version")
    show.add_argument("version", type=int)
    add = actions.add_parser("add", help="a new version from a file (one word a line), in force at once")
    add.add_argument("file", type=Path)
    add.add_argument("--note", default="")
    use = actions.add_parser("use", help="put a version in force; 0: none")
    use.add_argument("version", type=int)
    test = actions.add_parser("test", help="which entries stand in the text of standard input; 1 when any does")
    test.add_argument("--version", type=int)
    test.add_argument("--file", type=Path, help="try a list that is not a version yet")


def run(services: "Services", options: argparse.Namespace, out: TextIO) -> int:
    """Run it."""
    lists, action = services.word_lists, options.action
    if action == "list":
        for one in lists.all():
            at = datetime.fromtimestamp(one.at / 1000, UTC).strftime("%Y-%m-%d %H:%M")
            used = "  in force" if one.in_force else ""
            out.write(f"{one.version:>6}  {at}  {one.count:>7,} words  {one.by:<16}{one.note}{used}\n")
    elif action == "show":
        out.write("".join(f"{word}\n" for word in lists.get(options.version).words or ()))
    elif action == "add":
        made = lists.add(TERMINAL, _read(options.file), options.note)
        out.write(f"Version {made.version} with {made.count:,} words is in force.\n")
    elif action == "use":
        lists.use(TERMINAL, options.version)
        out.write(f"Version {options.version} is in force.\n" if options.version else "No list is in force.\n")
    else:
        words = _read(options.file) if options.file else None
        hits = lists.test(sys.stdin.read(), version=options.version, words=words)
        out.write("".join(f"{hit}\n" for hit in hits))
        return 1 if hits else 0
    return 0


def _read(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise InvalidRequest("the file cannot be read as UTF-8 text") from None
