"""A simulated phone at the gateway: calls, a socket by ticket, SSE over the function link; all without blocking."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

AGREE_TRIES, AGREE_PAUSE = 100, 0.5
CALL_SECONDS = 17.0
"""A little more than the platform's cap of 15."""
QUIET_SECONDS = 25.0
"""A stream that says nothing for so long is given up: the service promises a sign at least every 10 s."""


class Refused(Exception):
    """The service's own error."""

    def __init__(self, status: int, error: dict[str, Any]) -> None:
        super().__init__(f"{status} {error.get('code')}")
        self.status, self.error = status, error
        self.code: str = error.get("code", "")
        self.retryable = bool(error.get("retryable"))


class Lost(Exception):
    """The platform or the network failed: nobody knows whether the request was served."""


BROKEN = (aiohttp.ClientError, OSError, TimeoutError, ValueError)


class Phone:
    """One user's phone. `session` is shared by all phones."""

    def __init__(self, session: aiohttp.ClientSession, url: str, user: str) -> None:
        self.session, self.url, self.user = session, url, user

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON over callContainer. Raises `Refused`, `Lost`."""
        sent = {"X-WX-SERVICE": "yunliao", "X-Local-User": self.user, **headers}
        try:
            async with self.session.request(
                method, self.url + path, json=body, headers=sent, timeout=aiohttp.ClientTimeout(total=CALL_SECONDS)
            ) as response:
                answer = json.loads(await response.read() or b"null")
        except BROKEN as broken:
            raise Lost(type(broken).__name__) from None
        if response.status == 599:
            raise Lost(f"platform {answer.get('errCode')}")
        if isinstance(answer, dict) and "error" in answer:
            raise Refused(response.status, answer["error"])
        if response.status >= 400:
            raise Refused(response.status, {"code": f"http_{response.status}"})
        return response.status, answer

    async def agree(self) -> None:
        """Accept the texts, however often it has to be said: nobody gets anywhere without."""
        for _ in range(AGREE_TRIES):
            try:
                await self.call("PUT", "/v1/me/consent", {"version": "latest", "overseas": True})
                return
            except Lost:
                pass
            except Refused as refused:
                if not refused.retryable:
                    raise
            await asyncio.sleep(AGREE_PAUSE)

    async def poll(self, turn: str, after: int, wait: float) -> dict[str, Any]:
        """One look at the events."""
        answer: dict[str, Any] = (await self.call("GET", f"/v1/turns/{turn}/events?after={after}&wait={wait:g}"))[1]
        return answer

    async def sse(self, turn: str, after: int) -> AsyncIterator[dict[str, Any]]:
        """Events over SSE until the server ends the stream. Raises `Refused`, `Lost`."""
        headers = {"X-Local-Link": "function", "X-Local-User": self.user, "Last-Event-ID": str(after)}
        timeout = aiohttp.ClientTimeout(total=None, sock_read=QUIET_SECONDS)
        try:
            async with self.session.get(
                f"{self.url}/v1/turns/{turn}/stream", headers=headers, timeout=timeout
            ) as response:
                if response.status != 200:
                    answer = json.loads(await response.read() or b"{}")
                    if "error" not in answer:
                        raise Lost(f"status {response.status}")
                    raise Refused(response.status, answer["error"])
                async for line in response.content:
                    if line.startswith(b"data:"):
                        yield json.loads(line[5:])
        except BROKEN as broken:
            raise Lost(type(broken).__name__) from None

    @contextlib.asynccontextmanager
    async def socket(self) -> AsyncIterator[Socket]:
        """A socket whose hello was answered. Raises `Refused`, `Lost`."""
        ticket = (await self.call("POST", "/v1/tickets", {}))[1]["ticket"]
        address = self.url.replace("http:", "ws:") + f"/v1/socket?local_user={self.user}"
        try:
            raw = await asyncio.wait_for(self.session.ws_connect(address, max_msg_size=0), CALL_SECONDS)
        except BROKEN as broken:
            raise Lost(type(broken).__name__) from None
        socket = Socket(raw)
        try:
            await socket.put({"op": "hello", "ticket": ticket})
            frame = await socket.take(CALL_SECONDS)
            if frame.get("op") != "welcome":
                raise Refused(0, frame.get("error", {}))
            yield socket
        finally:
            await socket.leave()


class Socket:
    """An open socket: frames in and out."""

    def __init__(self, raw: aiohttp.ClientWebSocketResponse) -> None:
        self.raw = raw
        self.rude = False
        """Leave without a goodbye, as a phone in a tunnel does."""

    async def put(self, frame: dict[str, Any]) -> None:
        """Send a frame. Raises `Lost`."""
        try:
            await self.raw.send_str(json.dumps(frame))
        except (*BROKEN, RuntimeError) as broken:
            raise Lost(type(broken).__name__) from None

    async def take(self, seconds: float) -> dict[str, Any]:
        """The next frame. Raises `Lost` when none comes or the socket is closed."""
        try:
            message = await asyncio.wait_for(self.raw.receive(), seconds)
        except (*BROKEN, RuntimeError) as broken:
            raise Lost(type(broken).__name__) from None
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise Lost(f"closed {self.raw.close_code}")
        frame: dict[str, Any] = json.loads(message.data)
        return frame

    async def leave(self) -> None:
        """Close, politely or not."""
        if self.rude and self.raw._response.connection is not None:
            self.raw._response.close()
        with contextlib.suppress(*BROKEN, RuntimeError):
            await asyncio.wait_for(self.raw.close(), 5)
