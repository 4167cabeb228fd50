"""Writes the hash-locked requirement files anew: `python3 tools/lock.py` (needs `uv`).

One week of cooling-off: a release younger than that is not locked, so that a broken or hijacked one is noticed first.
"""

import datetime
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
COOLING_OFF = datetime.timedelta(days=7)


def main() -> int:
    """Lock all sets; 0 when all were written."""
    newest = (datetime.datetime.now(datetime.UTC) - COOLING_OFF).date().isoformat()
    for folder in ("container", "tools", "tests", "tools/bench"):
        command = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"]
        command += ["--no-emit-index-url", "--no-emit-find-links", "--no-header", "--exclude-newer", newest]
        command += [f"{folder}/requirements.in", "-o", f"{folder}/requirements.txt"]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            return 1
        print(f"{folder}/requirements.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
