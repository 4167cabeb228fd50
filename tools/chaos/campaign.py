"""One campaign from start to verdict."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from chaos import settle, tale, trouble
from chaos.inside import Inside, pairs
from chaos.person import Person
from chaos.records import Evidence
from chaos.schedule import Fault, schedule
from chaos.stage import MODELS, Stage
from chaos.stores import Store, store_of
from chaos.strike import Striker
from chaos.verdict import Finding, judge
from cloudrun.world import Plan, World
from yunliao.errors import StoreUnavailable

PRICES = {
    "version": "campaign",
    "models": {model: {"input": 2_000_000, "cached": 500_000, "output": 8_000_000} for model in dict.fromkeys(MODELS)},
    "plans": {"free": {"daily": 10**12}},  # more than anybody can spend: who is refused cannot be watched
}
SETTLE_SECONDS = 120.0
"""Longest time that users get to see the ends of their answers after the last fault."""
PROGRESS_SECONDS = 5.0
TIMER_SECONDS = 15.0


@dataclass(frozen=True)
class Options:
    """What to run. `lease` in seconds."""

    seconds: float
    seed: str
    folder: Path
    users: int = 50
    instances: int = 3
    store: str = "sqlite"
    lease: float = 6.0
    faults: bool = True

    @property
    def command(self) -> str:
        """The command that plays the same campaign again."""
        return (
            f"python3 dev.py chaos --minutes {self.seconds / 60:g} --seed {self.seed} --store {self.store}"
            f" --instances {self.instances} --users {self.users}"
        )


@dataclass
class Result:
    """What came of it."""

    evidence: Evidence
    looked: dict[str, int]
    findings: list[Finding]
    counts: dict[str, int]
    relay: Counter[str]
    seconds: float


def environment(lease: float) -> dict[str, str]:
    """The container's settings: those of production but for limits that would slow the play down."""
    return {
        "YUNLIAO_MODELS": ",".join(dict.fromkeys(MODELS)),
        "YUNLIAO_RATE_LIMIT": "1000/minute",
        "YUNLIAO_LEASE_SECONDS": f"{lease:g}",
        "YUNLIAO_RELAY_SILENCE_SECONDS": "5",
        "YUNLIAO_RELAY_FIRST_BYTE_SECONDS": "6",
        "YUNLIAO_GRACE_SECONDS": "8",
        "YUNLIAO_JOBS_SECRET": settle.JOBS_SECRET,
        "YUNLIAO_MAX_LIVE": "12",  # fewer than users, so that some turns queue
        "YUNLIAO_MAX_LIVE_TOTAL": "30",
        "YUNLIAO_MAX_QUEUE": "60",
        "YUNLIAO_PRICES": json.dumps(PRICES),
    }


async def play(options: Options, say: Callable[[str], None]) -> Result:
    """Run the campaign; everything that was started has ended when this returns or raises."""
    store = store_of(options.store, options.folder, options.seed)
    async with running(store, options.folder, options.instances, environment(options.lease)) as world:
        return await _play(options, world, store, say)


@contextlib.asynccontextmanager
async def running(store: Store, folder: Path, instances: int, env: dict[str, str]) -> AsyncIterator[World]:
    """The store, then the platform with its instances; ended in the opposite order, whatever happens."""
    try:
        await store.start()
        world = World(Plan(data=folder, instances=instances, env=env, store_url=store.url, grace=12.0))
        try:
            await world.start()
            yield world
        finally:
            await world.stop(3.0)
    finally:
        await store.stop()


