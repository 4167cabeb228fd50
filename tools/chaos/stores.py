"""The stores a campaign can run on, and the faults each can suffer."""

from __future__ import annotations

import asyncio
import contextlib
import random
from pathlib import Path
from typing import Protocol

from chaos.schedule import STORE, Fault
from chaos.wire import Wire
from mongod.replica_set import Member, ReplicaSet

CUT_SECONDS = 10.0
"""Longest cut of the network to the store."""


class Store(Protocol):
    """What the instances share."""

    faults: tuple[str, ...]
    url: str

    async def start(self) -> None:
        """Be ready."""

    async def strike(self, fault: Fault) -> None:
        """Suffer one of `faults`, from beginning to end."""

    async def heal(self) -> None:
        """Be whole again."""

    async def stop(self) -> None:
        """End what was started."""


class Sqlite:
    """A file in the campaign's folder: no server, so no faults of its own."""

    faults: tuple[str, ...] = ()

    def __init__(self, folder: Path) -> None:
        self.url = "sqlite:///" + (folder / "yunliao.db").as_posix()

    async def start(self) -> None:
        """Nothing to start."""

    async def strike(self, fault: Fault) -> None:
        """Has no faults."""
        raise ValueError(f"this store has no fault {fault.kind}")

    async def heal(self) -> None:
        """Nothing to heal."""

    async def stop(self) -> None:
        """Nothing to end."""


class WiredMember(Member):
    """A mongod that everybody, the other members too, reaches through a wire."""

    def __init__(self, folder: Path, port: int, wire: Wire) -> None:
        super().__init__(folder, port)
        self.wire = wire
        wire.target = port

    @property
    def address(self) -> str:
        """The wire's."""
        return f"127.0.0.1:{self.wire.port}"


class Mongodb:
    """A replica set of three real mongod processes, each behind a wire that can fail."""

    faults = STORE

    def __init__(self, folder: Path, seed: str) -> None:
        self.url = ""
        self._chance = random.Random(f"{seed}/store")
        self._set = ReplicaSet(folder / "mongodb", members=3)
        self._wires = [Wire() for _ in self._set.members]
        self._down: list[Member] = []

    async def start(self) -> None:
        """Wires first: a member must find itself at its own address."""
        for wire in self._wires:
            await wire.start()
        plain = self._set.members
        self._set.members = [
            WiredMember(member.folder, member.port, wire) for member, wire in zip(plain, self._wires, strict=True)
        ]
        await asyncio.to_thread(self._set.start)
        self.url = self._set.url()

    async def strike(self, fault: Fault) -> None:
        """A stepdown, a killed primary, a cut or held network, a slow one."""
        match fault.kind:
            case "stepdown":
                await asyncio.to_thread(self._set.step_down)
            case "store restart":
                await self._restart(fault.seconds)
            case "partition":
                await self._partition(min(CUT_SECONDS, 2 * fault.seconds))
            case _:
                await self._slow(fault.seconds)

    async def _restart(self, seconds: float) -> None:
        member = await asyncio.to_thread(self._set.primary)
        if self._down:
            return  # two members down would be an outage until they are back, which the partition already is
        self._down.append(member)
        await asyncio.to_thread(member.kill)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(member.start)
        self._down.remove(member)

    async def _partition(self, seconds: float) -> None:
        """Of the primary alone, or of the whole store; held, or reset."""
        wires = self._wires if self._chance.random() < 0.4 else [await self._primary_wire()]
        held = self._chance.random() < 0.5
        for wire in wires:
            wire.hold() if held else wire.cut()
        try:
            await asyncio.sleep(seconds)
        finally:
            for wire in wires:
                wire.mend()

    async def _primary_wire(self) -> Wire:
        member = await asyncio.to_thread(self._set.primary)
        assert isinstance(member, WiredMember)
        return member.wire

    async def _slow(self, seconds: float) -> None:
        for wire in self._wires:
            wire.delay = 0.08
        try:
            await asyncio.sleep(seconds)
        finally:
            for wire in self._wires:
                wire.mend()

    async def heal(self) -> None:
        """Every wire mended, every member up, one of them primary."""
        for wire in self._wires:
            wire.mend()
        for member in self._down:
            with contextlib.suppress(Exception):
                await asyncio.to_thread(member.start)
        await asyncio.to_thread(self._set.primary)

    async def stop(self) -> None:
        """End the servers, then the wires."""
        await asyncio.to_thread(self._set.stop)
        for wire in self._wires:
            await wire.stop()


def store_of(name: str, folder: Path, seed: str) -> Store:
    """The store called `name`. Raises `ValueError`."""
    if name == "sqlite":
        return Sqlite(folder)
    if name == "mongodb":
        return Mongodb(folder, seed)
    raise ValueError("--store must be mongodb or sqlite")
