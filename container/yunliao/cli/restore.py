"""`restore FILE`: a backup back into the store, whole or not at all (docs/backup.md)."""

import argparse
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from yunliao.cli.progress import Progress
from yunliao.cli.wipe import ask, database_name

if TYPE_CHECKING:
    from yunliao.services.backup_file import Header
    from yunliao.services.backups import Restore
    from yunliao.settings import Settings

NAME = "restore"
HELP = "Put a backup into an empty store, after all of it was read and found whole. Stop all instances first."


def options(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("file", metavar="FILE", help="what `backup` wrote")
    parser.add_argument("--check", action="store_true", help="only read it and say whether it can be restored here")
    parser.add_argument("--replace", action="store_true", help="remove what the store holds, after its name was typed")
    parser.add_argument("--confirm", metavar="NAME", help="the name of the database, instead of typing it")


def run(settings: "Settings", options: argparse.Namespace, out: TextIO) -> int:
    """Run it; 1 when nothing was restored, or something is left to do. It is given settings and no services: those
    begin by writing to the store."""
    from yunliao.bootstrap import restoring

    try:
        with restoring(settings) as restore:
            done = _restored(restore, settings, options, out)
    except OSError as failed:
        out.write(f"{options.file} could not be read: {failed.strerror}. 无法读取。\n")
        return 1
    if isinstance(done, int):
        return done
    return _afterwards(settings, done, out)


def _restored(restore: "Restore", settings: "Settings", options: argparse.Namespace, out: TextIO) -> "Header | int":
    with open(options.file, "rb") as source:
        progress = Progress("check")
        try:
            header = restore.examine(source, progress)
        finally:
            progress.end()
        made = datetime.fromtimestamp(header.made_at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        out.write(f"{header.id} of {made}, version {header.version}: whole and genuine. 备份完整。\n")
        restore.check(header, replace=options.replace or options.check)
        if options.check:
            return 0
        name = database_name(settings.store_url)
        if options.replace and (options.confirm if options.confirm is not None else ask(name, out)) != name:
            out.write("That is not the name of the database: nothing was removed. 名称不符，未作改动。\n")
            return 1
        source.seek(0)
        progress = Progress("restore")
        try:
            counts = restore.load(source, progress)
        finally:
            progress.end()
    out.write(f"{sum(counts.values()):,} records restored into {name}. 已恢复。\n")
    return header


def _afterwards(settings: "Settings", header: "Header", out: TextIO) -> int:
    from yunliao.bootstrap import after_restore, build_services

    services = build_services(settings)
    services.turn_log.stream = sys.stderr
    progress = Progress("erase again")
    try:
        done = after_restore(services).run(
            header, lambda users: progress(users, max(users, header.tables.get("users", 0)))
        )
    finally:
        progress.end()
        services.close()
    out.write(f"Erased again, since they were erased after the backup was made: {done.people} people,")
    out.write(f" {done.conversations} conversations. Answers that were being written then: {done.turns} ended.\n")
    if done.left:
        out.write(f"{done.left} of them could not be ended: their owners' keys do not open (docs/keys.md).\n")
    out.write("Now: `audit verify` and, with credits, `ledger verify`; then start the instances. 请校验后启动实例。\n")
    return 1 if done.left else 0