async def _play(options: Options, world: World, store: Store, say: Callable[[str], None]) -> Result:
    seen: Counter[str] = Counter()
    began = time.monotonic()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True)) as session:
        stage = Stage(options.seed, world.url, session, options.folder)
        stage.evidence.extra_generations = 1
        # A lease and the 15 s until the timer comes by, and as long again for what strikes meanwhile.
        stage.evidence.stop_ms = int(2 * (options.lease + TIMER_SECONDS) * 1000) if options.faults else 5_000
        inside = Inside(world.environment() | {"PORT": "80"})
        striker = Striker(world, stage, store, options.lease)
        for relay in world.relays:
            relay.compose = tale.composer(options.seed, stage.evidence.wrong_prompts)
            relay.trouble = trouble.relay_trouble(options.seed, seen)
        world.wechat.switches.change({"latency_ms": 20, "jitter_ms": 60})
        reporter = asyncio.create_task(_report(options, stage, inside, striker, say))
        try:
            await _live(options, stage, store, striker, world)
            say("faults are over; everything settles")
            await striker.heal()
            await settle.until_quiet(world, stage, inside, SETTLE_SECONDS)
            stage.over.set()
            await settle.rest(world)
            await settle.histories(stage)
            evidence = stage.evidence
            evidence.asked = settle.asked_of(world)
            evidence.live = await settle.gauges_of(world)
            evidence.live["all"] = {"shared seats": float(await asyncio.to_thread(inside.seats))}
            evidence.kept = await asyncio.to_thread(inside.kept, pairs(evidence))
            evidence.purses = await asyncio.to_thread(inside.purses)
            live = set(await asyncio.to_thread(inside.live)) - {item.turn for item in evidence.kept}
            evidence.faults += [f"turn {turn} is live and nobody asked for it" for turn in sorted(live)]
        finally:
            reporter.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reporter
            inside.close()
            stage.close()
    looked, findings = judge(evidence)
    _write(options.folder, evidence, findings)
    return Result(evidence, looked, findings, striker.counts, seen, time.monotonic() - began)


async def _live(options: Options, stage: Stage, store: Store, striker: Striker, world: World) -> None:
    """Users and faults for the length of the play, then the users' last screens."""
    faults = schedule(options.seed, options.seconds, options.instances, store.faults) if options.faults else []
    people = [asyncio.create_task(Person(stage, number).live()) for number in range(1, options.users + 1)]
    strikes = [asyncio.create_task(_later(striker, fault, stage.began)) for fault in faults]
    timer = asyncio.create_task(_timer(stage, world))
    try:
        await asyncio.sleep(options.seconds)
        stage.closing.set()
        await asyncio.gather(*strikes)
        await striker.heal()
        done, late = await asyncio.wait(people, timeout=SETTLE_SECONDS)
        stage.over.set()
        if late:
            await asyncio.wait(late, timeout=40)
        for person in done:
            person.result()  # a fault of a simulated user is a fault of the campaign
    finally:
        for task in (*people, *strikes, timer):
            task.cancel()
        await asyncio.gather(*people, *strikes, timer, return_exceptions=True)


async def _later(striker: Striker, fault: Fault, began: float) -> None:
    await asyncio.sleep(max(0.0, began + fault.at - time.monotonic()))
    await striker.strike(fault)


async def _timer(stage: Stage, world: World) -> None:
    """The cloud function's timer."""
    while True:
        await asyncio.sleep(TIMER_SECONDS)
        await settle.recover(world, stage.session)


async def _report(options: Options, stage: Stage, inside: Inside, striker: Striker, say: Callable[[str], None]) -> None:
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        try:
            live = str(len(await asyncio.to_thread(inside.live)))
        except StoreUnavailable:
            live = "?"
        faults = " ".join(f"{kind}:{count}" for kind, count in sorted(striker.counts.items()))
        ended = sum(1 for view in stage.evidence.views if view.events and view.events[-1]["type"] == "end")
        say(
            f"[{time.monotonic() - stage.began:4.0f} s of {options.seconds:.0f}] accepted {stage.accepted}, "
            f"live {live}, screens {ended}/{len(stage.evidence.views)} at their end · faults {faults or 'none yet'}"
        )


def _write(folder: Path, evidence: Evidence, findings: list[Finding]) -> None:
    """The evidence as JSON lines, for whoever looks for a cause."""
    with open(folder / "evidence.jsonl", "w", encoding="utf-8") as file:
        for name in ("sent", "views", "kept", "asked", "history", "purses"):
            for item in getattr(evidence, name):
                file.write(json.dumps({"record": name, **dataclasses.asdict(item)}, ensure_ascii=False) + "\n")
        for finding in findings:
            file.write(json.dumps({"record": "finding", **dataclasses.asdict(finding)}, ensure_ascii=False) + "\n")
