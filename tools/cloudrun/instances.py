"""The container instances behind the gateway: real processes started by the real gunicorn command, or given addresses.

An instance is `ready` when its port takes a TCP connection (the platform's readiness check, platform.md §9.2) and
GET /healthz answers 200. Each process has a group of its own, which is killed as a whole; on Linux the kernel also
kills it if this program dies. Standard output and error go to `<data>/instance-<n>.log`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import aiohttp

POSIX = os.name == "posix"
# What a process needs from the machine; nothing else of the developer's environment reaches the container.
INHERITED = ("PATH", "HOME", "TMPDIR", "TEMP", "TMP", "LANG", "LC_ALL", "SYSTEMROOT", "COMSPEC", "USERPROFILE")
GUNICORN = (sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app")
LAST_LINES = 6


class StartFailed(RuntimeError):
    """An instance did not become ready; the text names it and its log file."""


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Instance:
    """An instance the gateway may send to. This base is one that somebody else runs (attach)."""

    def __init__(self, number: int, url: str) -> None:
        self.number, self.url = number, url.rstrip("/")
        self.state = "ready"
        self.pid: int | None = None
        self.starts = 0
        self.exit_code: int | None = None

    def describe(self) -> dict[str, Any]:
        """The instance as JSON for /__local/state."""
        return {
            "n": self.number,
            "url": self.url,
            "state": self.state,
            "pid": self.pid,
            "starts": self.starts,
            "exit_code": self.exit_code,
        }

    async def start(self, limit: float = 60.0) -> None:
        """Be ready within `limit` seconds. Raises `StartFailed`."""
        self.state = "ready"

    async def stop(self, grace: float = 10.0) -> None:
        """Be gone within `grace` seconds, whatever it takes."""
        self.state = "stopped"

    def signal(self, what: str) -> None:
        """`kill`, `term`, `freeze` or `thaw`. A given address can only be taken out of the rotation and put back."""
        self.state = {"kill": "stopped", "term": "stopped", "freeze": "frozen", "thaw": "ready"}[what]


class ProcessInstance(Instance):
    """An instance that is a real process of ours."""

    def __init__(
        self, number: int, *, folder: Path, data: Path, env: Mapping[str, str], command: Sequence[str]
    ) -> None:
        super().__init__(number, "http://127.0.0.1:0")
        self.folder, self.env, self.command = folder, dict(env), list(command)
        self.log_path = data / f"instance-{number}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.state = "stopped"
        self._log: IO[bytes] | None = None

    def _spawn(self) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        env = {name: os.environ[name] for name in INHERITED if name in os.environ}
        # The command stays the Dockerfile's; this variable makes gunicorn listen on loopback only.
        env |= {"PYTHONUNBUFFERED": "1", "GUNICORN_CMD_ARGS": f"--bind=127.0.0.1:{port}"}
        env |= self.env | {"PORT": str(port)}
        command = list(self.command)
        if sys.platform == "linux":
            command = [
                sys.executable,
                "-I",
                "-S",
                str(Path(__file__).with_name("child.py")),
                str(os.getpid()),
                *command,
            ]
        if self._log is None:
            self.log_path.parent.mkdir(parents=True, exist_ok=True)
            self._log = open(self.log_path, "ab")  # noqa: SIM115 - kept open for the life of the instance
        options: dict[str, Any] = (
            {"start_new_session": True}
            if POSIX
            else {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
        )
        self.process = subprocess.Popen(
            command, cwd=self.folder, env=env, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, **options
        )
        self.pid, self.exit_code, self.state = self.process.pid, None, "starting"
        self.starts += 1

    async def start(self, limit: float = 60.0) -> None:
        """Start the process, or thaw it; ready within `limit` seconds or `StartFailed`."""
        if self.state == "frozen":
            self.signal("thaw")
            return
        if self.running:
            if self.state == "ready":
                return
            await self.stop()
        self._spawn()
        process = self.process
        until = time.monotonic() + limit
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while time.monotonic() < until:
                if process is None or process.poll() is not None:
                    self.notice_exit()
                    raise StartFailed(
                        f"instance {self.number} ended while starting; see {self.log_path}{self._last_words()}"
                    )
                with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
                    async with session.get(self.url + "/healthz", allow_redirects=False) as answer:
                        if answer.status == 200:
                            if self.process is process and self.state == "starting":
                                self.state = "ready"
                            return
                await asyncio.sleep(0.05)
        await self.stop(0.0)
        raise StartFailed(f"instance {self.number} was not ready after {limit:g} s; see {self.log_path}")

    def _last_words(self) -> str:
        """The end of the log, indented, so that a mistake in the settings is seen where the start was asked for."""
        with contextlib.suppress(OSError):
            lines = self.log_path.read_text("utf-8", "replace").splitlines()[-LAST_LINES:]
            return "".join(f"\n    {line}" for line in lines)
        return ""

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    def notice_exit(self) -> bool:
        """If the process has ended by itself: record it, clear its group away, and say True."""
        if self.process is None or self.process.poll() is None:
            return False
        self.exit_code = self.process.returncode
        self._signal_group("SIGKILL")
        self.process, self.pid = None, None
        expected = self.state in ("stopping", "stopped")
        self.state = "stopped" if expected else "crashed"
        return not expected

    def _signal_group(self, name: str) -> None:
        number = getattr(signal, name, None)
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if POSIX and number is not None:
                os.killpg(self.process.pid, number)  # start_new_session made the process the leader of its group
            elif name == "SIGKILL":
                self.process.kill()

    def signal(self, what: str) -> None:
        """`kill` (SIGKILL to the whole group), `term` (SIGTERM to the master, which drains), `freeze`, `thaw`."""
        if self.process is None:
            return
        if what == "kill":
            self.state = "stopping"
            self._signal_group("SIGKILL")
        elif what == "term":
            self.state = "stopping"
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
        elif what == "freeze":
            self._signal_group("SIGSTOP")
            self.state = "frozen"
        elif what == "thaw":
            self._signal_group("SIGCONT")
            self.state = "ready"

    async def gone(self, limit: float) -> bool:
        """Wait up to `limit` seconds for the process to end; True when it has."""
        until = time.monotonic() + limit
        while self.running:
            if time.monotonic() >= until:
                return False
            await asyncio.sleep(0.02)
        self.notice_exit()
        return True

    async def stop(self, grace: float = 10.0) -> None:
        """SIGTERM, then after `grace` seconds SIGKILL to the group; a frozen process is thawed first."""
        if self.process is not None:
            if self.state == "frozen":
                self.signal("thaw")
            if grace > 0:
                self.signal("term")
            if not await self.gone(grace):
                self.signal("kill")
                await self.gone(10.0)
        self.state = "stopped"
        if self._log is not None:
            self._log.close()
            self._log = None
