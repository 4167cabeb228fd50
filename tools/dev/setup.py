"""Makes `.venv` from the hash-locked requirements and `node_modules` from the lock file, on first use only.

A stamp in each folder holds the hash of the lock it was made from, so a changed lock is noticed.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import time

from dev.trouble import Trouble

LOCKS = {"run": "tools/requirements.txt", "test": "tests/requirements.txt"}


def python(root: pathlib.Path) -> pathlib.Path:
    """The interpreter of `.venv`."""
    return root / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def everything(root: pathlib.Path) -> None:
    """Both environments, for tests as well as for running."""
    venv(root, "test")
    node(root, required=False)
    print("set up: .venv and node_modules are ready")


def venv(root: pathlib.Path, purpose: str) -> pathlib.Path:
    """The interpreter of a `.venv` that has what `purpose` ("run" or "test") needs. Raises `Trouble`."""
    stamp = root / ".venv" / "yunliao-lock"
    wanted = {name: _digest(root / lock) for name, lock in LOCKS.items()}
    have = stamp.read_text().split() if stamp.exists() else []
    if wanted[purpose] in have or (purpose == "run" and wanted["test"] in have):
        return python(root)
    if not python(root).exists():
        _say("making .venv")
        made = subprocess.run([sys.executable, "-m", "venv", str(root / ".venv")], check=False)
        if made.returncode:
            raise Trouble(
                "Could not make a virtual environment. On Debian and Ubuntu: apt install python3-venv; then again."
            )
    _say(f"installing {LOCKS[purpose]} (hash-checked; the first time takes a minute or two)")
    _pip(root, LOCKS[purpose])
    stamp.write_text(wanted[purpose] + "\n")
    return python(root)


def peers(root: pathlib.Path) -> pathlib.Path:
    """The interpreter of `.venv-bench`, with what Yunliao is compared with. Raises `Trouble`."""
    lock, folder = root / "tools/bench/requirements.txt", root / ".venv-bench"
    found, stamp = folder / "bin" / "python", folder / "yunliao-lock"
    if stamp.exists() and stamp.read_text().strip() == _digest(lock):
        return found
    _say("making .venv-bench: what Yunliao is compared with")
    pip = [str(found), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "-r", str(lock)]
    for command in ([sys.executable, "-m", "venv", str(folder)], pip):
        if subprocess.run(command, check=False).returncode:
            raise Trouble(
                "What Yunliao is compared with could not be installed. Is there a network? Then run it again."
            )
    stamp.write_text(_digest(lock) + "\n")
    return found


def node(root: pathlib.Path, *, required: bool) -> bool:
    """Whether `node_modules` is there and as the lock says. Without Node: `Trouble` if `required`, else False."""
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        if required:
            raise Trouble(
                "Node.js 20 or newer is needed for this. Install it from nodejs.org and run the command again."
            )
        print("Node.js was not found: the mini-program preview is left out. Install Node.js 20 or newer to see it.")
        return False
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    if int(version.lstrip("v").split(".")[0] or 0) < 20:
        raise Trouble(f"Node.js {version} is too old: 20 or newer is needed. Install it and run the command again.")
    packages(root, npm)
    return True


def packages(folder: pathlib.Path, npm: str) -> None:
    """`node_modules` of a folder as its lock file says. Raises `Trouble`."""
    stamp = folder / "node_modules" / ".yunliao-lock"
    wanted = _digest(folder / "package-lock.json")
    if stamp.exists() and stamp.read_text().strip() == wanted:
        return
    _say(f"installing {folder.name}/node_modules")
    done = subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=False)
    if done.returncode:
        raise Trouble("npm could not install. Is there a network, and is the registry reachable? Then run it again.")
    stamp.write_text(wanted + "\n")


def _pip(root: pathlib.Path, lock: str) -> None:
    command = [str(python(root)), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
    command += ["--require-hashes", "--prefer-binary", "-r", str(root / lock)]
    started, lines = time.monotonic(), 0
    log = root / ".venv" / "install.log"
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip,
        log.open("w") as kept,
    ):
        assert pip.stdout is not None
        for line in pip.stdout:
            kept.write(line)
            if line.startswith(("Collecting", "Installing", "Successfully")):
                lines += 1
                _progress(f"  {lines:3d} {line.strip()[:70]:70s} {time.monotonic() - started:4.0f} s")
    if sys.stdout.isatty():
        print()
    if pip.returncode:
        text = log.read_text()
        if "hash" in text.lower() and "do not match" in text.lower():
            why = "a downloaded file does not have the hash the lock asks for, so it was not installed"
        elif any(
            sign in text for sign in ("Connection", "Temporary failure", "No matching distribution", "Max retries")
        ):
            why = "the package index cannot be reached: check the network or set PIP_INDEX_URL to a mirror"
        else:
            why = "pip stopped"
        raise Trouble(f"Setting up Python packages failed: {why}. Details: {log}. Then run the command again.")


def _progress(line: str) -> None:
    if sys.stdout.isatty():
        print("\r" + line, end="", flush=True)
    else:
        print(line, flush=True)


def _say(text: str) -> None:
    print(f"[setup] {text}", flush=True)


def _digest(path: pathlib.Path) -> str:
    if not path.exists():
        raise Trouble(f"{path} is missing: is this a whole checkout of Yunliao?")
    return hashlib.sha256(path.read_bytes()).hexdigest()
