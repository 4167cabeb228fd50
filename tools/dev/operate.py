"""`dev.py operate …`: the service's own command line over the data of `dev.py run`, such as a first account."""

import argparse
import os
import pathlib
import subprocess

from dev import setup

LIMIT = 300
"""Seconds; an account takes one."""


def run(root: pathlib.Path, options: argparse.Namespace) -> int:
    """The command's exit status."""
    interpreter = setup.venv(root, "run")
    environment = {**os.environ, **({"YUNLIAO_STORE_URL": options.store} if options.store else {})}
    command = [str(interpreter), "-m", "cloudrun.operate", "--data", options.keep, *options.words]
    return subprocess.run(command, env=_paths(root, environment), check=False, timeout=LIMIT).returncode


def account(root: pathlib.Path, interpreter: pathlib.Path, data: pathlib.Path, name: str) -> str:
    """The password of a new owner's account in that data folder."""
    words = ["operators", "add", name, "--role", "owner"]
    command = [str(interpreter), "-m", "cloudrun.operate", "--data", str(data), *words]
    said = subprocess.run(
        command, env=_paths(root, dict(os.environ)), check=True, timeout=LIMIT, text=True, stdout=subprocess.PIPE
    )
    return said.stdout.partition(f"{name}: ")[2].split()[0]


def _paths(root: pathlib.Path, environment: dict[str, str]) -> dict[str, str]:
    return environment | {"PYTHONPATH": os.pathsep.join([str(root / "tools"), str(root / "container")])}
