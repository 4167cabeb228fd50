"""The rolling restart: one instance after the other is told to leave and is started again, under live answers."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import aiohttp

from chaos import tale
from chaos.campaign import environment, running
from chaos.phone import Phone
from chaos.records import View
from chaos.screen import Screen
from chaos.stores import store_of
from chaos.verdict import rebuilt
from cloudrun.instances import ProcessInstance
from cloudrun.world import World

ANSWERS = 30
SENTENCES = 40
PACE = 25.0
END_SECONDS = 180.0


async def measure(
    seed: str, folder: Path, store_name: str, lease: float, instances: int, say: Callable[[str], None]
) -> list[str]:
    """What was wrong with each of the answers, empty for a good one."""
    store = store_of(store_name, folder, seed)
    env = environment(lease) | {"YUNLIAO_MAX_LIVE": "100", "YUNLIAO_MAX_LIVE_TOTAL": "0"}
    async with running(store, folder, instances, env) as world:
        world.relays[0].compose = tale.composer(seed, [], plain=True, sentences=SENTENCES)
        world.relays[0].switches.change({"first_token_ms": 200, "tokens_per_second": PACE, "chunk_tokens": 2})
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True)) as session:
            over = asyncio.Event()
            answers = [asyncio.create_task(_one(session, world.url, n, seed, over)) for n in range(1, ANSWERS + 1)]
            await asyncio.sleep(4)
            await _roll(world, say)
            _, late = await asyncio.wait(answers, timeout=END_SECONDS)
            over.set()
            if late:
                await asyncio.wait(late, timeout=40)
            return [await answer for answer in answers]


async def _roll(world: World, say: Callable[[str], None]) -> None:
    assert world.fleet is not None
    for instance in world.fleet.instances:
        assert isinstance(instance, ProcessInstance)
        began = time.monotonic()
        instance.signal("term")
        if not await instance.gone(60):
            say(f"instance {instance.number} did not leave")
            instance.signal("kill")
            await instance.gone(10)
        say(f"instance {instance.number} left after {time.monotonic() - began:.1f} s (exit {instance.exit_code})")
        await instance.start()


async def _one(session: aiohttp.ClientSession, url: str, number: int, seed: str, over: asyncio.Event) -> str:
    phone = Phone(session, url, f"u{number:02d}")
    marker = f"[{phone.user}-0001r]"
    await phone.agree()
    body = {"client_id": f"rolling-{number:04d}-{seed}", "text": f"{marker} 请讲一讲", "model": "demo-chat"}
    turn = (await phone.call("POST", "/v1/turns?wait=0", body))[1]["turn"]["id"]
    view = View(phone.user, turn, "rolling")
    await Screen(phone, view, random.Random(f"{seed}/{number}"), over).follow()
    whole = tale.answer(seed, marker, plain=True, sentences=SENTENCES)
    if not view.events or view.events[-1]["type"] != "end":
        return f"{marker} never ended ({view.refused})"
    end, text = view.events[-1], rebuilt(view.events)[0]
    if end["reason"] != "complete" or text != whole:
        code = (end.get("error") or {}).get("code", "")
        return f"{marker} ended {end['reason']} {code} with {len(text)} of {len(whole)} characters"
    return ""


def figures(wrong: list[str], instances: int) -> tuple[str, bool]:
    """The table, and whether no answer failed."""
    broken = Counter(line for line in wrong if line)
    lines = [
        f"rolling restart of {instances} instances under {len(wrong)} live answers",
        "",
        "| answers | complete and whole | failed |",
        "|---|---|---|",
        f"| {len(wrong)} | {sum(not line for line in wrong)} | {sum(broken.values())} |",
        *(f"  wrong: {line}" for line in list(broken)[:12]),
    ]
    return "\n".join(lines), not broken
