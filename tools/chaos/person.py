"""One simulated user: asks, listens on one or two screens, stops, asks again, edits, sends twice, tries others' ids."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any

from chaos import tale
from chaos.phone import Lost, Phone, Refused
from chaos.records import Sent, View
from chaos.screen import Screen
from chaos.stage import Stage

PATIENCE = 120.0
"""Seconds a user keeps sending the same message again before giving up."""
UNFINISHED = ("stopped", "failed", "length")


class Person:
    """Acts until `stage.closing`, then lets every screen reach its end."""

    def __init__(self, stage: Stage, number: int) -> None:
        self.stage = stage
        self.number = number
        self.name = f"u{number:02d}"
        self.chance = random.Random(f"{stage.seed}/user/{number}")
        self.phone = Phone(stage.session, stage.url, self.name)
        self.conversations: list[str] = []
        self.last: dict[str, tuple[str, str, Sent, str]] = {}
        """Per conversation its newest turn, how it ended, the message, and the message's id."""
        self.sends = 0
        self.screens: set[asyncio.Task[None]] = set()

    async def live(self) -> None:
        """A life: think, act, listen."""
        await asyncio.sleep(self.chance.uniform(0, 4))
        await self.phone.agree()
        while not self.stage.closing.is_set():
            await self._act()
            if self.chance.random() < 0.25:
                await self._probe()
            await self.stage.pause(self.chance.uniform(0.3, 4.0))
        if self.screens:
            await asyncio.gather(*self.screens)

    # --- one exchange ---------------------------------------------------------------------------------------------

    async def _act(self) -> None:
        sent, deliver = self._intent()
        self.stage.sent(sent)
        answer = await self._insist(sent, deliver)
        if answer is None:
            return
        turn = answer["turn"]["id"]
        conversation = sent.conversation = answer["turn"]["conversation_id"]
        if conversation not in self.conversations:
            self.conversations.append(conversation)
        self.stage.known(self.name, turn, conversation)
        screens = [self._screen(turn, f"{sent.client_id}/a", answer.get("events", []))]
        if self.chance.random() < 0.3:
            screens.append(self._screen(turn, f"{sent.client_id}/b", []))
        tasks = [asyncio.create_task(screen.follow()) for screen in screens]
        self.screens.update(tasks)
        for task in tasks:
            task.add_done_callback(self.screens.discard)
        if self.chance.random() < 0.15:
            await self._stop(sent, turn)
        if self.chance.random() < 0.1:
            self.last.pop(conversation, None)
            return  # goes on without waiting; the screens read on by themselves
        await asyncio.gather(*tasks)
        end = screens[0].view.events[-1] if screens[0].ended else {}
        message = screens[0].view.events[0]["user_message_id"] if end else ""
        self.last[conversation] = (turn, end.get("reason", ""), sent, message)

    def _intent(self) -> tuple[Sent, Callable[[Sent], Any]]:
        """What to do next, and how to deliver it."""
        self.sends += 1
        client_id = f"{self.name}-{self.sends:04d}-{self.stage.seed}"
        now = int(time.time() * 1000)
        conversation = self.chance.choice([*self.conversations[-3:], ""]) if self.conversations else ""
        turn, reason, before, message = self.last.get(conversation, ("", "", None, ""))
        way = self.chance.random()
        if before is not None and turn and way < 0.35:
            if reason in UNFINISHED and way < 0.25:
                sent = Sent(self.name, client_id, "continue", "", before.marker, now, conversation=conversation)
                return sent, lambda sent: self._again(sent, turn, "continue")
            if way < 0.3 and reason != "blocked":
                sent = Sent(self.name, client_id, "regenerate", "", before.marker, now, conversation=conversation)
                return sent, lambda sent: self._again(sent, turn, "regenerate")
        marker = f"[{self.name}-{self.sends:04d}]"
        text = tale.question(self.chance, marker)
        sent = Sent(self.name, client_id, "send", text, marker, now, conversation=conversation)
        body = {"client_id": client_id, "text": text, "model": self.chance.choice(self.stage.models)}
        if conversation:
            body["conversation_id"] = conversation
        if before is not None and before.kind == "send" and message and way < 0.42:
            body["replaces"] = message  # edit and resend: the old question and its answer leave the history
            before.replaced = True
        how = self.chance.random()
        if how < 0.3:
            return sent, lambda sent: self._by_socket(sent, body)
        if how < 0.5:
            return sent, lambda sent: self._twice(sent, body)
        return sent, lambda sent: self._post(sent, body)

    async def _insist(self, sent: Sent, deliver: Callable[[Sent], Any]) -> dict[str, Any] | None:
        """Deliver again and again with the same client id, as the mini-program does; None when it was refused."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and not self.stage.over.is_set():
            try:
                answer: dict[str, Any] = await deliver(sent)
                self._told(sent, answer)
                self.stage.note("accepted", user=self.name, client_id=sent.client_id, turn=answer["turn"]["id"])
                return answer
            except Lost:
                pass
            except Refused as refused:
                self.stage.refused(refused, sent.client_id)
                if not refused.retryable:
                    sent.refused = refused.code
                    return None
            if self.stage.closing.is_set() and not sent.told:
                break
            await asyncio.sleep(self.chance.uniform(0.2, 1.2))
        sent.refused = "given up"
        return None

    def _told(self, sent: Sent, answer: dict[str, Any]) -> None:
        sent.told.append(answer["turn"]["id"])
        sent.conversation = answer["turn"]["conversation_id"]

    # --- ways of sending --------------------------------------------------------------------------------------------

    async def _post(self, sent: Sent, body: dict[str, Any]) -> dict[str, Any]:
        wait = self.chance.choice((0, 0, 1, 4))
        answer: dict[str, Any] = (await self.phone.call("POST", f"/v1/turns?wait={wait}", body))[1]
        if self.chance.random() < 0.05:
            await self._conflict(sent, body)
        return answer

    async def _twice(self, sent: Sent, body: dict[str, Any]) -> dict[str, Any]:
        """A double tap: both deliveries at once."""
        both = await asyncio.gather(
            *(self.phone.call("POST", "/v1/turns?wait=0", body) for _ in range(2)), return_exceptions=True
        )
        answers = [one[1] for one in both if not isinstance(one, BaseException)]
        if not answers:
            raise next(one for one in both if isinstance(one, BaseException))
        for answer in answers[1:]:
            self._told(sent, answer)
        first: dict[str, Any] = answers[0]
        return first

    async def _by_socket(self, sent: Sent, body: dict[str, Any]) -> dict[str, Any]:
        async with self.phone.socket() as socket:
            await socket.put({"op": "send", **body})
            frame = await socket.take(15.0)
            while frame.get("op") not in ("turn", "error"):
                frame = await socket.take(15.0)
            socket.rude = True
            if frame["op"] == "error":
                raise Refused(0, frame["error"])
            return {"turn": frame["turn"], "events": []}

    async def _again(self, sent: Sent, turn: str, verb: str) -> dict[str, Any]:
        path = f"/v1/turns/{turn}/{verb}?wait=0"
        answer: dict[str, Any] = (await self.phone.call("POST", path, {"client_id": sent.client_id}))[1]
        return answer

    async def _conflict(self, sent: Sent, body: dict[str, Any]) -> None:
        """The same client id with another text must be refused."""
        self.stage.evidence.probes += 1
        try:
            await self.phone.call("POST", "/v1/turns?wait=0", {**body, "text": "另一句话"})
            self.stage.evidence.conflicts.append(f"{self.name} {sent.client_id}: another text was taken")
        except Lost:
            pass
        except Refused as refused:
            self.stage.refused(refused, sent.client_id)

    # --- around it ----------------------------------------------------------------------------------------------------

    def _screen(self, turn: str, name: str, events: list[dict[str, Any]]) -> Screen:
        view = View(self.name, turn, name, list(events), ["post"] if events else [])
        self.stage.evidence.views.append(view)
        return Screen(self.phone, view, random.Random(f"{self.stage.seed}/screen/{name}"), self.stage.over)

    async def _stop(self, sent: Sent, turn: str) -> None:
        await asyncio.sleep(self.chance.uniform(0.2, 5.0))
        for _ in range(20):
            try:
                answer = (await self.phone.call("POST", f"/v1/turns/{turn}/stop", {}))[1]
                if answer["turn"]["state"] != "ended":
                    sent.stopped_at = int(time.time() * 1000)
                return
            except Lost:
                await asyncio.sleep(0.3)
            except Refused as refused:
                self.stage.refused(refused, sent.client_id)
                if not refused.retryable:
                    return
                await asyncio.sleep(0.5)

    async def _probe(self) -> None:
        """Try to reach what belongs to somebody else (P1)."""
        other = self.stage.somebody(self.name, self.chance)
        if other is None:
            return
        turn, conversation = other
        method, path, body = self.chance.choice(
            (
                ("GET", f"/v1/turns/{turn}/events?after=0&wait=0", None),
                ("POST", f"/v1/turns/{turn}/stop", {}),
                ("POST", f"/v1/turns/{turn}/regenerate", {"client_id": f"probe-{self.sends:04d}-{self.name}"}),
                ("GET", f"/v1/conversations/{conversation}/messages", None),
                ("GET", f"/v1/conversations/{conversation}", None),
                ("DELETE", f"/v1/conversations/{conversation}", None),
            )
        )
        self.stage.evidence.probes += 1
        try:
            status, _ = await self.phone.call(method, path, body)
            self.stage.evidence.reached.append(f"{self.name} reached {method} {path}: {status}")
        except Lost:
            pass
        except Refused as refused:
            self.stage.refused(refused, path)
