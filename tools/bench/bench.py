"""One run: where its files are, how much is measured, and what came of it."""

import pathlib
from dataclasses import dataclass, field

from bench.report import Rounds
from bench.scale import Scale
from bench.servers import say


@dataclass
class Bench:
    """`store_url` has the database `bench`; parts put their own in its place. `figures` are what the targets are
    compared with, `pictures` SVG texts by file name."""

    folder: pathlib.Path
    scale: Scale
    store_url: str
    mongod_pid: int
    tables: dict[str, list[str]] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)
    right: int = 0
    wrong: int = 0

    def count(self, taken: Rounds) -> None:
        """Take in how many texts were compared, and how many were not what the upstream said; say why."""
        for name, results in taken.items():
            for one in results:
                if one.wrong:
                    say(f"{name}: wrong or lost: {one.wrong}")
            self.right += sum(one.answers for one in results)
            self.wrong += sum(one.lost for one in results)
