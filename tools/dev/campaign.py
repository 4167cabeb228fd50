"""`dev.py chaos` and `ledger-walk`: a campaign in its own process, with the interpreter that has what it needs."""

import argparse
import os
import pathlib
import signal
import subprocess

from dev import setup
from dev.trouble import Trouble

LEAVE_SECONDS = 60
"""Longest time to end everything after Ctrl-C."""


def run(root: pathlib.Path, options: argparse.Namespace, module: str = "chaos") -> int:
    """The campaign's own exit status: 0 all promises held, 1 one broke, 130 stopped."""
    if os.name == "nt":
        raise Trouble("The campaign stops and freezes real processes, which Windows does not do: use a WSL terminal.")
    python = setup.venv(root, "test")
    command = [str(python), "-m", module]
    for name, value in vars(options).items():
        if name == "command" or value is None or value is False:
            continue
        option = f"--{name.replace('_', '-')}"
        command += [option] if value is True else [option, str(value)]
    path = os.pathsep.join([str(root / "tools"), str(root / "container"), str(root)])
    # A session of its own: Ctrl-C reaches it once, from here, and it then ends what it started.
    child = subprocess.Popen(
        command, cwd=root, env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}, start_new_session=True
    )
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    try:
        return child.wait()
    except KeyboardInterrupt:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
        return 130
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
