"""Carries a fault out on the running platform, and takes it back."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

from chaos.schedule import Fault
from chaos.stage import Stage
from chaos.stores import Store
from cloudrun.instances import ProcessInstance, StartFailed
from cloudrun.world import World

GATEWAY_SWITCHES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "lose answers": ({"lose_answer": True, "times": 12}, {}),
    "duplicates": ({"duplicate_delivery": True, "duplicate_gap_ms": 30}, {"duplicate_delivery": False}),
    "platform errors": ({"platform_error": -501001, "times": 15}, {}),
    "connect errors": ({"upstream_connect_error": True, "times": 15}, {}),
    "slow network": ({"latency_ms": 300}, {"latency_ms": 0}),
    "offline": ({"offline": True}, {"offline": False}),
}
WECHAT_SWITCHES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "slow verdicts": ({"latency_ms": 400, "jitter_ms": 1200}, {"latency_ms": 20, "jitter_ms": 60}),
    "verdicts fail": ({"errcode": -1, "times": 10}, {}),
    "verdicts drop": ({"drop": True, "times": 10}, {}),
    "verdicts 502": ({"http_status": 502, "times": 10}, {}),
    "verdicts hang": ({"hang": True, "times": 4}, {}),
}
START_TRIES = 5


class Striker:
    """`lease` is the instances' lease in seconds: a freeze lasts longer."""

    def __init__(self, world: World, stage: Stage, store: Store, lease: float) -> None:
        self.world, self.stage, self.store, self.lease = world, stage, store, lease
        self.counts: dict[str, int] = {}
        self._busy: set[int] = set()

    async def strike(self, fault: Fault) -> None:
        """The fault from its beginning to its end."""
        if fault.target and not self._take(fault.target):
            self.stage.note("spared", fault=str(fault))
            return
        self.counts[fault.kind] = self.counts.get(fault.kind, 0) + 1
        self.stage.note("fault", fault=str(fault), seconds=fault.seconds)
        try:
            if fault.target:
                await self._instance(fault)
            elif fault.kind in GATEWAY_SWITCHES:
                await self._switched(self.world.gateway.switches, GATEWAY_SWITCHES[fault.kind], fault)
            elif fault.kind in WECHAT_SWITCHES:
                await self._switched(self.world.wechat.switches, WECHAT_SWITCHES[fault.kind], fault)
            elif fault.kind == "cut sockets":
                self.world.gateway.cut_sockets()
            else:
                await self.store.strike(fault)
        finally:
            self._busy.discard(fault.target)
            self.stage.note("over", fault=str(fault))

    def _take(self, number: int) -> bool:
        """One instance suffers one fault at a time, and one of them is always spared."""
        fleet = self.world.fleet
        assert fleet is not None
        if number in self._busy or len(self._busy) >= max(1, len(fleet.instances) - 1):
            return False
        self._busy.add(number)
        return True

    async def _switched(self, switches: Any, pair: tuple[dict[str, Any], dict[str, Any]], fault: Fault) -> None:
        switches.change(pair[0])
        if "offline" in pair[0]:
            self.world.gateway.cut_sockets()
        try:
            if pair[1]:
                await asyncio.sleep(fault.seconds)
        finally:
            if pair[1]:
                switches.change(pair[1])

    async def _instance(self, fault: Fault) -> None:
        assert self.world.fleet is not None
        instance = self.world.fleet.number(fault.target)
        assert isinstance(instance, ProcessInstance)
        if fault.kind == "freeze":
            began = int(time.time() * 1000)
            instance.signal("freeze")
            try:
                await asyncio.sleep(self.lease + fault.seconds)
            finally:
                instance.signal("thaw")
                self.stage.evidence.frozen.append((began, int(time.time() * 1000)))
            return
        if fault.kind == "term":
            instance.signal("term")
            if not await instance.gone(60):
                self.stage.evidence.faults.append(f"instance {fault.target} did not leave within 60 s of SIGTERM")
                instance.signal("kill")
        else:
            instance.signal("kill")
        await instance.gone(10)
        await asyncio.sleep(fault.seconds / 2)
        await self.start(instance)

    async def start(self, instance: ProcessInstance) -> None:
        """Start it, again if the store was away just then, as the platform does."""
        for _ in range(START_TRIES):
            with contextlib.suppress(StartFailed):
                await instance.start()
                return
            self.stage.note("start failed", instance=instance.number)
            await asyncio.sleep(1)
        self.stage.evidence.faults.append(f"instance {instance.number} did not start again")

    async def heal(self) -> None:
        """Everything at rest and every instance up."""
        self.world.gateway.switches.change({"reset": True})
        self.world.wechat.switches.change({"reset": True})
        await self.store.heal()
        assert self.world.fleet is not None
        for instance in self.world.fleet.instances:
            if isinstance(instance, ProcessInstance) and instance.state != "ready":
                if instance.state == "stopping":
                    await instance.gone(60)
                await self.start(instance)
