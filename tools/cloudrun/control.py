"""The control plane `/__local/`: what tests and people use to look at the local platform and to make it misbehave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

from cloudrun.identity import APPID, ENVIRONMENT, new_call_id
from cloudrun.instances import StartFailed
from cloudrun.switches import SwitchError, Switches

if TYPE_CHECKING:
    from cloudrun.gateway import Gateway

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


def refuse(status: int, text: str) -> web.Response:
    """An error of the control plane."""
    return web.json_response({"error": text}, status=status)


async def order_of(request: web.Request) -> dict[str, Any]:
    """The JSON object of the request, `{}` if the body is empty. Raises `SwitchError`."""
    raw = await request.read()
    if not raw:
        return {}
    try:
        order = json.loads(raw)
    except ValueError:
        raise SwitchError("the body is not JSON") from None
    if not isinstance(order, dict):
        raise SwitchError("the body is not a JSON object")
    return order


def switch_route(switches: Switches) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A POST handler that changes `switches` and answers their state."""

    async def handler(request: web.Request) -> web.Response:
        try:
            switches.change(await order_of(request))
        except SwitchError as error:
            return refuse(400, str(error))
        return web.json_response(switches.state())

    return handler


@web.middleware
async def only_local(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse the control plane to other pages and to other names of this machine (a page could rebind its name)."""
    if request.path.startswith(("/__local", "/__sim")):
        host = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
        origin = request.headers.get("Origin")
        if host not in LOOPBACK_NAMES or (origin and origin.split("://")[-1] != request.host):
            return refuse(403, "the control plane answers only this machine's own tools")
    return await handler(request)


class Control:
    """The routes under /__local/ for one gateway and what stands around it."""

    def __init__(self, gateway: Gateway, *, relays: dict[str, Any], wechat: Any = None, facts: dict[str, Any]) -> None:
        self.gateway, self.relays, self.wechat, self.facts = gateway, relays, wechat, facts

    def add(self, app: web.Application) -> None:
        """Put the routes into the gateway's application, before the catch-all."""
        routes = app.router
        routes.add_get("/__local/state", self.state)
        routes.add_post("/__local/faults", self.faults)
        routes.add_post("/__local/instances/{n}/{what}", self.instance)
        routes.add_post("/__local/scale-to-zero", self.scale_to_zero)
        routes.add_post("/__local/sockets/cut", self.cut_sockets)
        routes.add_post("/__local/trigger", self.trigger)
        for name, server in ({"relay": None} | self.relays | {"wechat": self.wechat}).items():
            if server is not None:
                server.add_control(routes, f"/__local/{name}")
            else:
                routes.add_route("*", f"/__local/{name}{{rest:.*}}", self._absent)
        routes.add_route("*", "/__local/{rest:.*}", self._unknown)
        routes.add_route("*", "/{path:.*}", self.gateway.handle)

    async def _absent(self, request: web.Request) -> web.Response:
        return refuse(409, "this local Cloud Run was started with another server in its place")

    async def _unknown(self, request: web.Request) -> web.Response:
        return refuse(404, "no such control; see docs/local-cloud-run.md")

    async def state(self, request: web.Request) -> web.Response:
        """Instances, switches, sockets, counts and addresses."""
        gateway = self.gateway
        return web.json_response(
            {
                **self.facts,
                "instances": gateway.fleet.state(),
                "asleep": gateway.fleet.asleep,
                "sockets": {name: len(tunnels) for name, tunnels in gateway.sockets.items() if tunnels},
                "counts": dict(gateway.counts),
                "switches": gateway.switches.state(),
            }
        )

    async def faults(self, request: web.Request) -> web.Response:
        """Change the gateway's switches; going offline also cuts the open sockets."""
        answer = await switch_route(self.gateway.switches)(request)
        if answer.status == 200 and self.gateway.switches["offline"]:
            self.gateway.cut_sockets()
        return answer

    async def instance(self, request: web.Request) -> web.Response:
        """Tell instance n something; `kill` answers when it is gone, `start` when it is ready."""
        what = request.match_info["what"]
        if what not in ("kill", "term", "start", "freeze", "thaw", "restart"):
            return refuse(404, "an instance can be told: kill, term, start, freeze, thaw, restart")
        try:
            instance = self.gateway.fleet.number(int(request.match_info["n"]))
        except (LookupError, ValueError):
            return refuse(404, "there is no such instance")
        try:
            if what in ("start", "restart"):
                if what == "restart":
                    await instance.stop()
                await instance.start()
            else:
                instance.signal(what)
                if what == "kill" and hasattr(instance, "gone"):
                    await instance.gone(10)
        except StartFailed as failure:
            return refuse(500, str(failure))
        return web.json_response(instance.describe())

    async def scale_to_zero(self, request: web.Request) -> web.Response:
        """Stop all instances as after half an hour without traffic; the next request is a cold start."""
        await self.gateway.fleet.sleep()
        return web.json_response({"asleep": True})

    async def cut_sockets(self, request: web.Request) -> web.Response:
        """Cut open sockets, `{"user"?: name}`."""
        try:
            order = await order_of(request)
        except SwitchError as error:
            return refuse(400, str(error))
        return web.json_response({"cut": self.gateway.cut_sockets(order.get("user"))})

    async def trigger(self, request: web.Request) -> web.Response:
        """Call a platform route of the container as a timer or a message push would: `{"path", "headers"?, "body"?}`
        with no user; `raw` instead of `body` is sent as it is (XML), `n` chooses the instance."""
        try:
            order = await order_of(request)
        except SwitchError as error:
            return refuse(400, str(error))
        path = order.get("path", "")
        chosen = self.gateway.fleet.pick(1, order.get("n"))
        if not isinstance(path, str) or not path.startswith("/") or not chosen:
            return refuse(400, "path is missing, or no instance is ready")
        headers = {
            "X-WX-SOURCE": "wx_trigger",
            "X-WX-ENV": ENVIRONMENT,
            "X-WX-APPID": APPID,
            "X-WX-CALL-ID": new_call_id(),
            **order.get("headers", {}),
        }
        raw = order.get("raw")
        sent: dict[str, Any] = {"json": order.get("body", {})} if raw is None else {"data": str(raw).encode()}
        try:
            async with (
                asyncio.timeout(60),
                self.gateway.session.post(chosen[0].url + path, headers=headers, **sent) as answer,
            ):
                return web.json_response({"status": answer.status, "body": await answer.text(), "n": chosen[0].number})
        except (aiohttp.ClientError, OSError, TimeoutError):
            return refuse(502, "the instance did not answer")
