"""The options of `dev.py bench`; standard library only."""

import argparse
import pathlib

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
PARTS = ("starts", "streaming", "arrivals", "check", "growth", "stored", "overload", "soak")
"""What `--only` may name; all but the soak make the whole run."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.add_argument("--quick", action="store_true", help="one round of few answers, about three minutes")
    parser.add_argument("--rounds", type=int, default=3, help="rounds in which the systems take turns (3)")
    parser.add_argument("--only", choices=PARTS, help="this part only; the soak runs in no other way")
    parser.add_argument("--minutes", type=float, default=30, help="how long the soak lasts (30)")
    parser.add_argument("--rate", type=float, help="answers a second of the soak (half of the capacity found first)")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/performance.md")
    parser.add_argument("--docs", type=pathlib.Path, default=DOCS, help=argparse.SUPPRESS)
