"""`python -m chaos`: a campaign, or one of its figures. `dev.py chaos` starts it with the right interpreter."""

from __future__ import annotations

import argparse
import asyncio
import logging
import secrets
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from chaos import options, rolling, takeover
from chaos.campaign import Options, play
from chaos.table import table


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="dev.py chaos", description="Faults on a real fleet, then the proof.")
    options.add_options(found)
    return found


def say(line: str) -> None:
    """A line for whoever watches."""
    print(line, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run it; 0 when every promise held, 1 when one broke, 130 on Ctrl-C."""
    chosen = parser().parse_args(arguments)
    seed = chosen.seed or secrets.token_hex(4)
    folder = Path(chosen.keep) if chosen.keep else Path(tempfile.mkdtemp(prefix="yunliao-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # callers that hang up are what this is about
    say(f"seed {seed}; work folder {folder.resolve()}")
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    keep = True
    try:
        text, held = asyncio.run(_run(chosen, seed, folder.resolve()))
        say("\n" + text)
        keep = bool(chosen.keep) or not held
    except KeyboardInterrupt:
        say("\nstopped before the verdict; everything that was started has ended")
        keep = bool(chosen.keep)
        return 130
    finally:
        if keep:
            say(f"records and logs: {folder.resolve()}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 0 if held else 1


async def _run(chosen: argparse.Namespace, seed: str, folder: Path) -> tuple[str, bool]:
    """The table to show, and whether every promise held."""
    if chosen.only == "takeover":
        done = await takeover.measure(chosen.times, seed, folder, chosen.store, chosen.lease, say)
        return takeover.figures(done, chosen.lease)
    if chosen.only == "rolling":
        wrong = await rolling.measure(seed, folder, chosen.store, chosen.lease, chosen.instances, say)
        return rolling.figures(wrong, chosen.instances)
    plan = Options(
        seconds=chosen.minutes * 60,
        seed=seed,
        folder=folder,
        users=chosen.users,
        instances=chosen.instances,
        store=chosen.store,
        lease=chosen.lease,
        faults=not chosen.calm,
    )
    result = await play(plan, say)
    return table(plan, result), not result.findings


if __name__ == "__main__":
    sys.exit(main())
