"""Run as a script by `instances`: become the given command, and on Linux die when the starter dies.

`python child.py <starter's pid> <program> <argument>…`. The kernel's parent-death signal survives the exec, so not
even a killed starter leaves an orphan. Standard library only, no imports of the package.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask for the signal, make sure the starter is still there (it may have died meanwhile), and become the command."""
    starter = int(sys.argv[1])
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != starter:
        raise SystemExit(1)
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
