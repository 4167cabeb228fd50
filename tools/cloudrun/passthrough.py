"""connectContainer: a WebSocket passed through frame by frame, pings and close codes included (platform.md §2)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import WSMsgType, web

from cloudrun.deliver import headers_for, target
from cloudrun.identity import Caller
from cloudrun.platform_errors import UPSTREAM, PlatformError
from cloudrun.switches import View

if TYPE_CHECKING:
    from cloudrun.gateway import Gateway

HANDSHAKE = ("sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions", "sec-websocket-protocol")
ABNORMAL = (None, 1005, 1006)  # codes that never travel in a close frame
End = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


class Tunnel:
    """One socket: the client's end, the container's end, and the two directions between them."""

    def __init__(self, request: web.Request, switches: View) -> None:
        self.request, self.switches = request, switches
        self.done = asyncio.Event()
        self.beat = asyncio.Event()
        self.was_cut = False

    def cut(self) -> None:
        """End it at once without a closing handshake, on both sides."""
        self.was_cut = True
        if self.request.transport is not None:
            self.request.transport.abort()
        self.done.set()

    async def _forward(
        self,
        source: End,
        sink: End,
        *,
        slow: bool,
    ) -> None:
        latency = self.switches["latency_ms"] / 1000 if slow else 0.0
        speed = self.switches["bytes_per_second"] if slow else 0
        try:
            while True:
                message = await source.receive()
                self.beat.set()
                if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING, WSMsgType.ERROR):
                    break
                if latency or speed:
                    size = len(message.data or "")
                    await asyncio.sleep(latency + (size / speed if speed else 0))
                ways: dict[WSMsgType, Callable[[Any], Awaitable[None]]] = {
                    WSMsgType.TEXT: sink.send_str,
                    WSMsgType.BINARY: sink.send_bytes,
                    WSMsgType.PING: sink.ping,
                    WSMsgType.PONG: sink.pong,
                }
                await ways[message.type](message.data)
            code = source.close_code
            if code in ABNORMAL and message.type is not WSMsgType.CLOSE:
                self.cut()
            elif not sink.closed:
                reason = message.extra if isinstance(message.extra, str) else ""
                await sink.close(code=1000 if code in ABNORMAL else code or 1000, message=reason.encode())
        except (ConnectionError, RuntimeError, aiohttp.ClientError):
            self.cut()
        finally:
            self.done.set()

    async def _cutter(self) -> None:
        limit = self.switches["socket_cut_seconds"]
        if limit:
            await asyncio.sleep(limit)
            self.cut()

    async def _idle(self) -> None:
        limit = self.switches["socket_idle_seconds"]
        while limit:
            self.beat.clear()
            try:
                async with asyncio.timeout(limit):
                    await self.beat.wait()
            except TimeoutError:
                self.cut()
                return

    async def run(self, client: web.WebSocketResponse, container: aiohttp.ClientWebSocketResponse) -> None:
        """Pass frames both ways until either side ends."""
        ways = [
            asyncio.create_task(self._forward(client, container, slow=False)),
            asyncio.create_task(self._forward(container, client, slow=True)),
        ]
        watchers = [asyncio.create_task(self._cutter()), asyncio.create_task(self._idle())]
        try:
            await self.done.wait()
            if (
                not self.was_cut
            ):  # the other direction ends by its own close; a peer that never answers does not hold us
                await asyncio.wait(ways, timeout=5)
        finally:
            for task in [*ways, *watchers]:
                task.cancel()
            await asyncio.gather(*ways, *watchers, return_exceptions=True)
            if self.was_cut and container._response.connection is not None:
                container._response.close()
            with contextlib.suppress(ConnectionError, RuntimeError):
                await asyncio.wait_for(container.close(), 5)


async def run(
    gateway: Gateway, request: web.Request, switches: View, caller: Caller | None, call_id: str
) -> web.StreamResponse:
    """Open the container's socket, then accept the client's, then pass frames. Raises `PlatformError`."""
    name = caller.name if caller is not None else ""
    mine = gateway.sockets.setdefault(name, set())
    if len(mine) >= switches["socket_limit"]:
        raise PlatformError(-501004, f"connectSocket:fail at most {switches['socket_limit']} sockets")
    tunnel = Tunnel(request, switches)
    mine.add(tunnel)
    try:
        await asyncio.sleep(switches["latency_ms"] / 1000)
        instance = (await gateway.instances(switches, 1, request))[0]
        headers = headers_for(request, switches, caller, call_id, identity=not switches["ios_high_performance"])
        for header in HANDSHAKE:
            headers.popall(header, None)
        wanted = [p.strip() for p in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if p.strip()]
        try:
            container = await gateway.session.ws_connect(
                target(instance, request),
                headers=headers,
                protocols=wanted,
                autoping=False,
                autoclose=False,
                max_msg_size=0,
                timeout=aiohttp.ClientWSTimeout(ws_close=5),
            )
        except aiohttp.WSServerHandshakeError as refused:
            return web.Response(status=refused.status, text="the container refused the socket\n")
        except (aiohttp.ClientError, OSError):
            raise PlatformError(-501001, UPSTREAM) from None
        client = web.WebSocketResponse(
            autoping=False,
            autoclose=False,
            max_msg_size=0,
            timeout=5,
            compress=False,
            protocols=(container.protocol,) if container.protocol else (),
        )
        client.headers["X-Local-Instance"] = str(instance.number)
        await client.prepare(request)
        await tunnel.run(client, container)
        return client
    finally:
        mine.discard(tunnel)
