"""Processes under measurement: started, their processor time and memory read from /proc, ended with all they made."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TICKS = os.sysconf("SC_CLK_TCK")


def _number(text: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)
    return int(found[1]) if found else 0


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def processor_seconds(pid: int) -> float:
    """Of one process, user and system, with its children that were waited for. Raises `OSError` when it is gone."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(fields[place]) for place in (11, 12, 13, 14)) / TICKS


@dataclass(frozen=True)
class Census:
    """What a process tree has: bytes (`pss`: shared pages are counted in parts; `own`: what it wrote itself, so that
    others who come and go with the same libraries do not change it), open files, threads."""

    rss: int
    pss: int
    own: int
    files: int
    threads: int


class Process:
    """A process group of ours."""

    def __init__(
        self, command: Sequence[str], *, env: Mapping[str, str], folder: pathlib.Path, log: pathlib.Path
    ) -> None:
        self._log = open(log, "ab")  # noqa: SIM115  closed in `end`
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            list(command), cwd=folder, env=dict(env), stdin=subprocess.DEVNULL, stdout=self._log,
            stderr=self._log, start_new_session=True,
        )  # fmt: skip

    def answers(self, url: str, seconds: float = 60) -> float:
        """Seconds from the start until `url` gives 200. Raises `TimeoutError`, or `RuntimeError` when it ended."""
        until = self.began + seconds
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise RuntimeError(f"it ended while starting; see {self._log.name}")
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return time.monotonic() - self.began
            time.sleep(0.005)
        raise TimeoutError(url)

    def tree(self) -> list[int]:
        """Its process ids: those of its session."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                    if int(fields[3]) == self.process.pid:  # session
                        found.append(int(entry.name))
        return found

    def cpu(self) -> float:
        """Seconds of processor time, children that were waited for included."""
        total = 0.0
        for pid in self.tree():
            with contextlib.suppress(OSError):
                total += processor_seconds(pid)
        return total

    def memory(self) -> int:
        """Bytes of memory that are its own: shared pages are counted in parts."""
        return self.census().pss

    def census(self) -> Census:
        """All of it, now."""
        rss = pss = own = files = threads = 0
        for pid in self.tree():
            with contextlib.suppress(OSError):
                of = pathlib.Path(f"/proc/{pid}")
                text = (of / "smaps_rollup").read_text()
                rss += 1024 * _number(text, "Rss")
                pss += 1024 * _number(text, "Pss")
                own += 1024 * _number(text, "Pss_Anon")
                threads += _number((of / "status").read_text(), "Threads")
                files += len(list((of / "fd").iterdir()))
        return Census(rss, pss, own, files, threads)

    def end(self) -> None:
        """SIGTERM, then SIGKILL to the group."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(15)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._log.close()
