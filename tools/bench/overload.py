"""Twice as many people as can be served: what they get, what the refused are told, and who gets more than others."""

import asyncio
import math
import statistics
import time
from collections import Counter, deque
from dataclasses import dataclass, field

import aiohttp

from bench import ask, load, metered, script
from bench.bench import Bench
from bench.report import percentile
from bench.servers import say, upstream
from bench.systems import System, yunliao

TOKENS, FIRST, GAP = 50, 0.2, 0.02
LENGTH = FIRST + TOKENS * GAP
RISE = 1.4
KEEPS_UP = 0.9
"""Of what is offered, so much must come out for a rate to count as served."""
EVERY = 15.0
"""Seconds between two questions of one person: within the default rate limit of five a minute."""
QUEUE = 0.25
"""As long is the queue, in parts of the places: who waits in it is answered no sooner than who is told when to come
back, and costs a little, so it only has to cover the time until those come."""
GREEDY = "greedy"
TIMES = 10
"""So many times the demand of everybody else is one person's."""
RETURN = 5.0
"""Seconds after which somebody comes back who was not told when."""
CHECKS = 600
"""Calls of the content check a minute, in the part where they are the bound: WeChat's own 4,000 would take a larger
load to be reached."""
COUNTED = 72
"""Seconds over which the service counts them (yunliao/domain/quota.py)."""
PROBES = 20
"""Questions in the seconds after the load, two a second."""


@dataclass
class Step:
    """One rate of arrival, in answers a second."""

    rate: float
    goodput: float
    first: list[float]
    lost: int
    length: float
    calls: float = 0.0
    """Content checks for each answer."""


async def step(system: System, rate: float, seconds: float, tokens: int, offset: int, strangers: float = 0) -> Step:
    """Goodput: over the time in which people came, or until the last answer was whole, if it came later than it had to
    (a crowd that waits is no served one)."""
    result = await load.arriving(system, rate=rate, seconds=seconds, tokens=tokens, offset=offset, strangers=strangers)
    if result.wrong:
        say(f"wrong or lost: {result.wrong}")
    if not result.done:
        return Step(rate, 0, [], result.lost, LENGTH)
    late = max(result.done) - result.began - FIRST - tokens * GAP
    goodput = len(result.done) / max(seconds, late)
    return Step(rate, goodput, result.first, result.lost, statistics.median(result.whole))


async def capacity(system: System, bench: Bench, tokens: int) -> list[Step]:
    """Ever higher rates, until no more comes out for more going in."""
    scale, steps, rate = bench.scale, list[Step](), bench.scale.least_rate
    await load.closed(
        system, people=10, answers=20, tokens=tokens, spread=1, offset=script.WARM
    )  # what the first ones load is not counted
    while rate <= scale.largest_rate:
        before = _checks(system)
        steps.append(await step(system, rate, scale.step, tokens, (len(steps) + 1) * 1_000_000, scale.strangers))
        steps[-1].calls = (_checks(system) - before) / max(1, round(rate * scale.step))
        say(f"capacity: {rate:.0f} a second asked, {steps[-1].goodput:.1f} answered")
        if steps[-1].goodput < KEEPS_UP * rate or steps[-1].lost:
            break
        rate *= RISE
    return steps


def _checks(system: System) -> float:
    return metered.total(metered.scrape(system.url), "yunliao_moderation_seconds_count")


@dataclass
class Tally:
    """What became of everybody."""

    asked: int = 0
    done: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    by_person: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    untold: int = 0
    """Refused for want of room without being told when to come back."""
    statuses: Counter[int] = field(default_factory=Counter)
    returned: int = 0
    admitted: int = 0
    """Of those who `returned` when they were told to."""
    late_returned: int = 0
    late_admitted: int = 0
    """The same, of those who came back when the load was over."""
    wrong: Counter[str] = field(default_factory=Counter)


