"""`wipe`: removes everything the service holds about everybody, for good."""

import argparse
import sys
from typing import TYPE_CHECKING, TextIO
from urllib.parse import urlsplit

from yunliao.cli.progress import Progress

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

NAME = "wipe"
HELP = "Remove everything of everybody, for good, keys first. Without --for-good it only shows what would go."


def options(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("--for-good", action="store_true", help="do it, after the name of the database was typed")
    parser.add_argument("--confirm", metavar="NAME", help="the name of the database, instead of typing it")


def run(services: "Services", options: argparse.Namespace, out: TextIO) -> int:
    """Run it; 1 when it was not confirmed."""
    name = database_name(services.settings.store_url)
    found = services.wipe.census()
    out.write(f"Database {name}:\n")
    for table, count in found.items():
        out.write(f"  {table:<20}{count:>14,}\n")
    if not options.for_good:
        out.write("Nothing was removed; with --for-good all of it goes. Backups are not touched: destroy the keys of\n")
        out.write("YUNLIAO_MASTER_KEYS as well, then nothing of them can be read either. 未删除任何数据。\n")
        return 0
    out.write("Stop all instances first: a running one would write on.\n")
    typed = options.confirm if options.confirm is not None else ask(name, out)
    if typed != name:
        out.write("That is not the name of the database: nothing was removed. 名称不符，未删除任何数据。\n")
        return 1
    progress = Progress("wipe")
    try:
        removed = services.wipe.everything(progress)
    finally:
        progress.end()
    left = sum(services.wipe.census().values())
    out.write(f"{removed:,} records removed, {left} left. The next start makes an empty store with new keys.\n")
    return 0 if left == 0 else 1


def database_name(url: str) -> str:
    """What has to be typed: the last part of the address, which is no secret."""
    return urlsplit(url).path.rpartition("/")[2] or "yunliao"


def ask(name: str, out: TextIO) -> str:
    """The name as typed at a terminal; empty elsewhere."""
    if not sys.stdin.isatty():
        return ""
    out.write(f"Type the name of the database ({name}) to remove all that is in it: ")
    out.flush()
    return sys.stdin.readline().strip()
