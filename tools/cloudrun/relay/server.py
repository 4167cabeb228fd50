"""The demo relay as a server: `/v1/chat/completions`, `/v1/models`, `/v1/moderations`, and `/__sim/` for tests."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from aiohttp import web

from cloudrun.control import only_local, order_of, refuse, switch_route
from cloudrun.relay import answers
from cloudrun.relay.failures import failure
from cloudrun.relay.generation import generate
from cloudrun.relay.script import Script
from cloudrun.relay.switches import RELAY_SWITCHES, of_json, of_model
from cloudrun.switches import SwitchError, Switches, View

MODELS = ("demo-chat", "demo-reasoner")
KEPT_REQUESTS = 20_000


class _Refusing(asyncio.Protocol):
    """Closes a connection as it is accepted."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            transport.abort()


class Relay:
    """The demo relay with its switches, scripts and record of requests. `compose` says what it answers to messages;
    `trouble` gives more switches for one request of these messages (a fault campaign's)."""

    def __init__(self) -> None:
        self.compose: Callable[[answers.Messages], str] = answers.answer
        self.trouble: Callable[[answers.Messages], dict[str, object]] = lambda messages: {}
        self.switches = Switches(RELAY_SWITCHES)
        self.scripts: list[Script] = []
        self.requests: deque[dict[str, Any]] = deque(maxlen=KEPT_REQUESTS)
        self.total = 0
        self._began = time.monotonic()

    def application(self) -> web.Application:
        """The server. Its runner must cancel handlers of callers that hang up (`handler_cancellation`)."""
        app = web.Application(client_max_size=32 * 1024 * 1024, middlewares=[only_local])
        app.router.add_post("/v1/chat/completions", self.chat)
        app.router.add_get("/v1/models", self.models)
        app.router.add_post("/v1/moderations", self.moderations)
        self.add_control(app.router, "/__sim")
        app.router.add_post("/__sim/faults", switch_route(self.switches))
        return app

    def protocol(self, usual: Any) -> Any:
        """A factory of connections that refuses them while `refuse` is on."""
        return lambda: _Refusing() if self.switches.consume("refuse") else usual()

    def add_control(self, routes: web.UrlDispatcher, prefix: str) -> None:
        """Routes to change switches, post scripts and read the requests under `prefix`."""
        routes.add_post(prefix, switch_route(self.switches))
        routes.add_get(prefix, self._state)
        routes.add_get(prefix + "/requests", self._requests)
        routes.add_post(prefix + "/script", self._script)
        routes.add_post(prefix + "/forget", self._forget)

    async def _state(self, request: web.Request) -> web.Response:
        return web.json_response(self.switches.state() | {"scripts": len(self.scripts)})

    async def _requests(self, request: web.Request) -> web.Response:
        live = sum(1 for record in self.requests if record["live"])
        return web.json_response({"total": self.total, "live": live, "requests": list(self.requests)})

    async def _script(self, request: web.Request) -> web.Response:
        try:
            self.scripts.append(Script.of(await order_of(request)))
        except SwitchError as error:
            return refuse(400, str(error))
        return web.json_response({"scripts": len(self.scripts)})

    async def _forget(self, request: web.Request) -> web.Response:
        self.requests.clear()
        self.scripts.clear()
        self.total = 0
        return web.json_response({"ok": True})

    def _keyed(self, request: web.Request, wanted: str) -> bool:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and bool(key.strip()) and (not wanted or key.strip() == wanted)

    async def models(self, request: web.Request) -> web.Response:
        """The two demo models."""
        if not self._keyed(request, self.switches["api_key"]):
            return failure(401)
        data = [
            {"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "yunliao-demo"} for name in MODELS
        ]
        return web.json_response({"object": "list", "data": data})

    async def moderations(self, request: web.Request) -> web.Response:
        """Flags input that contains one of `flagged_phrases`."""
        try:
            body = await order_of(request)
        except SwitchError as error:
            return failure(400, str(error))
        given = body.get("input", "")
        texts = given if isinstance(given, list) else [given]
        switches = self.switches.take(" ".join(map(str, texts)))
        if not self._keyed(request, switches["api_key"]):
            return failure(401)
        if switches["status"] != 200:
            return failure(switches["status"])
        results = []
        for text in texts:
            flagged = any(phrase in str(text) for phrase in switches["flagged_phrases"])
            results.append(
                {"flagged": flagged, "categories": {"illicit": flagged}, "category_scores": {"illicit": float(flagged)}}
            )
        return web.json_response({"id": f"modr-demo-{self.total}", "model": "demo-moderation", "results": results})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """One generation, recorded from its arrival to its end or to the caller's hanging up."""
        try:
            body = await order_of(request)
        except SwitchError as error:
            return failure(400, str(error))
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
            return failure(400, "messages is missing or not a list of messages")
        last = answers.text_of(messages[-1])
        try:
            model, extra = of_model(str(body.get("model", MODELS[0])))
            header = request.headers.get("X-Demo-Switches")
            if header:
                given = of_json(header)
                extra |= given if isinstance(given, dict) else {}
            extra |= self.trouble(messages)
            switches = self.switches.take(last, extra)
        except SwitchError as error:
            return failure(400, str(error))
        record = self._record(request, body, model, switches)
        try:
            if not self._keyed(request, switches["api_key"]):
                record["ended"] = "status 401"
                return failure(401)
            script = self._next_script(last)
            if script is not None:
                return await script.serve(request, record)
            return await generate(request, body, model, switches, record, self.compose)
        except (asyncio.CancelledError, ConnectionError):
            record["disconnected"] = True
            record["ended"] = "client disconnected"
            record["disconnected_after_tokens"] = record["generated_tokens"]
            raise
        finally:
            record["live"] = False
            record["ended_ms"] = int(time.time() * 1000)
            record["seconds"] = round(time.monotonic() - self._began - record["at"], 3)

    def _next_script(self, subject: str) -> Script | None:
        for script in self.scripts:
            if script.match in subject:
                if script.times is not None:
                    script.times -= 1
                    if script.times <= 0:
                        self.scripts.remove(script)
                return script
        return None

    def _record(self, request: web.Request, body: dict[str, Any], model: str, switches: View) -> dict[str, Any]:
        messages = body["messages"]
        self.total += 1
        record: dict[str, Any] = {
            "n": self.total,
            "request_id": request.headers.get("X-Request-Id", ""),
            "traceparent": request.headers.get("traceparent", ""),
            "began_ms": int(time.time() * 1000),
            "ended_ms": 0,
            "at": round(time.monotonic() - self._began, 3),
            "model": model,
            "stream": bool(body.get("stream")),
            "roles": [m.get("role") for m in messages],
            "characters": sum(len(answers.text_of(m)) for m in messages),
            "max_tokens": body.get("max_tokens"),
            "generated_tokens": 0,
            "text_chunks": 0,
            "text_characters": 0,
            "bytes": 0,
            "live": True,
            "disconnected": False,
            "ended": "",
        }
        if switches["record_bodies"]:
            record["body"] = body
        self.requests.append(record)
        return record
