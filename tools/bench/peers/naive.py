"""The Flask proxy as most people write it: no identity, no moderation, no store; every upstream line is handed on."""

import os

import requests
from flask import Flask, Response, request

app = Flask(__name__)


@app.post("/chat")
def chat() -> Response:
    """Stream the upstream's answer."""
    asked = {"model": "m", "stream": True, "messages": [{"role": "user", "content": request.get_json()["text"]}]}
    upstream = requests.post(os.environ["UPSTREAM"] + "/v1/chat/completions", json=asked, stream=True, timeout=120)

    def lines():  # type: ignore[no-untyped-def]
        for line in upstream.iter_lines():
            if line:
                yield line + b"\n\n"

    return Response(lines(), mimetype="text/event-stream")


@app.get("/healthz")
def healthz() -> dict[str, bool]:
    """Alive."""
    return {"alive": True}
