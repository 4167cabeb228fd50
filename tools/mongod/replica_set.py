"""A replica set of one or three mongod processes on free loopback ports, each in its own folder."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import pymongo
from pymongo.errors import PyMongoError

from mongod.binary import find_binary

NAME = "yunliao"
PATIENCE = 120
"""Seconds for anything to happen on a busy machine; only a hang takes longer."""
CHILD = Path(__file__).parents[1] / "cloudrun" / "child.py"
"""Makes a process die with its starter, whatever happens to that one."""


class StartFailed(RuntimeError):
    """A server did not come up; the text has its last words."""


class Member:
    """One mongod: its port and folder stay the same over restarts."""

    def __init__(self, folder: Path, port: int, *, name: str = NAME) -> None:
        """`name` is its replica set's; a server without one stands alone."""
        self.folder = folder
        self.name = name
        self.port = port
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Run it and wait until it answers. Raises `StartFailed`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [str(find_binary()), "--bind_ip", "127.0.0.1", "--port", str(self.port)]
        command += ["--replSet", self.name] if self.name else []
        command += ["--dbpath", str(self.folder), "--logpath", str(self.log), "--logappend", "--nounixsocket"]
        command += ["--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "128"]
        command += ["--setParameter", "diagnosticDataCollectionEnabled=false"]
        command += ["--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"]
        if sys.platform == "linux":
            command = [sys.executable, str(CHILD), str(os.getpid()), *command]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._until(lambda: bool(self.ask({"ping": 1})))

    @property
    def log(self) -> Path:
        """Where it writes its log."""
        return self.folder / "mongod.log"

    def ask(self, command: dict[str, Any], *, limit_ms: int = 5_000) -> dict[str, Any]:
        """The answer of this very member to an administrator's command. Raises `PyMongoError`."""
        with pymongo.MongoClient[dict[str, Any]](
            "127.0.0.1", self.port, directConnection=True, serverSelectionTimeoutMS=limit_ms, socketTimeoutMS=60_000
        ) as client:
            return client.admin.command(command)

    @property
    def primary(self) -> bool:
        """Whether it takes writes now."""
        try:
            return bool(self.ask({"hello": 1}, limit_ms=500).get("isWritablePrimary"))
        except PyMongoError:
            return False

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it properly."""
        self._end(signal.SIGTERM)

    def freeze(self, frozen: bool) -> None:
        """Stop it in its tracks, or let it go on: what a stalled disk or host looks like from outside."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _until(self, there: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                if there():
                    return
            except PyMongoError:
                pass
            assert self.process is not None
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise StartFailed(f"mongod on port {self.port} did not start. Its log ends with:\n{self._last_words()}")
            time.sleep(0.05)

    def _last_words(self) -> str:
        return self.log.read_text("utf-8", "replace")[-1500:] if self.log.exists() else ""


class ReplicaSet:
    """`with ReplicaSet(folder, members=3) as mongo:` gives a set with a primary at `mongo.url()`. A folder
    that was used before is taken up again with what is in it. Leaving stops what was started."""

    def __init__(self, folder: Path, *, members: int = 1) -> None:
        self._ports = folder / "ports"
        known = self._ports.read_text().split() if self._ports.exists() else []
        ports = [int(port) for port in known] if len(known) == members else _free_ports(members)
        self.folder = folder
        self.members = [Member(folder / f"member-{number}", port) for number, port in enumerate(ports)]

    def __enter__(self) -> "ReplicaSet":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """All members, then wait for a primary. Raises `StartFailed`, `BinaryMissing`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for member in self.members:
            member.start()
        if not self._ports.exists():
            seats = [{"_id": number, "host": member.address} for number, member in enumerate(self.members)]
            # A dead primary is noticed after 10 s by default: for tests of exactly that, sooner.
            settings = {"electionTimeoutMillis": 2_000, "heartbeatIntervalMillis": 500}
            self.members[0].ask({"replSetInitiate": {"_id": NAME, "members": seats, "settings": settings}})
            self._ports.write_text(" ".join(str(member.port) for member in self.members))
        self.primary()

    def stop(self) -> None:
        """End all members that run."""
        for member in self.members:
            if member.process is not None and len(self.members) == 1:
                member.stop()
            else:
                member.kill()  # the data is thrown away or repaired at the next start; a proper end waits for elections

    def primary(self) -> Member:
        """The member that takes writes; waits for one. Raises `StartFailed`."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for member in self.members:
                if member.process is not None and member.primary:
                    return member
            time.sleep(0.05)
        raise StartFailed("the replica set has no primary")

    def step_down(self) -> None:
        """Make the primary give up its place; returns at once."""
        self.primary().ask({"replSetStepDown": 10, "secondaryCatchUpPeriodSecs": 5})

    def url(self, database: str = "yunliao", options: str = "") -> str:
        """The address of a database in it."""
        hosts = ",".join(member.address for member in self.members)
        return f"mongodb://{hosts}/{database}?replicaSet={NAME}{options}"


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
