"""The demo relay as a server: `/v1/chat/completions`, `/v1/models`, `/v1/moderations`, and `/__sim/` for tests."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from typing import Any

from aiohttp import web

from cloudrun.control import only_local, order_of, refuse, switch_route
from cloudrun.gateway import abort
from cloudrun.relay import answers
from cloudrun.relay.script import Script
from cloudrun.relay.switches import RELAY_SWITCHES, of_json, of_model
from cloudrun.relay.wire import Cut, Stream, pieces
from cloudrun.switches import SwitchError, Switches, View

MODELS = ("demo-chat", "demo-reasoner")
KEPT_REQUESTS = 20_000
ERRORS = {
    400: ("invalid_request_error", "context_length_exceeded", "This model's maximum context length is exceeded."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    429: ("rate_limit_error", "rate_limit_exceeded", "Rate limit reached, try again later."),
}


def failure(status: int, message: str = "", headers: dict[str, str] | None = None) -> web.Response:
    """An error in OpenAI's form."""
    kind, code, text = ERRORS.get(status, ("server_error", "demo_error", "The demo relay was told to fail."))
    body = {"error": {"message": message or text, "type": kind, "param": None, "code": code}}
    return web.json_response(body, status=status, headers=headers)


class _Refusing(asyncio.Protocol):
    """Closes a connection as it is accepted."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            transport.abort()


class Relay:
    """The demo relay with its switches, scripts and record of requests."""

    def __init__(self) -> None:
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
            switches = self.switches.take(last, extra)
        except SwitchError as error:
            return failure(400, str(error))
        record = self._record(body, messages, model, switches)
        try:
            if not self._keyed(request, switches["api_key"]):
                record["ended"] = "status 401"
                return failure(401)
            script = self._next_script(last)
            if script is not None:
                return await script.serve(request, record)
            return await self._generate(request, body, messages, model, switches, record)
        except (asyncio.CancelledError, ConnectionError):
            record["disconnected"] = True
            record["ended"] = "client disconnected"
            record["disconnected_after_tokens"] = record["generated_tokens"]
            raise
        finally:
            record["live"] = False
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

    def _record(
        self, body: dict[str, Any], messages: list[dict[str, Any]], model: str, switches: View
    ) -> dict[str, Any]:
        self.total += 1
        record: dict[str, Any] = {
            "n": self.total,
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

    async def _generate(
        self,
        request: web.Request,
        body: dict[str, Any],
        messages: list[dict[str, Any]],
        model: str,
        switches: View,
        record: dict[str, Any],
    ) -> web.StreamResponse:
        if switches["refuse"]:
            record["ended"] = "refused"
            abort(request)
            return web.Response()
        if switches["status"] != 200:
            record["ended"] = f"status {switches['status']}"
            after = switches["retry_after"]
            return failure(switches["status"], headers={"Retry-After": f"{after:g}"} if after >= 0 else None)
        if switches["hang"]:
            record["ended"] = "hanging"
            await asyncio.Event().wait()
        thought = switches["reasoning"] or (answers.reasoning(messages) if model == "demo-reasoner" else "")
        text = "" if switches["empty"] == "stream" else switches["answer"] or answers.answer(messages)
        limit = body.get("max_tokens") or body.get("max_completion_tokens")
        words = answers.tokens(text)
        reason = "stop"
        if isinstance(limit, int) and 0 < limit < len(words):
            text, reason = "".join(words[:limit]), "length"
        spoken = len(answers.tokens(text)) + len(answers.tokens(thought))
        asked = sum(len(answers.tokens(answers.text_of(m))) + 4 for m in messages)
        usage: dict[str, Any] = {"prompt_tokens": asked, "completion_tokens": spoken, "total_tokens": asked + spoken}
        if thought:
            usage["completion_tokens_details"] = {"reasoning_tokens": len(answers.tokens(thought))}
        if not body.get("stream") or switches["json_answer"]:
            return await self._at_once(model, thought, text, reason, usage, switches, record)
        options = body.get("stream_options") or {}
        wants = switches["usage"] == "always" or (switches["usage"] == "asked" and bool(options.get("include_usage")))
        return await self._stream(request, model, thought, text, reason, usage if wants else None, switches, record)

    async def _at_once(
        self,
        model: str,
        thought: str,
        text: str,
        reason: str,
        usage: dict[str, Any],
        switches: View,
        record: dict[str, Any],
    ) -> web.Response:
        pace = switches["tokens_per_second"]
        await asyncio.sleep(switches["first_token_ms"] / 1000 + (usage["completion_tokens"] / pace if pace else 0))
        record["generated_tokens"], record["ended"] = usage["completion_tokens"], "complete"
        if switches["empty"] == "body":
            return web.Response(content_type="application/json")
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if thought:
            message["reasoning_content"] = thought
        reason = switches["finish_reason"] or reason
        return web.json_response(
            {
                "id": f"chatcmpl-demo-{record['n']}",
                "object": "chat.completion",
                "created": 1_700_000_000,
                "model": model,
                "choices": [{"index": 0, "message": message, "finish_reason": reason}],
                "usage": usage,
            },
            dumps=lambda value: json.dumps(value, ensure_ascii=False),
        )

    async def _stream(
        self,
        request: web.Request,
        model: str,
        thought: str,
        text: str,
        reason: str,
        usage: dict[str, Any] | None,
        switches: View,
        record: dict[str, Any],
    ) -> web.StreamResponse:
        stream = Stream(request, switches, record, model)
        pace = switches["tokens_per_second"]

        async def generated(count: int) -> None:
            record["generated_tokens"] += count
            if pace:  # against the clock, so that slow writes do not slow the pace
                await asyncio.sleep(max(0.0, began + record["generated_tokens"] / pace - time.monotonic()))

        cut: Cut | None = None
        try:
            beating = bool(switches["heartbeat_ms"])
            if not beating:
                await asyncio.sleep(switches["first_token_ms"] / 1000)
            await stream.response.prepare(request)
            if beating:
                await stream.quiet(switches["first_token_ms"] / 1000)
            began = time.monotonic()
            if switches["empty"] != "body":
                await stream.chunk({"role": "assistant", "content": ""})
                if switches["huge_line_bytes"]:
                    await stream.chunk({"content": ""}, padding="x" * switches["huge_line_bytes"])
                await stream.say(pieces(thought, switches), "reasoning_content", generated)
                await stream.say(pieces(text, switches), "content", generated)
                await stream.finish(reason, usage)
            record["ended"] = "complete"
        except Cut as end:
            cut = end
        return await stream.end(cut)
