"""What the measurement can be told; standard library only, since dev.py shows it before anything is installed."""

import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `dev.py costs` and `python3 -m costs`."""
    parser.add_argument("--answers", type=int, default=400, help="answers to measure (400)")
    parser.add_argument("--people", type=int, default=20, help="people at once (20)")
    parser.add_argument("--store", choices=("mongodb", "sqlite"), default="mongodb", help="the engine (mongodb)")
    parser.add_argument("--answers-a-day", type=int, default=1_000, help="what the bill is for (1000)")
