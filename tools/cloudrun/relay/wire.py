"""The demo relay's answers on the wire: OpenAI chunks as server-sent events, and the faults that corrupt them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from cloudrun.gateway import reset
from cloudrun.relay.answers import tokens
from cloudrun.switches import View


class Cut(Exception):
    """The connection ends here, by a fault."""


def pieces(text: str, switches: View) -> list[str]:
    """The text as it is cut into chunks."""
    size = switches["chunk_characters"]
    if size > 0:
        return [text[i : i + size] for i in range(0, len(text), size)]
    parts, size = tokens(text), max(1, switches["chunk_tokens"])
    return ["".join(parts[i : i + size]) for i in range(0, len(parts), size)]


class Stream:
    """One streamed answer being written. `record` is the request's row in /__sim/requests."""

    def __init__(self, request: web.Request, switches: View, record: dict[str, Any], model: str) -> None:
        self.request, self.switches, self.record, self.model = request, switches, record, model
        self.response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
        )
        self.response.enable_chunked_encoding()
        self.id = f"chatcmpl-demo-{record['n']}"
        self.written = 0
        self.texts = 0
        self.spoken = 0

    async def raw(self, data: bytes) -> None:
        """Write bytes of the body, cut into pieces and cut off as the switches say. Raises `Cut`."""
        limit = self.switches["cut_after_bytes"]
        last = limit >= 0 and self.written + len(data) >= limit
        if last:
            data = data[: limit - self.written]
        step = self.switches["split_bytes"] or len(data)
        for start in range(0, len(data), step or 1):
            await self.response.write(data[start : start + step])
            if self.switches["split_bytes"]:
                await asyncio.sleep(0)  # its own packet
        self.written += len(data)
        self.record["bytes"] = self.written
        if last:
            raise Cut

    async def line(self, text: str) -> None:
        """One event with these data."""
        end = "\r\n" if self.switches["crlf"] else "\n"
        comment = f": demo{end}{end}" if self.switches["comments"] else ""
        await self.raw(f"{comment}data: {text}{end}{end}".encode())

    async def chunk(self, delta: dict[str, Any], finish: str | None = None, **more: Any) -> None:
        """One chat.completion.chunk."""
        body = {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": 1_700_000_000,
            "model": self.model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
            **more,
        }
        await self.line(json.dumps(body, ensure_ascii=False, separators=(",", ":")))

    async def quiet(self, seconds: float | None) -> None:
        """Say nothing for this long (None = until the caller hangs up), but for heartbeat comments if switched on."""
        beat = self.switches["heartbeat_ms"] / 1000
        until = None if seconds is None else time.monotonic() + seconds
        while until is None or time.monotonic() < until:
            left = 3600.0 if until is None else until - time.monotonic()
            await asyncio.sleep(min(left, beat or left))
            if beat:
                await self.raw(b": keep-alive\n\n")

    async def _before(self, total: int) -> None:
        """Faults that strike at this place in the text. Raises `Cut`."""
        if self.texts == self.switches["malformed_after_chunks"]:
            await self.line('{"id":"chatcmpl-demo","choices":[{"index":0,"delta":{"content":"')
        if self.texts == self.switches["stall_after_chunks"]:
            self.record["ended"] = "stalled"
            await self.quiet(None)
        if self.texts == self.switches["error_after_chunks"]:
            error = {"message": "The demo relay was told to fail here.", "type": "server_error", "code": "demo_error"}
            await self.line(json.dumps({"error": error}))
            raise Cut("end")
        if self.texts == self.switches["forged_done_after_chunks"]:
            await self.line("[DONE]")
            raise Cut("end")
        if self.spoken >= self._cut_place(total):
            raise Cut

    def _cut_place(self, total: int) -> int:
        """The character of the text before which a cut comes; beyond the text if there is none."""
        share = self.switches["cut_at_percent"]
        return total * share // 100 if share >= 0 else total + 1

    async def say(self, parts: list[str], field: str, generated: Callable[[int], Awaitable[None]]) -> None:
        """The parts as chunks of `field` (content or reasoning_content), each after its time. Raises `Cut`."""
        total = sum(map(len, parts))
        for part in parts:
            if field == "content":
                await self._before(total)
                part = part[: self._cut_place(total) - self.spoken]
            await generated(len(tokens(part)))
            await self.chunk({field: part})
            if field == "content":
                self.texts += 1
                self.spoken += len(part)
                self.record["text_chunks"], self.record["text_characters"] = self.texts, self.spoken
        if field == "content":
            await self._before(total)

    async def finish(self, reason: str, usage: dict[str, Any] | None) -> None:
        """finish_reason, usage and [DONE], as far as they are switched on."""
        if not self.switches["no_finish"]:
            await self.chunk({}, self.switches["finish_reason"] or reason)
        if usage is not None:
            await self.line(
                json.dumps(
                    {
                        "id": self.id,
                        "object": "chat.completion.chunk",
                        "created": 1_700_000_000,
                        "model": self.model,
                        "choices": [],
                        "usage": usage,
                    }
                )
            )
        if not self.switches["no_done"]:
            await self.line("[DONE]")

    async def end(self, cut: Cut | None) -> web.StreamResponse:
        """End the body: properly, or the way the cut says."""
        how = "end" if cut is None or cut.args else self.switches["cut_how"]
        if cut is not None:
            self.record["ended"] = "cut" if not cut.args else "fault"
        if how == "end":
            await self.response.write_eof()
        elif how == "reset":
            await reset(self.request)
        elif self.request.transport is not None:
            self.request.transport.close()
        return self.response
