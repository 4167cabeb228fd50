"""The gateway: one origin in front of all instances, choosing the platform's link from the request.

| request | link | delivery |
|---|---|---|
| `X-WX-SERVICE: yunliao` | callContainer | whole body, 15 s, 100 KB / 1 MB, four verbs, identity injected |
| WebSocket upgrade | connectContainer | frames passed through, identity at the handshake |
| `X-Local-Link: function` | HTTP cloud function | streamed, identity injected |
| a path under `/op`, none of these | the environment's own network | streamed, no identity: as in the VPC |
| none of these | public domain | streamed, no identity, off unless switched on |

The caller is `X-Local-User` (or `?local_user=` on a socket), `X-Local-Shared: 1` makes it a user of another
mini-program that shares the environment. platform.md §1-§3.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket as sockets
import struct
import time
from collections import Counter
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from cloudrun import deliver, passthrough
from cloudrun.fleet import Fleet
from cloudrun.gateway_switches import GATEWAY_SWITCHES
from cloudrun.identity import SERVICE, Caller, Visits, new_call_id
from cloudrun.instances import Instance, StartFailed
from cloudrun.platform_errors import NOT_READY, UPSTREAM, PlatformError
from cloudrun.preview import welcome
from cloudrun.switches import Switches

# Everything else belongs to the preview.
CONTAINER_PATHS = ("/v1", "/healthz", "/readyz", "/metrics", "/openapi.json", "/wx", "/jobs", "/op")
PREVIEW_BODY = 64 * 1024 * 1024


CALLS = {
    "callContainer": "cloud.callContainer",
    "connectContainer": "cloud.connectContainer",
    "function": "cloud.callHTTPFunction",
    "public": "request",
    "intranet": "request",
}


def is_socket(request: web.BaseRequest) -> bool:
    """Whether a request asks for a WebSocket."""
    return request.headers.get("Upgrade", "").lower() == "websocket"


def abort(request: web.BaseRequest) -> None:
    """End the client's connection with a TCP reset, as a network that went away does."""
    transport = request.transport
    if transport is None:
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def reset(request: web.BaseRequest) -> None:
    """Abort after what was written has left; a reset would otherwise overtake it."""
    while request.transport is not None and not request.transport.is_closing():
        if not request.transport.get_write_buffer_size():
            await asyncio.sleep(0.05)  # some systems also drop what the peer has not read yet
            break
        await asyncio.sleep(0.01)
    abort(request)


