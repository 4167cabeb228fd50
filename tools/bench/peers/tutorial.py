"""The backend of the well-known tutorials, made to stream: FastAPI, and a new httpx client for every request."""

import os
from collections.abc import AsyncIterator

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

app = FastAPI()


@app.post("/chat")
async def chat(request: Request) -> StreamingResponse:
    """Stream the upstream's answer."""
    text = (await request.json())["text"]

    async def lines() -> AsyncIterator[bytes]:
        asked = {"model": "m", "stream": True, "messages": [{"role": "user", "content": text}]}
        url = os.environ["UPSTREAM"] + "/v1/chat/completions"
        async with httpx.AsyncClient(timeout=120) as client, client.stream("POST", url, json=asked) as upstream:
            async for line in upstream.aiter_lines():
                if line:
                    yield line.encode() + b"\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream")


@app.get("/healthz")
async def healthz() -> dict[str, bool]:
    """Alive."""
    return {"alive": True}
