"""One screen following one turn to its end over changing transports, with disconnects and hides."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time

from chaos.phone import Lost, Phone, Refused
from chaos.records import Event, View

WAYS = ("poll", "socket", "sse")
HIDE = 0.12
"""Chance that a screen goes away for a while after it has read a little."""


class Screen:
    """Fills a `View`. `gone` is set when the campaign gives up waiting for ends."""

    def __init__(self, phone: Phone, view: View, chance: random.Random, gone: asyncio.Event) -> None:
        self.phone, self.view, self.chance, self.gone = phone, view, chance, gone

    @property
    def cursor(self) -> int:
        """The number of the last event seen."""
        return int(self.view.events[-1]["seq"]) if self.view.events else 0

    @property
    def ended(self) -> bool:
        """Whether the terminal event was seen."""
        return bool(self.view.events) and self.view.events[-1]["type"] == "end"

    async def follow(self) -> None:
        """Read to the terminal event, whatever happens on the way; never raises for it."""
        while not self.ended and not self.gone.is_set():
            way = self.chance.choice(WAYS)
            self.view.ways.append(way)
            budget = self.chance.choice((1, 3, 10, 30, 1000))
            try:
                await getattr(self, "_" + way)(budget)
            except Lost:
                await asyncio.sleep(self.chance.uniform(0.1, 0.8))
            except Refused as refused:
                if not refused.retryable:
                    self.view.refused = refused.code
                    return
                await asyncio.sleep(self.chance.uniform(0.3, 1.0))
            if not self.ended and self.chance.random() < HIDE:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.gone.wait(), self.chance.uniform(0.5, 9.0))

    def take(self, events: list[Event]) -> None:
        """What came, as it came: the verdict looks for gaps and repetitions, not this."""
        self.view.events += events

    async def _poll(self, budget: int) -> None:
        for _ in range(min(budget, 10)):
            answer = await self.phone.poll(self.view.turn, self.cursor, self.chance.choice((0, 1, 5)))
            self.take(answer["events"])
            if not answer["live"] and not self.ended:
                raise Refused(0, {"code": "not live without an end"})
            if self.ended:
                return
            await asyncio.sleep(0.1)

    async def _sse(self, budget: int) -> None:
        async with contextlib.aclosing(self.phone.sse(self.view.turn, self.cursor)) as events:
            async for event in events:
                self.take([event])
                budget -= 1
                if self.ended or budget <= 0:
                    return

    async def _socket(self, budget: int) -> None:
        async with self.phone.socket() as socket:
            await socket.put({"op": "resume", "turn": self.view.turn, "after": self.cursor})
            pinged = time.monotonic()
            while not self.ended and budget > 0 and not self.gone.is_set():
                frame = await socket.take(12.0)
                if frame["op"] == "event" and frame["turn"] == self.view.turn:
                    self.take([frame["event"]])
                    budget -= 1
                elif frame["op"] == "error":
                    raise Refused(0, frame["error"])
                if time.monotonic() - pinged > 5:
                    pinged = time.monotonic()
                    await socket.put({"op": "ping", "t": 1})
            socket.rude = self.chance.random() < 0.5
