"""Scripted answers: a test posts the exact bytes, pauses and end that the relay serves."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from cloudrun.gateway import reset
from cloudrun.switches import SwitchError

Write = Callable[[bytes], Awaitable[None]]


@dataclass
class Script:
    """Steps in order: `{"text"}`, `{"base64"}`, `{"pause_ms"}`, `{"wait": true}` (for ever), `{"end": "reset"}`."""

    steps: list[dict[str, Any]]
    times: int | None
    match: str
    status: int
    headers: dict[str, str]
    framed: bool

    @classmethod
    def of(cls, order: dict[str, Any]) -> Script:
        """A script from JSON. Raises `SwitchError`."""
        steps = order.get("steps")
        if not isinstance(steps, list) or not all(isinstance(step, dict) and len(step) == 1 for step in steps):
            raise SwitchError("steps takes a list of objects with one key each")
        for step in steps:
            key, value = next(iter(step.items()))
            if key not in ("text", "base64", "pause_ms", "wait", "end"):
                raise SwitchError(f"a step cannot be {key!r}; it can be text, base64, pause_ms, wait, end")
            if key == "base64":
                try:
                    base64.b64decode(value, validate=True)
                except (ValueError, TypeError):
                    raise SwitchError("a base64 step does not hold base64") from None
        return cls(
            steps,
            order.get("times", 1),
            str(order.get("match", "")),
            int(order.get("status", 200)),
            {"Content-Type": "text/event-stream"} | dict(order.get("headers", {})),
            order.get("framing") != "close",
        )

    async def serve(self, request: web.Request, record: dict[str, Any]) -> web.StreamResponse:
        """Send the steps; without an `end` step the body ends properly."""
        if not self.framed:
            return await self._serve_unframed(request, record)
        response = web.StreamResponse(status=self.status, headers=self.headers)
        response.enable_chunked_encoding()
        await response.prepare(request)
        if await self._play(request, record, response.write):
            await response.write_eof()
        return response

    async def _serve_unframed(self, request: web.Request, record: dict[str, Any]) -> web.StreamResponse:
        """Neither chunks nor a length: the body ends where the connection does. The head is written by hand."""
        transport = request.transport
        assert isinstance(transport, asyncio.Transport)

        async def write(data: bytes) -> None:
            transport.write(data)

        head = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        await write(f"HTTP/1.1 {self.status} Scripted\r\n{head}Connection: close\r\n\r\n".encode())
        if await self._play(request, record, write):
            transport.close()
        return web.Response()

    async def _play(self, request: web.Request, record: dict[str, Any], write: Write) -> bool:
        """The steps in order; False if one of them has ended the connection."""
        for step in self.steps:
            key, value = next(iter(step.items()))
            if key in ("text", "base64"):
                data = value.encode() if key == "text" else base64.b64decode(value)
                if data:
                    await write(data)
                record["bytes"] += len(data)
                await asyncio.sleep(0)
            elif key == "pause_ms":
                await asyncio.sleep(value / 1000)
            elif key == "wait":
                await asyncio.Event().wait()
            elif value == "reset":
                await reset(request)
                return False
            elif request.transport is not None:
                request.transport.close()
                return False
        record["ended"] = "complete"
        return True
