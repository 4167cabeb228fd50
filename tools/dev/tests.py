"""Every check and test, in the order in which a mistake is cheapest to find."""

import argparse
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import time

from dev import setup
from dev.trouble import Trouble

LIMITS = {
    "lint": 300,
    "types": 300,
    "imports": 120,
    "python": 1200,
    "js": 600,
    "functions": 300,
    "devtools": 600,
    "browser": 1450,
    "audit": 180,
}
"""The steps, and the seconds after which a command of each is ended: several times what it needs on two cores, so that
a test which hangs fails the run instead of holding it for ever."""
STEPS = tuple(LIMITS)
INSTALL_LIMIT = 600
"""Seconds for a package of the system."""
PROCESSES = 2
"""Processes that share the Python tests. Most of these wait for real servers, so two take half the time on two cores
and leave room on them; more would make each other's servers late."""
#: Milliseconds for one file of tests; the runner ends the file's process then.
FILE_LIMIT = {"js": 300_000, "functions": 250_000, "devtools": 600_000, "browser": 900_000}
#: Seconds that a command which is told to stop has for ending what it started.
GRACE = 40


def run(root: pathlib.Path, options: argparse.Namespace) -> int:
    """0 when every step passed; a failing step does not keep the later ones from running."""
    python = setup.venv(root, "test")
    setup.node(root, required=True)
    chosen = [step for step in STEPS if not options.only or step in options.only]
    if options.no_browser and "browser" in chosen:
        chosen.remove("browser")
        print("browser: left out because of --no-browser")
    results: list[tuple[str, bool, float]] = []
    for step in chosen:
        print(f"\n=== {step}", flush=True)
        started = time.monotonic()
        passed = all([call(root, command, python, LIMITS[step]) for command in commands(root, step, python)])
        results.append((step, passed or step == "audit", time.monotonic() - started))
        if step == "audit" and not passed:
            print("warning: the audit of the locks found something or could not run; this does not fail the tests")
    print()
    for step, passed, seconds in results:
        print(f"{'ok    ' if passed else 'FAILED'} {step:8s} {seconds:6.0f} s")
    failed = sum(not passed for _, passed, _ in results)
    print(f"{len(results) - failed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


def commands(root: pathlib.Path, step: str, python: pathlib.Path) -> list[list[str]]:
    """The command lines of a step."""
    tool = python.parent
    match step:
        case "lint":
            npx = [shutil.which("npx") or "npx", "--no-install"]
            return [
                [str(tool / "ruff"), "check", "."],
                [str(tool / "ruff"), "format", "--check", "."],
                [*npx, "eslint", "--max-warnings", "0", "."],
            ]
        case "types":
            npx = [shutil.which("npx") or "npx", "--no-install"]
            return [[str(tool / "mypy")], [*npx, "tsc", "--noEmit", "-p", "tsconfig.json"]]
        case "imports":
            return [[str(tool / "lint-imports"), "--config", "pyproject.toml"]]
        case "python":
            # A file stays whole and in its place: each process has one MongoDB and one local Cloud Run at a time for
            # the files that share one, and the long files of processes that die do not make up the tail.
            spread = ["-n", str(PROCESSES), "--dist", "loadfile", "--no-loadscope-reorder"]
            return [[str(python), "-m", "pytest", "-q", *spread]]
        case "js":
            sync = ["node", "tools/miniprogram-npm/sync.js", "--check"]
            return [sync, _node(root, "js")]
        case "functions":
            return [_node(root, "functions")]
        case "devtools":
            setup.packages(root / "tools" / "devtools", shutil.which("npm") or "npm")
            return [_node(root, "devtools")]
        case "browser":
            _browser(root)
            return [_node(root, "browser", "--test-concurrency=1")]
        case _:
            return [[str(tool / "pip-audit"), "--require-hashes", "--disable-pip", "-r", "container/requirements.txt"]]


def _node(root: pathlib.Path, folder: str, *more: str) -> list[str]:
    """Node's test runner over a folder of `tests`."""
    return ["node", "--test", f"--test-timeout={FILE_LIMIT[folder]}", *more, *_files(root, f"tests/{folder}")]


def _files(root: pathlib.Path, folder: str) -> list[str]:
    found = sorted(str(path.relative_to(root)) for path in (root / folder).glob("*.test.js"))
    if not found:
        raise Trouble(f"No tests in {folder}: is this a whole checkout?")
    return found


def _browser(root: pathlib.Path) -> None:
    """A browser must be there; on Debian as root it is installed."""
    finder = root / "tools" / "preview" / "browser.js"
    found = subprocess.run(["node", str(finder)], cwd=root, capture_output=True, text=True, check=False)
    if found.returncode == 0 and found.stdout.strip():
        return
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        print("installing Chromium and fonts", flush=True)
        packages = ["chromium", "fonts-noto-cjk", "fonts-noto-color-emoji"]
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(["apt-get", "update", "-qq"], check=False, timeout=INSTALL_LIMIT)
            install = ["apt-get", "install", "-y", "-qq", *packages]
            if subprocess.run(install, check=False, timeout=INSTALL_LIMIT, stdin=subprocess.DEVNULL).returncode == 0:
                return
    raise Trouble(
        "No browser was found for the browser tests. Install Chromium or Chrome (or set YUNLIAO_CHROMIUM to its path), "
        "or leave these tests out in so many words: python3 dev.py test --no-browser"
    )


def call(root: pathlib.Path, command: list[str], python: pathlib.Path, limit: float) -> bool:
    """Whether the command ended well within `limit` seconds; one that did not is ended with all that it started."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root / "container"), str(root / "tools")])}
    # npx calls what package-lock.json installed; the Python tools are called by path.
    environment["PATH"] = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    # A group of its own on POSIX, so that everything in it can be reached; Ctrl-C is handed on below.
    started = subprocess.Popen(command, cwd=root, env=environment, start_new_session=os.name != "nt")
    try:
        return started.wait(limit) == 0
    except subprocess.TimeoutExpired:
        print(f"\nnot done after {limit:.0f} seconds, so it is ended: {' '.join(command)[:200]}", flush=True)
        return False
    finally:
        _end(started)


def _end(started: subprocess.Popen[bytes]) -> None:
    """As Ctrl-C does, which lets tests clean up; then by force."""
    if os.name == "nt":
        started.kill()
        started.wait()
        return
    if started.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            os.killpg(started.pid, signal.SIGINT)
            started.wait(GRACE)
    with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody left in the group
        os.killpg(started.pid, signal.SIGKILL)
    started.wait()
