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
ASKED_TO_AGREE = ("poll", "sse", "socket")
GROUP = 50
"""People who agree at once."""
PATIENCE = 120.0
"""Seconds after which an answer counts as lost."""


@dataclass
class Result:
    """Of one round: seconds everywhere."""

    answers: int = 0
    wrong: dict[str, int] = field(default_factory=dict)
    first: list[float] = field(default_factory=list)
    window: list[float] = field(default_factory=list)
    """Until the first `ask.WINDOW` characters had come."""
    gaps: list[float] = field(default_factory=list)
    updates: int = 0
    began: float = 0.0
    seconds: float = 0.0
    cpu: float = 0.0
    memory_idle: int = 0
    memory_busy: int = 0
    done: list[float] = field(default_factory=list)
    """Moments at which an answer was whole."""
    whole: list[float] = field(default_factory=list)
    """Until it was."""
    opened: int = 0
    opening: float = 0.0
    """Sockets that were opened before the count began, and the processor seconds of the system for that."""

    def count(self, heard: Heard, expected: str, since: float | None = None) -> None:
        """Take one answer in, if it is the right one; times count `since` it was to be asked."""
        if heard.text != expected:
            self.failed("another text")
            return
        self.answers += 1
        self.done.append(time.monotonic())
        asked = heard.asked if since is None else since
        self.first.append(heard.updates[0] - asked)
        self.whole.append(heard.updates[-1] - asked)
        self.window.append((heard.window or heard.updates[-1]) - asked)
        self.gaps += [after - before for before, after in zip(heard.updates, heard.updates[1:], strict=False)]
        self.updates += len(heard.updates)

    def failed(self, how: str) -> None:
        """One answer was lost or wrong."""
        self.wrong[how] = self.wrong.get(how, 0) + 1

    @property
    def cpu_per_1000(self) -> float:
        """Processor seconds of the system for 1,000 answers."""
        return self.cpu / self.answers * 1000 if self.answers else float("inf")

    @property
    def opening_per_1000(self) -> float:
        """The same for opening 1,000 sockets."""
        return self.opening / self.opened * 1000 if self.opened else 0.0

    @property
    def lost(self) -> int:
        """Answers that did not come, or were wrong."""
        return sum(self.wrong.values())


def asker(kind: str) -> Asker:
    """How a system of that kind is asked; a socket is one person's own."""
    found: dict[str, Asker] = {"openai": ask.openai, "chat": ask.chat, "poll": ask.poll, "sse": ask.sse}
    return found.get(kind) or ask.Socket()


async def agree(web: aiohttp.ClientSession, system: System, people: list[str]) -> None:
    """Everybody accepts the agreement, a few at a time: it is not what is measured."""
    if system.kind in ASKED_TO_AGREE:
        for start in range(0, len(people), GROUP):
            await asyncio.gather(*(ask.agree(web, system.url, name) for name in people[start : start + GROUP]))


async def _open(web: aiohttp.ClientSession, system: System, people: list[str], result: Result) -> list[Asker]:
    """How each of them asks; sockets are open then, as on a phone that shows the chat."""
    talks = [asker(system.kind) for _ in people]
    cpu = system.process.cpu() if system.process else 0.0
    for talk, person in zip(talks, people, strict=True):
        if isinstance(talk, ask.Socket):
            await talk.open(web, system.url, person)
            result.opened += 1
    result.opening = (system.process.cpu() if system.process else 0.0) - cpu
    return talks


async def closed(system: System, *, people: int, answers: int, tokens: int, spread: float, offset: int = 0) -> Result:
    """`people` at once, who begin spread over `spread` seconds, until `answers` were asked for."""
    result = Result()
    left = iter(range(offset, offset + answers))
    process = system.process  # None: the upstream itself, whose cost is nobody's
    async with session() as web:
        names = [f"{offset}x{n}" for n in range(people)]
        await agree(web, system, names)
        result.memory_idle = process.memory() if process else 0
        talks = await _open(web, system, names, result)
        cpu, began = process.cpu() if process else 0.0, time.monotonic()

        async def person(place: int) -> None:
            await asyncio.sleep(spread * place / people)
            for number in left:
                await one(talks[place], web, system, number, names[place], tokens, result)

        crowd = [asyncio.create_task(person(place)) for place in range(people)]
        watch = asyncio.create_task(_watch(system, result))
        await asyncio.gather(*crowd)
        watch.cancel()
        result.cpu, result.seconds = (process.cpu() if process else 0.0) - cpu, time.monotonic() - began
    return result


async def arriving(
    system: System, *, rate: float, seconds: float, tokens: int, offset: int = 0, strangers: float = 0
) -> Result:
    """New people at a constant rate, whatever becomes of those before. The first text counts from the moment at which
    they were to ask, so that no waiting is left out of the figures (coordinated omission). They agreed `strangers`
    seconds before the first of them asks."""
    result = Result()
    process = system.process
    async with session() as web:
        count = int(rate * seconds)
        people = [f"{offset}r{n}" for n in range(count)]
        await agree(web, system, people)
        await asyncio.sleep(strangers)
        talks = await _open(web, system, people, result)
        cpu, began = process.cpu() if process else 0.0, time.monotonic()
        crowd, result.began = [], began
        for number, (talk, person) in enumerate(zip(talks, people, strict=True)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            asking = one(talk, web, system, offset + number, person, tokens, result, due)
            crowd.append(asyncio.create_task(asking))
        await asyncio.gather(*crowd)
        result.cpu, result.seconds = (process.cpu() if process else 0.0) - cpu, time.monotonic() - began
    return result


async def one(
    talk: Asker, web: aiohttp.ClientSession, system: System, number: int, person: str, tokens: int, result: Result,
    due: float | None = None,
) -> None:  # fmt: skip
    """One answer, or what became of it, into `result`."""
    try:
        async with asyncio.timeout(PATIENCE):
            heard = await talk(web, system.url, number, person)
        result.count(heard, script.answer(number, tokens), due)
    except ask.WrongAnswer as wrong:
        result.failed(str(wrong))
    except (aiohttp.ClientError, TimeoutError, OSError) as lost:
        result.failed(type(lost).__name__)


async def _watch(system: System, result: Result) -> None:
    while system.process is not None:
        result.memory_busy = max(result.memory_busy, system.process.memory())
        await asyncio.sleep(1)


def session() -> aiohttp.ClientSession:
    """Connections without a bound, as many phones have."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
    return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None), read_bufsize=2**18)