class Gateway:
    """State and request handling of the gateway; `application()` is the server."""

    def __init__(self, fleet: Fleet, visits: Visits, *, preview_url: str = "") -> None:
        self.fleet, self.visits, self.preview_url = fleet, visits, preview_url.rstrip("/")
        self.switches = Switches(GATEWAY_SWITCHES)
        self.counts: Counter[str] = Counter()
        self.sockets: dict[str, set[passthrough.Tunnel]] = {}
        self.last_traffic = time.monotonic()
        self.background: set[asyncio.Task[Any]] = set()
        self.session: aiohttp.ClientSession

    async def open(self, app: web.Application) -> None:
        """Make the outgoing session: a new connection per request, so that a dead instance is never a stale one."""
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self.later(self._idle_watch())

    async def close(self, app: web.Application) -> None:
        """Cut the sockets, end what runs in the background, close the session."""
        self.cut_sockets()
        for task in list(self.background):
            task.cancel()
        await asyncio.gather(*self.background, return_exceptions=True)
        await self.session.close()

    def later(self, work: Any) -> asyncio.Task[Any]:
        """Run a coroutine in the background until the gateway closes."""
        task = asyncio.create_task(work)
        self.background.add(task)

        def ended(task: asyncio.Task[Any]) -> None:
            self.background.discard(task)
            if not task.cancelled():
                task.exception()  # whoever waited has seen it; a second delivery fails unseen

        task.add_done_callback(ended)
        return task

    def cut_sockets(self, user: str | None = None) -> int:
        """Cut open sockets (of one user, or all) without a closing handshake; how many there were."""
        chosen = [tunnel for name, tunnels in self.sockets.items() if user in (None, name) for tunnel in tunnels]
        for tunnel in chosen:
            tunnel.cut()
        return len(chosen)

    async def _idle_watch(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            limit = self.switches["scale_to_zero_seconds"]
            if limit and not self.fleet.asleep and time.monotonic() - self.last_traffic > limit:
                await self.fleet.sleep()

    async def instances(self, switches: Any, count: int, request: web.Request) -> list[Instance]:
        """Where this request goes, waking the service first if it sleeps. Raises `PlatformError`."""
        self.last_traffic = time.monotonic()
        if self.fleet.asleep:
            waking = self.later(self._wake(switches["cold_start_seconds"]))
            if switches["cold_start_mode"] == "error":
                raise PlatformError(-501001, NOT_READY)
            await asyncio.shield(waking)
        pinned = request.headers.get("X-Local-Instance") or request.query.get("local_instance")
        chosen = self.fleet.pick(count, int(pinned) if pinned and pinned.isdigit() else None)
        if not chosen:
            raise PlatformError(-501001, NOT_READY)
        return chosen

    async def _wake(self, delay: float) -> None:
        with contextlib.suppress(StartFailed):
            await self.fleet.wake(delay)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Every request that is not for the control plane."""
        path = request.path
        origin = request.headers.get("Origin")
        if origin and origin.split("://")[-1] != request.host:
            return web.json_response({"error": "pages of another origin may not use the local gateway"}, status=403)
        for_container = any(path == prefix or path.startswith(prefix + "/") for prefix in CONTAINER_PATHS)
        if not for_container and "X-WX-SERVICE" not in request.headers:
            return await self._preview(request)
        call_id = new_call_id()
        link = self._link(request)
        try:
            return await self._through(request, call_id, link)
        except PlatformError as error:
            self.counts[f"platform_error {error.code}"] += 1
            return error.response(call_id, CALLS[link])

    async def _through(self, request: web.Request, call_id: str, link: str) -> web.StreamResponse:
        switches = self.switches.take(request.path)
        if switches["offline"]:
            self.counts["dropped offline"] += 1
            abort(request)
            return web.Response(status=599)
        self.counts[link] += 1
        if link == "public" and not switches["public_link"]:
            raise PlatformError(-606006, status=403)
        service = request.headers.get("X-WX-SERVICE") or request.query.get("local_service")
        if service is not None and service != SERVICE:
            raise PlatformError(-601031)
        for name, code, text in (
            ("platform_error", switches["platform_error"], ""),
            ("service_not_ready", -501001, NOT_READY),
            ("upstream_connect_error", -501001, UPSTREAM),
        ):
            if switches[name]:
                raise PlatformError(code, text)
        caller = self.caller(request) if link not in ("public", "intranet") else None
        if caller is not None:
            self.visits.note(caller.openid, caller.appid)
        if is_socket(request):
            return await asyncio.shield(self.later(passthrough.run(self, request, switches, caller, call_id)))
        if link == "callContainer":  # a phone cannot take a call back: what it asked for is done even if it leaves
            return await asyncio.shield(self.later(deliver.whole(self, request, switches, caller, call_id)))
        return await deliver.streamed(self, request, switches, caller, call_id)

    @staticmethod
    def _link(request: web.Request) -> str:
        asked = request.headers.get("X-Local-Link") or request.query.get("local_link", "")
        if asked == "public":
            return "public"
        if is_socket(request):
            return "connectContainer"
        if "X-WX-SERVICE" in request.headers:
            return "callContainer"
        if asked == "function":
            return "function"
        return "intranet" if request.path.startswith("/op/") and asked != "public" else "public"

    @staticmethod
    def caller(request: web.Request) -> Caller:
        """The local user a request speaks for."""
        name = request.headers.get("X-Local-User") or request.query.get("local_user") or "demo"
        shared = (request.headers.get("X-Local-Shared") or request.query.get("local_shared")) == "1"
        return Caller(name, shared)

    async def _preview(self, request: web.Request) -> web.StreamResponse:
        if not self.preview_url:
            return welcome(request)
        address = URL(self.preview_url + request.rel_url.raw_path_qs, encoded=True)
        headers = [
            (k, v) for k, v in request.headers.items() if k.lower() not in ("host", "connection", "content-length")
        ]
        try:
            async with self.session.request(
                request.method, address, headers=headers, data=await request.read() or None, allow_redirects=False
            ) as answer:
                return await deliver.relayed(request, answer, {}, speed=0)
        except aiohttp.ClientConnectionError:
            return web.Response(status=502, text="The preview server does not answer. Is it running?\n")

    def application(self) -> web.Application:
        """The server without the control plane, which `control.add` puts in front."""
        app = web.Application(client_max_size=PREVIEW_BODY)
        app.on_startup.append(self.open)
        app.on_cleanup.append(self.close)
        return app
