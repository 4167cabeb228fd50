"""`backup FILE`: the records as they are at this moment, while the service goes on (docs/backup.md)."""

import argparse
import os
from typing import TYPE_CHECKING, TextIO

from yunliao.cli.progress import Progress

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

NAME = "backup"
HELP = "Write all records, sealed, into a file; the service may go on. Halves of keys are never in it."
PART = ".part"


def options(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("file", metavar="FILE", help="a new file; it gets mode 0600")


def run(services: "Services", options: argparse.Namespace, out: TextIO) -> int:
    """Run it; 1 when the file cannot be written."""
    from yunliao.bootstrap import backups_of

    part = options.file + PART
    if os.path.lexists(options.file):
        out.write(f"{options.file} is there already and stays as it is: name another file. 文件已存在，未作改动。\n")
        return 1
    progress = Progress("backup")
    try:
        with open(part, "wb", opener=_private) as target:
            header, counts = backups_of(services).write(target, progress)
            target.flush()
            os.fsync(target.fileno())
            size = target.tell()
        os.link(part, options.file)  # and never over a file that somebody else just made
    except OSError as failed:
        out.write(f"{options.file} could not be written: {failed.strerror}. 无法写入。\n")
        return 1
    finally:
        progress.end()
        _remove(part)
    out.write(f"{header.id}: {sum(counts.values()):,} records, {size:,} bytes in {options.file}. 备份完成。\n")
    out.write("Not in it: the key store, and the master keys. Keep both, and keep them apart (docs/backup.md).\n")
    out.write("密钥库与主密钥不在其中：请分开保管。\n")
    return 0


def _private(path: str, flags: int) -> int:
    """Only for whoever runs this; what an earlier run left half done goes."""
    _remove(path)
    return os.open(path, flags | os.O_EXCL, 0o600)


def _remove(path: str) -> None:
    if os.path.lexists(path):
        os.unlink(path)
