"""One person asks and listens: when the first text came, when each update, and the whole text, by every transport."""

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bench.script import question
from yunliao.domain.guard import GuardPolicy

WINDOW = GuardPolicy().first_chars
"""Characters of the first piece that the guard has checked: nothing can be shown before they came."""


class WrongAnswer(Exception):
    """What came is no whole answer; the text says what it was, never more than its kind."""


class Refused(WrongAnswer):
    """Not accepted: the HTTP status (0 on a socket), the code, and after how many seconds to come back (None: not
    said)."""

    def __init__(self, status: int, error: dict[str, Any]) -> None:
        super().__init__(f"{status or 'socket'} {error['code']}")
        self.status = status
        self.code: str = error["code"]
        self.retry_after: float | None = error.get("retry_after")


@dataclass
class Heard:
    """`updates`: moments (monotonic seconds) at which text came; `asked`: when the question was sent; `window`: when
    the first `WINDOW` characters were there, 0 for fewer."""

    asked: float
    updates: list[float] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    window: float = 0.0
    _characters: int = 0

    def take(self, text: str) -> None:
        """Text came now."""
        if text:
            now = time.monotonic()
            self.updates.append(now)
            self.parts.append(text)
            self._characters += len(text)
            if not self.window and self._characters >= WINDOW:
                self.window = now

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self.parts)


def headers(person: str) -> dict[str, str]:
    """What the platform's gateway would inject for this person (platform.md §3)."""
    return {"X-WX-SOURCE": "wx_client", "X-WX-OPENID": f"oBench_{person:0>20}", "X-WX-APPID": "wxbench"}


async def agree(session: aiohttp.ClientSession, url: str, person: str) -> None:
    """Accept the agreement, as everybody does once."""
    body = {"version": "latest", "overseas": True}
    async with session.put(url + "/v1/me/consent", json=body, headers=headers(person)) as answer:
        if answer.status != 200:
            raise WrongAnswer(f"consent: {answer.status}")


async def openai(session: aiohttp.ClientSession, url: str, number: int, person: str) -> Heard:
    """The upstream itself, or a bare proxy before it."""
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": question(number)}]}
    return await _completion(session, url + "/v1/chat/completions", body)


async def chat(session: aiohttp.ClientSession, url: str, number: int, person: str) -> Heard:
    """A proxy with a route of its own that hands on the upstream's lines."""
    return await _completion(session, url + "/chat", {"text": question(number)})


async def _completion(session: aiohttp.ClientSession, url: str, body: dict[str, Any]) -> Heard:
    heard = Heard(time.monotonic())
    done = False
    async with session.post(url, json=body) as answer:
        if answer.status != 200:
            raise WrongAnswer(f"status {answer.status}")
        async for line in answer.content:
            if line.startswith(b"data: [DONE]"):
                done = True
            elif line.startswith(b"data:"):
                for choice in json.loads(line[5:])["choices"]:
                    heard.take(choice["delta"].get("content") or "")
    if not done:
        raise WrongAnswer("no end")
    return heard


async def _send(session: aiohttp.ClientSession, url: str, number: int, person: str, wait: float) -> dict[str, Any]:
    body = {"client_id": uuid.uuid4().hex, "text": question(number)}
    async with session.post(f"{url}/v1/turns?wait={wait:g}", json=body, headers=headers(person)) as answer:
        if answer.status != 202:
            raise Refused(answer.status, (await answer.json())["error"])
        found: dict[str, Any] = await answer.json()
        return found


def _events(heard: Heard, events: list[dict[str, Any]]) -> None:
    for event in events:
        if event["type"] == "text":
            heard.take(event["delta"])
        elif event["type"] == "end" and event["reason"] != "complete":
            raise WrongAnswer(f"{event['reason']} {(event.get('error') or {}).get('code')}")


async def poll(session: aiohttp.ClientSession, url: str, number: int, person: str) -> Heard:
    """Yunliao by callContainer: the send waits for the first text, then long polls."""
    heard = Heard(time.monotonic())
    answer = await _send(session, url, number, person, 10)
    turn = answer["turn"]["id"]
    while True:
        _events(heard, answer["events"])
        if not answer["live"]:
            return heard
        target = f"{url}/v1/turns/{turn}/events?after={answer['cursor']}&wait=10"
        async with session.get(target, headers=headers(person)) as response:
            answer = await response.json()
            if response.status != 200:
                raise Refused(response.status, answer["error"])


async def sse(session: aiohttp.ClientSession, url: str, number: int, person: str) -> Heard:
    """Yunliao by server-sent events; the stream must end with the answer, and its connection serves the next one."""
    heard = Heard(time.monotonic())
    turn = (await _send(session, url, number, person, 0))["turn"]["id"]
    ended = False
    async with session.get(f"{url}/v1/turns/{turn}/stream", headers=headers(person)) as answer:
        async for line in answer.content:
            if line.startswith(b"data:"):
                if ended:
                    raise WrongAnswer("more after the end")
                event = json.loads(line[5:])
                _events(heard, [event])
                ended = event["type"] == "end"
    if not ended:
        raise WrongAnswer("the stream ended before the answer")
    return heard


class Socket:
    """Yunliao over one socket that stays open, as on a phone."""

    def __init__(self) -> None:
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    async def close(self) -> None:
        """Leave, whatever is still being said."""
        if self._socket is not None:
            await self._socket.close()
            self._socket = None

    async def open(self, session: aiohttp.ClientSession, url: str, person: str) -> aiohttp.ClientWebSocketResponse:
        """Connect, unless it is."""
        socket = self._socket
        if socket is None or socket.closed:
            async with session.post(url + "/v1/tickets", json={}, headers=headers(person)) as answer:
                if answer.status != 201:
                    raise WrongAnswer(f"ticket: {answer.status}")
                ticket = (await answer.json())["ticket"]
            socket = self._socket = await session.ws_connect(url.replace("http", "ws") + "/v1/socket")
            await socket.send_json({"op": "hello", "ticket": ticket})
            if (await socket.receive_json())["op"] != "welcome":
                raise WrongAnswer("no welcome")
        return socket

    async def __call__(self, session: aiohttp.ClientSession, url: str, number: int, person: str) -> Heard:
        """Ask and listen to the end."""
        socket = await self.open(session, url, person)
        heard = Heard(time.monotonic())
        await socket.send_json({"op": "send", "client_id": uuid.uuid4().hex, "text": question(number)})
        while True:
            message = await socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                raise WrongAnswer(f"the socket was closed: {message.data}")
            said = json.loads(message.data)
            if said["op"] == "error":
                raise Refused(0, said["error"])
            if said["op"] == "event":
                _events(heard, [said["event"]])
                if said["event"]["type"] == "end":
                    return heard
