"""One generation of the demo relay: what it will say, and how it goes out, whole or as a stream."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from cloudrun.gateway import abort
from cloudrun.relay import answers
from cloudrun.relay.failures import failure
from cloudrun.relay.wire import Cut, Stream, pieces
from cloudrun.switches import View


@dataclass(frozen=True)
class Saying:
    """The words of one answer, their end and their price, before any fault strikes."""

    model: str
    thought: str
    text: str
    reason: str
    usage: dict[str, Any]

    @classmethod
    def of(cls, body: dict[str, Any], model: str, switches: View, compose: Callable[[answers.Messages], str]) -> Saying:
        """What `compose` or the switches have the model say to the request, cut at its token limit."""
        messages = body["messages"]
        thought = switches["reasoning"] or (answers.reasoning(messages) if model == "demo-reasoner" else "")
        text = "" if switches["empty"] == "stream" else switches["answer"] or compose(messages)
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
        return cls(model, thought, text, reason, usage)


async def generate(
    request: web.Request,
    body: dict[str, Any],
    model: str,
    switches: View,
    record: dict[str, Any],
    compose: Callable[[answers.Messages], str],
) -> web.StreamResponse:
    """Answer the request as the switches say; `record` is its row in the list of requests."""
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
    saying = Saying.of(body, model, switches, compose)
    if not body.get("stream") or switches["json_answer"]:
        return await _at_once(saying, switches, record)
    options = body.get("stream_options") or {}
    wants = switches["usage"] == "always" or (switches["usage"] == "asked" and bool(options.get("include_usage")))
    return await _stream(request, saying, wants, switches, record)


async def _at_once(saying: Saying, switches: View, record: dict[str, Any]) -> web.Response:
    pace, usage = switches["tokens_per_second"], saying.usage
    await asyncio.sleep(switches["first_token_ms"] / 1000 + (usage["completion_tokens"] / pace if pace else 0))
    record["generated_tokens"], record["ended"] = usage["completion_tokens"], "complete"
    if switches["empty"] == "body":
        return web.Response(content_type="application/json")
    message: dict[str, Any] = {"role": "assistant", "content": saying.text}
    if saying.thought:
        message["reasoning_content"] = saying.thought
    return web.json_response(
        {
            "id": f"chatcmpl-demo-{record['n']}",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": saying.model,
            "choices": [{"index": 0, "message": message, "finish_reason": switches["finish_reason"] or saying.reason}],
            "usage": usage,
        },
        dumps=lambda value: json.dumps(value, ensure_ascii=False),
    )


async def _stream(
    request: web.Request, saying: Saying, with_usage: bool, switches: View, record: dict[str, Any]
) -> web.StreamResponse:
    stream = Stream(request, switches, record, saying.model)
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
            await stream.say(pieces(saying.thought, switches), "reasoning_content", generated)
            await stream.say(pieces(saying.text, switches), "content", generated)
            await stream.finish(saying.reason, saying.usage if with_usage else None)
        record["ended"] = "complete"
    except Cut as end:
        cut = end
    return await stream.end(cut)
