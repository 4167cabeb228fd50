"""After the last fault: let everything come to rest, then gather what the service itself says."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time

import aiohttp

from chaos.inside import Inside
from chaos.phone import Lost, Phone, Refused
from chaos.records import Asked, Shown
from chaos.stage import Stage
from cloudrun.world import World
from yunliao.errors import StoreUnavailable

JOBS_SECRET = "campaign-jobs-secret-0001"
GAUGES = ("yunliao_live_turns", "yunliao_queue_depth", 'yunliao_listeners{transport="sse"}',
          'yunliao_listeners{transport="poll"}')  # fmt: skip
REST_SECONDS = 30.0


async def recover(world: World, session: aiohttp.ClientSession) -> None:
    """What the timer does: the job that takes over dead instances' turns, at every instance."""
    assert world.fleet is not None
    for instance in world.fleet.instances:
        try:
            headers = {"X-Yunliao-Secret": JOBS_SECRET}
            async with session.post(
                instance.url + "/jobs/recover", json={}, headers=headers, timeout=aiohttp.ClientTimeout(total=20)
            ) as answer:
                await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError):
            continue


async def until_quiet(world: World, stage: Stage, inside: Inside, limit: float) -> None:
    """Until no turn is live, or `limit` seconds have passed."""
    until = time.monotonic() + limit
    while time.monotonic() < until:
        await recover(world, stage.session)
        with contextlib.suppress(StoreUnavailable):
            if not await asyncio.to_thread(inside.live):
                return
        await asyncio.sleep(1.0)


async def rest(world: World) -> None:
    """Give places, listeners and upstream connections the time to be given back."""
    until = time.monotonic() + REST_SECONDS
    while time.monotonic() < until:
        busy = any(value for gauges in (await gauges_of(world)).values() for value in gauges.values())
        if not busy and not any(record["live"] for relay in world.relays for record in relay.requests):
            return
        await asyncio.sleep(0.5)


async def gauges_of(world: World) -> dict[str, dict[str, float]]:
    """What each instance says it still holds."""
    assert world.fleet is not None
    found: dict[str, dict[str, float]] = {}
    for instance in world.fleet.instances:
        try:
            async with world.gateway.session.get(
                instance.url + "/metrics", timeout=aiohttp.ClientTimeout(total=10)
            ) as answer:
                text = await answer.text()
        except (aiohttp.ClientError, OSError, TimeoutError):
            found[str(instance.number)] = {"does not answer": 1.0}
            continue
        values = dict(re.findall(r"^(\S+) ([-+.0-9e]+)$", text, re.MULTILINE))
        found[str(instance.number)] = {name: float(values[name]) for name in GAUGES if name in values}
    return found


async def histories(stage: Stage) -> None:
    """Every conversation as its user's history shows it."""
    wanted = {(sent.user, sent.conversation) for sent in stage.evidence.sent if sent.told}
    gate = asyncio.Semaphore(8)

    async def one(user: str, conversation: str) -> None:
        async with gate:
            for _ in range(10):
                try:
                    await _history(stage, user, conversation)
                    return
                except Lost:
                    await asyncio.sleep(0.5)
                except Refused as refused:
                    if not refused.retryable:
                        break
                    await asyncio.sleep(0.5)
            stage.evidence.unseen.append(f"{conversation} of {user}")

    await asyncio.gather(*(one(user, conversation) for user, conversation in sorted(wanted)))


async def _history(stage: Stage, user: str, conversation: str) -> None:
    phone, before, pages = Phone(stage.session, stage.url, user), "", []
    while True:
        path = f"/v1/conversations/{conversation}/messages?limit=100" + (f"&before={before}" if before else "")
        page = (await phone.call("GET", path))[1]
        pages += page["messages"]
        before = page["next"]
        if not before:
            break
    stage.evidence.history += [
        Shown(user, conversation, m["turn_id"], m["role"], m.get("text", ""), m["state"]) for m in pages
    ]


def asked_of(world: World) -> list[Asked]:
    """The relay's own record of what it was asked."""
    return [
        Asked(
            turn=record["request_id"],
            began=record["began_ms"],
            ended=record["ended_ms"],
            live=record["live"],
            generated=bool(record["generated_tokens"]),
            how=record["ended"],
        )
        for relay in world.relays
        for record in relay.requests
    ]
