"""Customer-service messages of the simulated server API: who wrote may be answered, five times, for a while."""

from __future__ import annotations

import json
import re
import time
from collections import deque
from typing import Any

from aiohttp import web

from cloudrun.switches import Switches

OPENID = re.compile(r"[A-Za-z0-9_-]{28}")
MAX_BYTES = 2048
REPLIES = 5
"""Messages after one of the user's."""
WINDOW = 48 * 3600.0
"""How long they may come, seconds."""
TYPING_SECONDS = 2.0
KEPT = 10_000


class Letters:
    """`/cgi-bin/message/custom/*`. Tests say with `wrote` that somebody wrote to customer service."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._wrote: dict[str, tuple[float, int]] = {}
        self._typing: dict[str, float] = {}
        self.sent: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def add_control(self, routes: web.UrlDispatcher, prefix: str) -> None:
        """Routes for tests."""
        routes.add_post(prefix + "/wrote", self._note)
        routes.add_get(prefix + "/letters", self._list)

    def forget(self) -> None:
        """As if nobody ever wrote."""
        self._wrote.clear()
        self._typing.clear()
        self.sent.clear()

    async def _note(self, request: web.Request) -> web.Response:
        order = json.loads(await request.read())
        self._wrote[str(order["openid"])] = (time.monotonic(), REPLIES)
        return web.json_response({"ok": True})

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response({"letters": list(self.sent)})

    async def send(self, request: web.Request) -> web.Response:
        """One message; the record keeps what was sent and what was answered."""
        raw = await request.read()
        switches = self._switches.take()
        code = switches["custom_errcode"] or self._judged(raw)
        body = _body(raw)
        self.sent.append({"kind": "message", "openid": body.get("touser"), "text": _text(body), "errcode": code})
        return self._answer(code, switches)

    async def typing(self, request: web.Request) -> web.Response:
        """The sign that an answer is being written."""
        raw = await request.read()
        switches = self._switches.take()
        body = _body(raw)
        openid, now = str(body.get("touser", "")), time.monotonic()
        code = 0 if OPENID.fullmatch(openid) and body.get("command") in ("Typing", "CancelTyping") else 40003
        if not code and now - self._typing.get(openid, -TYPING_SECONDS) < TYPING_SECONDS:
            code = 45081
        self._typing[openid] = now
        self.sent.append({"kind": "typing", "openid": openid, "errcode": code})
        return self._answer(code, switches)

    def _judged(self, raw: bytes) -> int:
        body = _body(raw)
        openid, text = str(body.get("touser", "")), _text(body)
        if body.get("msgtype") != "text" or not text:
            return 44002 if not raw.strip() else 47001
        if not OPENID.fullmatch(openid):
            return 40003
        if len(text.encode()) > MAX_BYTES:
            return 45002
        at, left = self._wrote.get(openid, (0.0, 0))
        if openid not in self._wrote or time.monotonic() - at > WINDOW:
            return 45015
        if not left:
            return 45047
        self._wrote[openid] = (at, left - 1)
        return 0

    @staticmethod
    def _answer(code: int, switches: Any) -> web.Response:
        headers = {} if switches["sidecar_missing"] else {"x-openapi-seqid": "local-letter"}
        return web.json_response({"errcode": code, "errmsg": "ok" if not code else "refused"}, headers=headers)


def _body(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _text(body: dict[str, Any]) -> str:
    text = body.get("text")
    return str(text.get("content", "")) if isinstance(text, dict) else ""