class Crowd:
    """Everybody at one system; `over` is when the load ends."""

    def __init__(self, web: aiohttp.ClientSession, system: System, over: float) -> None:
        self.web, self.system, self.over = web, system, over
        self.tally = Tally()
        self._numbers = 0

    async def attempt(self, person: str) -> ask.Refused | None:
        """One question; why not, if it was refused."""
        self._numbers += 1
        number, tally = self._numbers, self.tally
        tally.asked += 1
        began = time.monotonic()
        try:
            async with asyncio.timeout(load.PATIENCE):
                heard = await ask.sse(self.web, self.system.url, number, person)
            if heard.text != script.answer(number, TOKENS):
                tally.wrong["another text"] += 1
                return None
            tally.done.append(time.monotonic())
            tally.first.append(heard.updates[0] - began)
            tally.by_person[person] += 1
        except ask.Refused as refused:
            return refused
        except ask.WrongAnswer as wrong:
            tally.wrong[str(wrong)] += 1
        except (aiohttp.ClientError, TimeoutError, OSError) as lost:
            tally.wrong[type(lost).__name__] += 1
        return None

    async def visit(self, person: str) -> None:
        """Ask; refused, come back once when told to."""
        refused = await self.attempt(person)
        if refused is None:
            return
        self.note(refused)
        await asyncio.sleep(refused.retry_after or RETURN)
        late = time.monotonic() > self.over
        again = await self.attempt(person)
        self.tally.returned += 1
        self.tally.admitted += again is None
        self.tally.late_returned += late
        self.tally.late_admitted += late and again is None
        if again is not None:
            self.note(again)

    async def insist(self, person: str) -> None:
        """Ask; whatever is said, ask again at the next turn."""
        refused = await self.attempt(person)
        if refused is not None:
            self.tally.refused[f"{refused} (the greedy one)"] += 1

    def note(self, refused: ask.Refused) -> None:
        """Count a refusal."""
        self.tally.refused[str(refused)] += 1
        self.tally.statuses[refused.status] += 1
        self.tally.untold += refused.retry_after is None


async def storm(system: System, rate: float, seconds: float) -> tuple[Tally, float, list[float], int]:
    """`rate` people a second, and one who asks ten times as often as each of them. The tally, when the load began, the
    first texts of probes after its end (NaN: refused), and how many people there were."""
    people = [f"o{number}" for number in range(max(2, round(rate * min(EVERY, seconds))))]
    async with load.session() as web:
        probes = [f"p{number}" for number in range(PROBES)]
        await load.agree(web, system, [*people, *probes, GREEDY])
        began = time.monotonic()
        crowd = Crowd(web, system, began + seconds)
        turn, tasks = deque(people), []

        async def arrivals() -> None:
            for number in range(round(rate * seconds)):
                await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
                tasks.append(asyncio.create_task(crowd.visit(turn[0])))
                turn.rotate(-1)

        async def greedy() -> None:
            pause = min(EVERY, seconds) / TIMES
            for number in range(int(seconds / pause)):
                await asyncio.sleep(max(0.0, began + number * pause - time.monotonic()))
                tasks.append(asyncio.create_task(crowd.insist(GREEDY)))

        await asyncio.gather(arrivals(), greedy())
        tally = crowd.tally
        first = await asyncio.gather(*(_probe(web, system, probes[place], place / 2) for place in range(PROBES)))
        await asyncio.gather(*tasks)
    return tally, began, list(first), len(people)


async def _probe(web: aiohttp.ClientSession, system: System, person: str, wait: float) -> float:
    await asyncio.sleep(wait)
    try:
        heard = await ask.sse(web, system.url, 1, person)
    except (ask.WrongAnswer, aiohttp.ClientError, OSError):
        return math.nan
    return heard.updates[0] - heard.asked


def overload(bench: Bench) -> None:
    """Find what can be served; then offer twice that to a service that is told its bound."""
    scale = bench.scale
    with upstream(tokens=TOKENS, first=FIRST, gap=GAP) as ports:
        with yunliao(bench.folder / "capacity", "sse", bench.store_url, "capacity") as system:
            system.start(*ports)
            steps = asyncio.run(capacity(system, bench, TOKENS))
        best = max(steps, key=lambda one: one.goodput)
        places = max(2, math.ceil(best.goodput * steps[0].length))
        queue = math.ceil(places * QUEUE)
        bound = {"YUNLIAO_MAX_LIVE": str(places), "YUNLIAO_MAX_QUEUE": str(queue)}
        found = _storm(bench, ports, "overload", bound, 2 * best.goodput, scale.overload)
        bench.figures["overload goodput"] = _goodput(*found[:2], scale.overload) / best.goodput
        said = {"places, and in the queue": f"{places}, {queue}"}
        rows = ["| asked a second | answered a second | first text p50, ms | p99 | lost |", "|---|---|---|---|---|"]
        for one in steps:
            first = " | ".join(f"{1000 * percentile(one.first, share):,.0f}" for share in (0.5, 0.99))
            rows.append(f"| {one.rate:.0f} | {one.goodput:.1f} | {first} | {one.lost} |")
        usual = 1.5 * percentile(steps[0].first, 0.99)
        rows += ["", "| at twice what the machine can do | |", "|---|---|"]
        rows += report(said, best.goodput, places, scale.overload, usual, *found)
        if scale.quota:
            calls = best.calls
            most = CHECKS / COUNTED / calls
            bound = {"YUNLIAO_CHECKS_PER_MINUTE": str(CHECKS)}
            found = _storm(bench, ports, "quota", bound, 2 * most, scale.quota)
            said = {"checks a minute, and for each answer": f"{CHECKS}, {calls:.1f}"}
            rows += ["", "| at twice what the quota of checks allows | |", "|---|---|"]
            rows += report(said, most, 200, scale.quota, usual, *found)
    bench.tables["overload"] = rows


