"""Load on one system: so many people who ask again as soon as they were answered, or arrivals at a constant rate."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp

from bench import ask, script
from bench.ask import Heard
from bench.systems import System

Asker = Callable[[aiohttp.ClientSession, str, int, str], Awaitable[Heard]]
PATIENCE = 120.0
"""Seconds after which an answer counts as lost."""


@dataclass
class Result:
    """Of one round: seconds everywhere."""

    answers: int = 0
    wrong: dict[str, int] = field(default_factory=dict)
    first: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    updates: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    memory_idle: int = 0
    memory_busy: int = 0

    def count(self, heard: Heard, expected: str) -> None:
        """Take one answer in, if it is the right one."""
        if heard.text != expected:
            self.failed("another text")
            return
        self.answers += 1
        self.first.append(heard.updates[0] - heard.asked)
        self.gaps += [after - before for before, after in zip(heard.updates, heard.updates[1:], strict=False)]
        self.updates += len(heard.updates)

    def failed(self, how: str) -> None:
        """One answer was lost or wrong."""
        self.wrong[how] = self.wrong.get(how, 0) + 1

    @property
    def cpu_per_1000(self) -> float:
        """Processor seconds of the system for 1,000 answers."""
        return self.cpu / self.answers * 1000 if self.answers else float("inf")


def asker(kind: str) -> Asker:
    """How a system of that kind is asked; a socket is one person's own."""
    found: dict[str, Asker] = {"openai": ask.openai, "chat": ask.chat, "poll": ask.poll, "sse": ask.sse}
    return found.get(kind) or ask.Socket()


async def closed(system: System, *, people: int, answers: int, tokens: int, spread: float, offset: int = 0) -> Result:
    """`people` at once, who begin spread over `spread` seconds, until `answers` were asked for."""
    result = Result()
    left = iter(range(offset, offset + answers))
    process = system.process  # None: the upstream itself, whose cost is nobody's
    async with _session() as session:
        if system.kind in ("poll", "sse", "socket"):
            await asyncio.gather(*(ask.agree(session, system.url, f"{offset}x{n}") for n in range(people)))
        result.memory_idle = process.memory() if process else 0
        cpu, began = process.cpu() if process else 0.0, time.monotonic()

        async def person(place: int) -> None:
            talk = asker(system.kind)
            await asyncio.sleep(spread * place / people)
            for number in left:
                await _one(talk, session, system, number, f"{offset}x{place}", tokens, result)

        crowd = [asyncio.create_task(person(place)) for place in range(people)]
        watch = asyncio.create_task(_watch(system, result))
        await asyncio.gather(*crowd)
        watch.cancel()
        result.cpu, result.seconds = (process.cpu() if process else 0.0) - cpu, time.monotonic() - began
    return result


async def arriving(system: System, *, rate: float, seconds: float, tokens: int, offset: int = 0) -> Result:
    """New people at a constant rate, whatever becomes of those before: waiting is never left out of the figures."""
    result = Result()
    process = system.process
    assert process is not None
    async with _session() as session:
        count = int(rate * seconds)
        if system.kind in ("poll", "sse", "socket"):
            for start in range(0, count, 100):
                some = range(start, min(count, start + 100))
                await asyncio.gather(*(ask.agree(session, system.url, f"{offset}r{n}") for n in some))
        cpu, began = process.cpu(), time.monotonic()
        crowd = []
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            talk = asker(system.kind)
            one = _one(talk, session, system, offset + number, f"{offset}r{number}", tokens, result)
            crowd.append(asyncio.create_task(one))
        await asyncio.gather(*crowd)
        result.cpu, result.seconds = process.cpu() - cpu, time.monotonic() - began
    return result


async def _one(
    talk: Asker, session: aiohttp.ClientSession, system: System, number: int, person: str, tokens: int, result: Result
) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            heard = await talk(session, system.url, number, person)
        result.count(heard, script.answer(number, tokens))
    except ask.WrongAnswer as wrong:
        result.failed(str(wrong))
    except (aiohttp.ClientError, TimeoutError, OSError) as lost:
        result.failed(type(lost).__name__)


async def _watch(system: System, result: Result) -> None:
    while system.process is not None:
        result.memory_busy = max(result.memory_busy, system.process.memory())
        await asyncio.sleep(1)


def _session() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
    return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None), read_bufsize=2**18)
