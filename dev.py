#!/usr/bin/env python3
"""Yunliao's one entry for people: `python3 dev.py --help` lists its commands. Standard library only."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  said before anything that older versions cannot even parse
    sys.exit(
        "Yunliao needs Python 3.11 or newer; this is %d.%d. "  # noqa: UP031  older versions must be able to parse it
        "Install a newer one and run it again, e.g. python3.12 dev.py" % sys.version_info[:2]
    )

import argparse
import os
import pathlib
import signal

ROOT = pathlib.Path(__file__).parent.absolute()
sys.path.insert(0, str(ROOT / "tools"))

from bench import options as bench_options  # noqa: E402

from chaos import options  # noqa: E402
from costs import options as costs_options  # noqa: E402
from dev import campaign, chat, doctor, operate, package, pictures, run, setup, tests  # noqa: E402
from dev.trouble import Trouble  # noqa: E402
from ledger import options as walk_options  # noqa: E402

DEFAULT_PORT = 8787


def parser() -> argparse.ArgumentParser:
    """The command line."""
    whole = argparse.ArgumentParser(prog="dev.py", description="Yunliao 云聊: run it, talk to it, test it.")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")

    runs = commands.add_parser("run", help="start everything on this machine and print where")
    runs.add_argument("--port", type=int, default=DEFAULT_PORT, help="port of the local Cloud Run (8787)")
    runs.add_argument("--instances", type=int, default=1, help="container instances behind it (1)")
    stores = (
        "mongodb (a local one in the data folder), mongodb://… or sqlite:////tmp/yunliao.db (default: SQLite there)"
    )
    runs.add_argument("--store", help=stores)
    runs.add_argument("--relay", help="address of an OpenAI-compatible server (default: the demo relay)")
    runs.add_argument("--relay-key", default="", help="its key")
    runs.add_argument("--model", help="its model")
    runs.add_argument("--prices", help="a price table, e.g. docs/prices.example.json (default: nothing costs anything)")
    runs.add_argument("--keep", default=".yunliao", help="data folder (.yunliao)")

    chats = commands.add_parser("chat", help="send a message through the gateway, or chat")
    chats.add_argument("message", nargs="?", help="one message; without it an interactive chat")
    chats.add_argument("--port", type=int, default=DEFAULT_PORT)
    chats.add_argument("--user", default="demo", help="who speaks (demo)")

    operates = commands.add_parser("operate", help="the service's own commands over the data of `run`: an account, …")
    operates.add_argument("--keep", default=".yunliao", help="data folder (.yunliao)")
    operates.add_argument("--store", help="the store of the run, when it was given one")
    operates.add_argument("words", nargs=argparse.REMAINDER, help="such as: operators add alice --role owner")

    checks = commands.add_parser("test", help="set up what is needed and run every check and test")
    checks.add_argument("--no-browser", action="store_true", help="leave out the tests in a real browser")
    checks.add_argument("--only", choices=tests.STEPS, action="append", help="only this step; may be repeated")

    chaos = commands.add_parser("chaos", help="break things on purpose and prove that nobody was hurt")
    options.add_options(chaos)

    shots = commands.add_parser("screenshots", help="pictures of the mini-program and the console in their main states")
    shots.add_argument("--out", default="screenshots", help="folder for the PNG files (screenshots)")
    shots.add_argument("--only", help="these states, with commas between, e.g. chat,settings (tools/preview/states.js)")
    shots.add_argument("--desk", action="store_true", help="with the phone frame and the panel beside it")
    shots.add_argument("--theme", help="light or dark (default: both)")

    walk = commands.add_parser("ledger-walk", help="random interleavings of everything that touches credits")
    walk_options.add_options(walk)

    bench = commands.add_parser("bench", help="speed, side by side with what one would use instead")
    bench_options.add_options(bench)

    packages = commands.add_parser("package", help="make the upload for the Cloud Run console")
    packages.add_argument("--into", default="dist/yunliao-container.zip", help="file (dist/yunliao-container.zip)")

    doctors = commands.add_parser("doctor", help="find what would go wrong with a deployment, before it or after")
    doctors.add_argument("--env-file", help="file with the settings of the console, NAME=value lines")
    doctors.add_argument("--url", help="address of a running service to look at from outside")
    doctors.add_argument("--json", action="store_true", help="findings as JSON")

    costs = commands.add_parser("costs", help="what answers cost on the platform, measured here")
    costs_options.add_options(costs)

    commands.add_parser("setup", help="make .venv and node_modules, nothing else")
    return whole


def main(arguments: list[str] | None = None) -> int:  # noqa: C901  a list of commands
    """Run one command; the exit status."""
    # Who starts this in the background hands SIGINT down as ignored: then nothing below it could be ended by Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    chosen = parser().parse_args(arguments)
    try:
        match chosen.command:
            case "setup":
                setup.everything(ROOT)
                return 0
            case "run":
                return run.run(ROOT, chosen)
            case "chaos":
                return campaign.run(ROOT, chosen)
            case "screenshots":
                return pictures.take(ROOT, chosen)
            case "operate":
                return operate.run(ROOT, chosen)
            case "bench":
                os.environ["YUNLIAO_BENCH_PYTHON"] = str(setup.peers(ROOT))
                return campaign.run(ROOT, chosen, "bench")
            case "package":
                return package.run(ROOT, chosen)
            case "costs":
                return campaign.run(ROOT, chosen, "costs")
            case "doctor":
                return doctor.run(ROOT, chosen)
            case "ledger-walk":
                return campaign.run(ROOT, chosen, "ledger")
            case "chat":
                return chat.chat(chosen)
            case _:
                return tests.run(ROOT, chosen)
    except Trouble as trouble:
        print(f"\n{trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
