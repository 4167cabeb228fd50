"""Ordinary use for a long time: what lives in the service is counted every minute, and again when all have gone."""

import asyncio
import contextlib
import itertools
import os
import pathlib
import signal
import statistics
import time
from collections import deque
from collections.abc import Callable
from dataclasses import astuple, dataclass

import aiohttp

from bench import ask, load, metered, overload
from bench.bench import Bench
from bench.servers import say, upstream
from bench.systems import System, yunliao

TOKENS, FIRST, GAP = 200, 0.2, 0.02
KINDS = ("kept socket", "socket", "sse", "poll")
LEAVES = 20
"""One in so many does not stay for the answer."""
REST = 12.0
"""Seconds until somebody who left may ask again: longer than an answer."""
SETTLE = 90.0
"""Longest wait, in seconds, for everything to come to rest when nobody asks any more."""
STEADY = 2 / 3
"""The last part of the time, over which the slope is taken: the first fills pools and caches."""


@dataclass(frozen=True)
class Moment:
    """Of the service after `minutes`: megabytes, and counts."""

    minutes: float
    answers: int
    rss: float
    own: float
    files: int
    threads: int
    greenlets: int
    objects: int
    live: int
    listeners: int
    leases: int
    connections: int


HEAD = ("minute", "answers", "RSS, MB", "its own, MB", "open files", "threads", "greenlets", "Python objects")
HEAD += ("live turns", "listeners", "leases in the store", "connections of mongod")


def prepare(system: System) -> None:
    """Before its start: let it be counted from within."""
    system.folder.mkdir(parents=True, exist_ok=True)
    system.config = str(pathlib.Path(__file__).with_name("counted.conf.py"))
    system.env["BENCH_COUNT"] = str(system.folder / "count")


def moment(system: System, store_url: str, minutes: float, answers: int) -> Moment:
    """Count everything."""
    assert system.process is not None
    counted = system.folder / "count"
    counted.unlink(missing_ok=True)
    for pid in system.process.tree():
        if pid != system.process.process.pid:
            os.kill(pid, signal.SIGUSR2)
    until = time.monotonic() + 30
    while not counted.exists():
        if time.monotonic() > until:
            raise TimeoutError("the worker did not count")
        time.sleep(0.02)
    greenlets, objects = map(int, counted.read_text().split())
    census = system.process.census()
    said = metered.scrape(system.url)
    leases, connections = metered.leases(store_url)
    live, listeners = (int(metered.total(said, f"yunliao_{name}")) for name in ("live_turns", "listeners"))
    return Moment(
        minutes, answers, census.rss / 1e6, census.own / 1e6, census.files, census.threads, greenlets, objects,
        live, listeners, leases, connections,
    )  # fmt: skip


@dataclass
class Person:
    """Somebody who asks in one way."""

    name: str
    kind: str
    talk: load.Asker


class Crowd:
    """People who take turns at asking, so that each has one question open at most."""

    def __init__(self, system: System, session: aiohttp.ClientSession, people: int, tokens: int) -> None:
        kinds = itertools.islice(itertools.cycle(KINDS), people)
        ways = {"poll": ask.poll, "sse": ask.sse}
        self._idle = deque(Person(f"s{n}", kind, ways.get(kind) or ask.Socket()) for n, kind in enumerate(kinds))
        self._system, self._session, self._tokens = system, session, tokens
        self.result = load.Result()
        self.left = 0

    async def agree(self) -> None:
        """All of them."""
        await load.agree(self._session, self._system, [person.name for person in self._idle])

    async def ask(self, number: int) -> None:
        """Whoever waits longest asks."""
        if not self._idle:
            self.result.failed("nobody was free")
            return
        person = self._idle.popleft()
        if number % LEAVES == 0:
            with contextlib.suppress(TimeoutError, ask.WrongAnswer, aiohttp.ClientError):
                async with asyncio.timeout(1):
                    await person.talk(self._session, self._system.url, number, person.name)
            self.left += 1
            await self._close(person)
            await asyncio.sleep(REST)
        else:
            await load.one(person.talk, self._session, self._system, number, person.name, self._tokens, self.result)
            if person.kind != "kept socket":
                await self._close(person)
        self._idle.append(person)

    async def close(self) -> None:
        """Everybody goes."""
        for person in self._idle:
            await self._close(person)

    async def _close(self, person: Person) -> None:
        if isinstance(person.talk, ask.Socket):
            await person.talk.close()


