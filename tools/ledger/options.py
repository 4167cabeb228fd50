"""What the walk can be told; standard library only, since dev.py shows it before anything is installed."""

import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `dev.py ledger-walk` and `python3 -m ledger`."""
    parser.add_argument("--interleavings", type=int, default=1_000, help="how many (1000)")
    parser.add_argument(
        "--store", choices=("memory", "sqlite", "mongodb"), default="sqlite", help="the engine (sqlite)"
    )
    parser.add_argument("--steps", type=int, default=12, help="steps of each (12)")
    parser.add_argument("--processes", type=int, default=1, help="processes that play at once (1)")
    parser.add_argument("--seed", default="", help="repeats an earlier walk")
    parser.add_argument("--only", type=int, help="only the interleaving of this number")
