"""The takeover figure: an answer's owner is killed at a random token, and its user waits. How long?

In every round some instances each run one answer and are then killed; the last instance is never killed. What is
measured is the longest gap between two pieces of text on the user's screen that begins at the kill or before it.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from chaos import tale
from chaos.campaign import environment, running
from chaos.phone import Lost, Phone, Refused
from chaos.stores import store_of
from cloudrun.instances import ProcessInstance
from cloudrun.world import World

LANES = 3
"""Answers, and owners killed, in one round."""
PACE = 100.0
"""The demo relay's tokens are characters in Chinese: this is a model of about 65 tokens a second."""
SENTENCES = 20
END_SECONDS = 60.0


@dataclass
class Takeover:
    """One killed owner. `pause` is from the kill to the next new text, `gap` from the last text before it, in seconds;
    `wrong` says what was wrong with the answer, empty for a good one."""

    lane: int
    at: float = 0.0
    pause: float = 0.0
    gap: float = 0.0
    wrong: str = ""
    killed: bool = False
    reason: str = ""
    arrivals: list[float] = field(default_factory=list)
    text: str = ""


async def measure(
    times: int, seed: str, folder: Path, store_name: str, lease: float, say: Callable[[str], None]
) -> list[Takeover]:
    """`times` kills; everything that was started has ended when this returns or raises."""
    store = store_of(store_name, folder, seed)
    async with running(store, folder, LANES + 1, environment(lease)) as world:
        return await _rounds(times, seed, world, say)


async def _rounds(times: int, seed: str, world: World, say: Callable[[str], None]) -> list[Takeover]:
    assert world.fleet is not None
    wrong: list[str] = []
    chance = random.Random(f"{seed}/takeover")
    world.relays[0].compose = tale.composer(seed, wrong, plain=True, sentences=SENTENCES)
    world.relays[0].switches.change({"first_token_ms": 200, "tokens_per_second": PACE, "chunk_tokens": 2})
    world.wechat.switches.change({"latency_ms": 20, "jitter_ms": 60})
    done: list[Takeover] = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True)) as session:
        number = 0
        while len(done) < times:
            lanes = min(LANES, times - len(done))
            tries = [
                _one(world, Phone(session, world.url, f"u{number + lane:02d}"), lane, number + lane, chance, seed)
                for lane in range(1, lanes + 1)
            ]
            number += lanes
            # One that had shown all its text when it was killed proves nothing, and is played again.
            done += [t for t in await asyncio.gather(*tries) if t.pause or t.wrong]
            longest = max((t.pause for t in done), default=0.0)
            say(f"{len(done)} of {times} owners killed; longest pause so far {longest:.2f} s")
            await asyncio.gather(*(_again(instance) for instance in world.fleet.instances))
    for line in wrong:
        done[0].wrong = done[0].wrong or line
    return done


async def _again(instance: object) -> None:
    assert isinstance(instance, ProcessInstance)
    if instance.state != "ready":
        await instance.gone(10)
        await instance.start()


async def _one(world: World, phone: Phone, lane: int, number: int, chance: random.Random, seed: str) -> Takeover:
    """One answer on instance `lane`, killed after a random number of characters."""
    result = Takeover(lane)
    marker = f"[{phone.user}-{number:04d}t]"
    whole = tale.answer(seed, marker, plain=True, sentences=SENTENCES)
    moment = chance.uniform(0.0, len(whole) / PACE * 0.75)
    await phone.agree()
    body = {"client_id": f"takeover-{number:04d}-{seed}", "text": f"{marker} 请讲一讲", "model": "demo-chat"}
    answer = (await phone.call("POST", "/v1/turns?wait=0", body, **{"X-Local-Instance": str(lane)}))[1]
    turn, cursor = answer["turn"]["id"], answer["cursor"]
    assert world.fleet is not None
    instance = world.fleet.number(lane)
    assert isinstance(instance, ProcessInstance)
    killer = asyncio.create_task(_kill(instance, moment, result))
    until = time.monotonic() + END_SECONDS
    live = True
    while live and time.monotonic() < until:
        try:
            # As the mini-program does on a phone: a long poll through the gateway, to any instance.
            piece = await phone.poll(turn, cursor, 5)
        except (Lost, Refused):
            await asyncio.sleep(0.1)
            continue
        now = time.monotonic()
        for event in piece["events"]:
            if event["type"] == "text":
                result.text += event["delta"]
                result.arrivals.append(now)
            result.reason = event.get("reason", result.reason)
        cursor, live = piece["cursor"], piece["live"]
    killer.cancel()
    await asyncio.gather(killer, return_exceptions=True)
    if result.killed:
        result.pause, result.gap = pause_after(result.arrivals, result.at)
    if result.reason != "complete" or result.text != whole:
        result.wrong = f"{marker} ended {result.reason or 'never'} with {len(result.text)} of {len(whole)} characters"
    return result


async def _kill(instance: ProcessInstance, moment: float, result: Takeover) -> None:
    """Kill the owner that long after the first text was shown."""
    while not result.arrivals:
        await asyncio.sleep(0.01)
    await asyncio.sleep(moment)
    result.killed, result.at = True, time.monotonic()
    instance.signal("kill")
    await instance.gone(10)


def pause_after(arrivals: list[float], killed: float) -> tuple[float, float]:
    """From the kill to the next text, and the longest time without new text that includes or follows the kill."""
    gaps = [later - earlier for earlier, later in itertools.pairwise(arrivals) if later >= killed]
    after = [moment - killed for moment in arrivals if moment > killed]
    return (after[0] if after else 0.0), max(gaps, default=0.0)


def share(values: list[float], part: float) -> float:
    """The value that `part` of the sorted values do not exceed."""
    return values[min(len(values) - 1, int(part * len(values)))] if values else 0.0


def figures(done: list[Takeover], lease: float) -> tuple[str, bool]:
    """The table, and whether the promise held: all complete, p95 of the pause at most lease + 1 s."""
    good = [t for t in done if not t.wrong]
    broken = [t.wrong for t in done if t.wrong]
    rows = []
    for name, values in (
        ("from the kill to the next text", sorted(t.pause for t in good)),
        ("between two texts on the screen", sorted(t.gap for t in good)),
    ):
        rows.append(f"| {name} | {share(values, 0.5):.2f} s | {share(values, 0.95):.2f} s | {share(values, 1):.2f} s |")
    held = not broken and share(sorted(t.pause for t in good), 0.95) <= lease + 1
    lines = [
        f"owner killed at a random token {len(done)} times, lease {lease:g} s: {len(good)} answers completed",
        "",
        "| pause | p50 | p95 | max |",
        "|---|---|---|---|",
        *rows,
        "",
        f"allowed p95 from the kill: {lease + 1:g} s: {'held' if held else 'BROKEN'}",
        *(f"  wrong: {line}" for line in broken[:12]),
    ]
    return "\n".join(lines), held
