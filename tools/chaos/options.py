"""The command line of the campaign; standard library only, since `dev.py` reads it before anything is installed."""

from __future__ import annotations

import argparse


def add_options(to: argparse.ArgumentParser) -> None:
    """The options, for this program and for `dev.py`."""
    to.add_argument("--minutes", type=float, default=1.0, help="how long faults strike (1)")
    to.add_argument("--seed", help="plays the same campaign again (default: a new one, which is printed)")
    to.add_argument(
        "--store", default="mongodb", choices=("mongodb", "sqlite"), help="what the instances share (mongodb)"
    )
    to.add_argument("--instances", type=int, default=3, help="container instances (3)")
    to.add_argument("--users", type=int, default=50, help="simulated users (50)")
    to.add_argument("--lease", type=float, default=6.0, help="the instances' lease in seconds (6)")
    to.add_argument("--calm", action="store_true", help="no faults but the relay's: to see the campaign itself at work")
    to.add_argument("--only", choices=("takeover", "rolling"), help="one figure instead of a campaign")
    to.add_argument("--times", type=int, default=100, help="owners killed for the takeover figure (100)")
    to.add_argument("--keep", metavar="FOLDER", help="work folder that stays (default: kept only when something broke)")
