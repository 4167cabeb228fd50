"""What all users of a campaign share: the address, the clock of the play, the evidence, the journal."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from pathlib import Path
from typing import Any

import aiohttp

from chaos.phone import Refused
from chaos.records import Evidence, Sent

MODELS = ("demo-chat", "demo-chat", "demo-chat", "demo-reasoner")


class Stage:
    """`closing`: no new messages. `over`: nobody waits any longer."""

    def __init__(self, seed: str, url: str, session: aiohttp.ClientSession, folder: Path) -> None:
        self.seed, self.url, self.session = seed, url, session
        self.models = MODELS
        self.evidence = Evidence(seed)
        self.closing = asyncio.Event()
        self.over = asyncio.Event()
        self.accepted = 0
        self.began = time.monotonic()
        self.codes: dict[str, int] = {}
        self._known: list[tuple[str, str, str]] = []
        self._journal = open(folder / "journal.jsonl", "a", encoding="utf-8")  # noqa: SIM115 - open as long as the play

    def note(self, what: str, **facts: Any) -> None:
        """A line of the journal."""
        if what == "accepted":
            self.accepted += 1
        line = {"t": round(time.monotonic() - self.began, 3), "what": what, **facts}
        self._journal.write(json.dumps(line, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Write the journal out."""
        self._journal.close()

    def sent(self, sent: Sent) -> None:
        """A message is about to be sent."""
        self.evidence.sent.append(sent)
        self.note("sends", user=sent.user, client_id=sent.client_id, kind=sent.kind)

    def refused(self, refused: Refused, about: str) -> None:
        """The service said no; a fault of its own is evidence."""
        self.codes[refused.code] = self.codes.get(refused.code, 0) + 1
        self.note("refused", about=about, code=refused.code, status=refused.status)
        if refused.code == "internal" or (refused.status >= 500 and not refused.retryable):
            self.evidence.faults.append(f"{refused.status} {refused.code} for {about}")

    def known(self, user: str, turn: str, conversation: str) -> None:
        """A turn that others may try to reach."""
        self._known.append((user, turn, conversation))
        del self._known[:-500]

    def somebody(self, name: str, chance: random.Random) -> tuple[str, str] | None:
        """A turn and a conversation that are not `name`'s."""
        others = [(turn, conversation) for user, turn, conversation in self._known if user != name]
        return chance.choice(others) if others else None

    async def pause(self, seconds: float) -> None:
        """Wait, unless the play is closing."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.closing.wait(), seconds)