def part(bench: Bench, minutes: float, rate: float | None) -> None:
    """The table; without a `rate`, at half of what `overload.capacity` finds here."""
    with upstream(tokens=TOKENS, first=FIRST, gap=GAP) as ports:
        if rate is None:
            with yunliao(bench.folder / "soak-capacity", "sse", bench.store_url, "soak_capacity") as system:
                system.start(*ports)
                steps = asyncio.run(overload.capacity(system, bench, TOKENS))
            rate = max(one.goodput for one in steps) / 2
        system = yunliao(bench.folder / "soak", "socket", bench.store_url, "soak")
        prepare(system)
        with system:
            system.start(*ports)
            store_url = system.env["YUNLIAO_STORE_URL"]
            told = asyncio.run(soak(system, store_url, rate=rate, minutes=minutes, tokens=TOKENS, say=say))
    moments, result, left = told
    bench.right, bench.wrong = bench.right + result.answers, bench.wrong + result.lost
    bench.tables["soak"] = table(moments, result, left, rate)


async def soak(
    system: System, store_url: str, *, rate: float, minutes: float, tokens: int, say: Callable[[str], None]
) -> tuple[list[Moment], load.Result, int]:
    """Moments, the first before the load and the last after it came to rest; the answers; how many left early."""
    async with load.session() as session:
        crowd = Crowd(system, session, people=max(8, int(rate * (REST + 8))), tokens=tokens)
        moments = [await asyncio.to_thread(moment, system, store_url, 0, 0)]
        await crowd.agree()
        began, asked = time.monotonic(), set()
        every = 60.0 if minutes >= 5 else minutes * 60 / 5
        for number in range(1, int(rate * minutes * 60) + 1):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            one = asyncio.create_task(crowd.ask(number))
            asked.add(one)
            one.add_done_callback(asked.discard)
            if time.monotonic() - began >= every * len(moments):
                passed = (time.monotonic() - began) / 60
                moments.append(await asyncio.to_thread(moment, system, store_url, passed, crowd.result.answers))
                say(f"minute {passed:.1f} of {minutes:g}: {moments[-1]} wrong {crowd.result.wrong}")
        await asyncio.gather(*asked)
        await crowd.close()
    moments.append(await _rested(system, store_url, began, crowd.result.answers))
    return moments, crowd.result, crowd.left


async def _rested(system: System, store_url: str, began: float, answers: int) -> Moment:
    until = time.monotonic() + SETTLE
    while True:
        found = await asyncio.to_thread(moment, system, store_url, (time.monotonic() - began) / 60, answers)
        if not (found.live or found.listeners or found.leases) or time.monotonic() > until:
            return found
        await asyncio.sleep(2)


def slope(moments: list[Moment]) -> float:
    """Megabytes an hour by which its own memory grew over the last part of the load (least squares)."""
    under_load = moments[1:-1]
    last = [one for one in under_load if one.minutes >= under_load[-1].minutes * (1 - STEADY)]
    if len(last) < 2:
        return float("nan")
    return 60 * statistics.linear_regression([one.minutes for one in last], [one.own for one in last]).slope


def table(moments: list[Moment], result: load.Result, left: int, rate: float) -> list[str]:
    """Markdown: ten of the moments at most, and what they say."""
    shown = moments[1:-1]
    step = max(1, len(shown) // 8)
    rows = ["| " + " | ".join(HEAD) + " |", "|---" * len(HEAD) + "|"]
    for one in [moments[0], *shown[step - 1 :: step], moments[-1]]:
        cells = [f"{one.minutes:.1f}", *(f"{value:,.0f}" for value in astuple(one)[1:])]
        rows.append("| " + " | ".join(cells) + " |")
    first, last = moments[0], moments[-1]
    over = {"live turns": last.live, "listeners": last.listeners, "leases": last.leases}
    kept = ", ".join(f"{count} {name}" for name, count in over.items())
    rows += [
        "",
        f"{rate:g} answers a second, {result.answers:,} right, {result.lost} wrong or lost, {left} left early. Its own "
        f"memory over the last two thirds: {slope(moments):+.1f} MB an hour. Left over when all had gone: {kept}; "
        f"open files {first.files} before and {last.files} after, greenlets {first.greenlets} and {last.greenlets}.",
    ]
    return rows