def _storm(
    bench: Bench, ports: tuple[int, int], name: str, bound: dict[str, str], rate: float, seconds: float
) -> tuple[Tally, float, list[float], int]:
    """`storm` on a service with these settings and the default rate limit."""
    system = yunliao(bench.folder / name, "sse", bench.store_url, name)
    system.env |= {**bound, "YUNLIAO_RATE_LIMIT": "5/minute"}
    with system:
        system.start(*ports)
        asyncio.run(load.closed(system, people=5, answers=5, tokens=TOKENS, spread=0, offset=script.WARM))
        say(f"{name}: {rate:.1f} a second for {seconds:g} s")
        found = asyncio.run(storm(system, rate, seconds))
    bench.right += len(found[0].done)
    bench.wrong += sum(found[0].wrong.values())
    return found


def _goodput(tally: Tally, began: float, seconds: float) -> float:
    """Answers a second, in as long a time as people came, from when the first of them could be whole."""
    since = began + LENGTH
    return sum(1 for moment in tally.done if since <= moment <= since + seconds) / seconds


def report(
    said: dict[str, str], best: float, places: int, seconds: float, usual: float,
    tally: Tally, began: float, probes: list[float], people: int,
) -> list[str]:  # fmt: skip
    """Markdown rows: what happened at twice the `best`. `usual`: seconds within which a first text is as usual."""
    goodput = _goodput(tally, began, seconds)
    others = [tally.by_person[f"o{number}"] for number in range(people)]
    greedy = tally.by_person[GREEDY]
    share = 100 * greedy / max(1, len(tally.done))
    refusals = ", ".join(f"{count} × {what}" for what, count in sorted(tally.refused.items())) or "none"
    normal = next((place / 2 for place in range(len(probes)) if all(one <= usual for one in probes[place:])), None)
    after = "refused" if math.isnan(probes[0]) else f"{1000 * probes[0]:,.0f} ms"
    lost = ", ".join(f"{count} × {what}" for what, count in tally.wrong.items())
    lines = said | {
        "asked in all, comebacks included": f"{tally.asked:,}",
        "answered a second, and over the best": f"{goodput:.1f}, {100 * goodput / best:.0f} %",
        "first text p50 and p99, ms": ", ".join(f"{1000 * percentile(tally.first, s):,.0f}" for s in (0.5, 0.99)),
        "refused": refusals,
        "of them without `retry_after`": f"{tally.untold}",
        "came back when told to; admitted then": f"{tally.returned}; {_part(tally.admitted, tally.returned)}",
        "of them after the load was over": f"{tally.late_returned}; {_part(tally.late_admitted, tally.late_returned)}",
        f"answers of the one who asked {TIMES} times as often": f"{greedy} ({share:.2f} % of all; one of "
        f"{places} places is {100 / places:.2f} %)",
        f"answers of each of the {people:,} others": f"{statistics.mean(others):.2f} on average, at most {max(others)}",
        "first text of a question asked when the load ended": after,
        "first text as usual again": "not within ten seconds" if normal is None else f"{normal:.1f} s after the end",
        "wrong, failed or lost": lost or "0",
    }
    return [f"| {name} | {told} |" for name, told in lines.items()]


def _part(some: int, of: int) -> str:
    return f"{100 * some / of:.0f} %" if of else "nobody"
