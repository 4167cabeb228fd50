"""`python -m cloudrun`: start the local Cloud Run in a terminal, say when it is ready, stop everything on Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from cloudrun.instances import GUNICORN, StartFailed
from cloudrun.world import CONTAINER, Plan, PortTaken, World


class BadOption(ValueError):
    """An option's value cannot be used; the text says why."""


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(prog="python -m cloudrun", description="本地云托管 · the local Cloud Run")
    options.add_argument(
        "--port", type=int, default=8787, help="port of the gateway on 127.0.0.1 (default 8787; 0 = any)"
    )
    options.add_argument("--instances", type=int, default=1, help="number of container instances (default 1)")
    options.add_argument("--data", type=Path, default=Path(".yunliao"), help="folder for database, keys and logs")
    options.add_argument(
        "--env", action="append", default=[], metavar="K=V", help="environment of the container (repeat)"
    )
    options.add_argument("--env-file", type=Path, help="file with K=V lines for the container")
    options.add_argument("--store", default="", help="YUNLIAO_STORE_URL instead of a SQLite file in the data folder")
    options.add_argument("--relay-url", default="", help="an OpenAI-compatible relay instead of the demo one")
    options.add_argument(
        "--relay-key", default="", help="its key (or set YUNLIAO_RELAY_KEY, which the process list does not show)"
    )
    options.add_argument("--model", default="", help="model to ask for")
    options.add_argument("--preview", default="", metavar="URL", help="server that gives the preview at /")
    options.add_argument(
        "--attach", action="append", default=[], metavar="URL", help="a running instance (repeat); starts none"
    )
    options.add_argument("--container", type=Path, default=CONTAINER, help="folder of the container")
    options.add_argument("--no-restart", action="store_true", help="do not start a crashed instance again")
    options.add_argument(
        "--unready", action="store_true", help="let a service with wrong settings be, to see what it tells people"
    )
    options.add_argument("--json", action="store_true", help="say progress as JSON lines")
    return options


def pairs(lines: Sequence[str], where: str) -> dict[str, str]:
    """K=V lines as a mapping; blank lines and # comments are skipped. Raises `BadOption`, never showing a value."""
    found = {}
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise BadOption(f"{where}, entry {number}: write it as NAME=value")
        found[name.strip()] = value.strip()
    return found


def plan_of(arguments: Sequence[str]) -> tuple[Plan, bool]:
    """The plan that the options describe, and whether to speak JSON. Raises `BadOption`."""
    options = parser().parse_args(arguments)
    if not 0 <= options.port <= 65535:
        raise BadOption("--port takes a number from 0 to 65535")
    if not 1 <= options.instances <= 28:
        raise BadOption("--instances takes a number from 1 to 28 (the platform's limit for one environment)")
    env: dict[str, str] = {}
    if options.env_file:
        try:
            env |= pairs(options.env_file.read_text("utf-8").splitlines(), str(options.env_file))
        except OSError:
            raise BadOption(f"the file {options.env_file} cannot be read") from None
    env |= pairs(options.env, "--env")
    key = options.relay_key or (os.environ.get("YUNLIAO_RELAY_KEY", "") if options.relay_url else "")
    plan = Plan(
        data=options.data,
        port=options.port,
        instances=options.instances,
        env=env,
        relay_url=options.relay_url,
        relay_key=key,
        model=options.model,
        store_url=options.store,
        preview=options.preview,
        attach=options.attach,
        folder=options.container.resolve(),
        command=GUNICORN,
        restart=not options.no_restart,
        unready=options.unready,
    )
    return plan, options.json


class Say:
    """Prints progress: plain lines, or JSON objects with `event`."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def __call__(self, line: str, event: str = "progress", **more: object) -> None:
        text = json.dumps({"event": event, "text": line, **more}, ensure_ascii=False) if self.as_json else line
        with contextlib.suppress(OSError):
            print(text, flush=True)


async def run(plan: Plan, say: Say) -> int:
    """Start, say `ready <url>`, wait for SIGINT or SIGTERM, stop. A second signal stops without grace."""
    enough, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, enough.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(enough.set))
    world = World(plan, say)
    starting, stopping = asyncio.create_task(world.start()), asyncio.create_task(enough.wait())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            return 0
        await starting
        say(f"ready {world.url}", event="ready", url=world.url, urls=world.urls)
        await stopping
        say("stopping", event="stopping")
        enough.clear()
        ending, hurry = asyncio.create_task(world.stop()), asyncio.create_task(enough.wait())
        await asyncio.wait({ending, hurry}, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        if not ending.done() and world.fleet is not None:
            for instance in world.fleet.instances:
                instance.signal("kill")
        await ending
        return 0
    except (PortTaken, StartFailed) as failure:
        say(str(failure), event="failed")
        return 1
    finally:
        stopping.cancel()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    try:
        plan, as_json = plan_of(sys.argv[1:] if arguments is None else arguments)
    except BadOption as problem:
        print(problem, file=sys.stderr)
        return 2
    return asyncio.run(run(plan, Say(as_json)))


if __name__ == "__main__":
    sys.exit(main())
