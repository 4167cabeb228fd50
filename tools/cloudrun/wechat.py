"""The WeChat server API as a container meets it: plain HTTP, no token, `msg_sec_check` v2 (platform.md §4, §5.1)."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import random
import re
import time
from collections import deque
from typing import Any

from aiohttp import web

from cloudrun.control import only_local, order_of, refuse, switch_route
from cloudrun.gateway import abort
from cloudrun.identity import APPID, Visits
from cloudrun.switches import SwitchError, Switches, View
from cloudrun.wechat_letters import Letters
from cloudrun.wechat_switches import WECHAT_SWITCHES

MESSAGES = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40003: "invalid openid",
    40129: "invalid scene",
    43002: "require POST method",
    43104: "openid does not match appid",
    44002: "empty post data",
    44991: "reach minute quota limit",
    45002: "content size out of limit",
    45009: "reach max api daily quota limit",
    45015: "response out of time limit or subscription is canceled",
    45047: "out of response count limit",
    45081: "already typing",
    47001: "data format error",
    48001: "api unauthorized",
    61010: "code is expired",
    85107: "api is not in the permission list",
    85113: "cloudbase_token is not ready yet",
    87014: "risky content",
}
OPENID = re.compile(r"[A-Za-z0-9_-]{28}")
SCENES = (1, 2, 3, 4)
MAX_CONTENT = 2500
KEPT_CALLS = 20_000


class Refused(Exception):
    """A call that gets an errcode instead of a verdict."""

    def __init__(self, errcode: int) -> None:
        super().__init__(errcode)
        self.errcode = errcode


class WeChat:
    """The simulated server, sharing `visits` with the gateway."""

    def __init__(self, visits: Visits, *, appid: str = APPID) -> None:
        self.visits, self.appid = visits, appid
        self.switches = Switches(WECHAT_SWITCHES)
        self.calls: deque[dict[str, Any]] = deque(maxlen=KEPT_CALLS)
        self.total = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self._minute: deque[float] = deque()
        self._jitter = random.Random(5)
        self.letters = Letters(self.switches)

    def application(self) -> web.Application:
        """The server: the API, and /__sim/ for tests that run it alone."""
        app = web.Application(client_max_size=32 * 1024 * 1024, middlewares=[only_local])
        app.router.add_route("*", "/wxa/msg_sec_check", self.msg_sec_check)
        app.router.add_post("/cgi-bin/message/custom/send", self.letters.send)
        app.router.add_post("/cgi-bin/message/custom/typing", self.letters.typing)
        self.add_control(app.router, "/__sim")
        app.router.add_post("/__sim/faults", switch_route(self.switches))
        app.router.add_route("*", "/{path:.*}", self._not_permitted)
        return app

    def add_control(self, routes: web.UrlDispatcher, prefix: str) -> None:
        """Routes to change the switches and read the calls under `prefix`."""
        routes.add_post(prefix, switch_route(self.switches))
        routes.add_get(prefix, self._state)
        routes.add_get(prefix + "/calls", self._calls)
        routes.add_post(prefix + "/visit", self._visit)
        routes.add_post(prefix + "/forget", self._forget)
        self.letters.add_control(routes, prefix)

    async def _state(self, request: web.Request) -> web.Response:
        return web.json_response(self.switches.state())

    async def _calls(self, request: web.Request) -> web.Response:
        by_errcode: dict[str, int] = {}
        for call in self.calls:
            by_errcode[str(call["errcode"])] = by_errcode.get(str(call["errcode"]), 0) + 1
        return web.json_response(
            {
                "total": self.total,
                "in_flight": self.in_flight,
                "most_in_flight": self.most_in_flight,
                "by_errcode": by_errcode,
                "calls": list(self.calls),
            }
        )

    async def _visit(self, request: web.Request) -> web.Response:
        try:
            order = await order_of(request)
        except SwitchError as error:
            return refuse(400, str(error))
        self.visits.note(str(order.get("openid", "")), str(order.get("appid", self.appid)))
        return web.json_response({"ok": True})

    async def _forget(self, request: web.Request) -> web.Response:
        self.visits.seen.clear()
        self.calls.clear()
        self._minute.clear()
        self.letters.forget()
        self.total = self.most_in_flight = 0
        return web.json_response({"ok": True})

    async def _not_permitted(self, request: web.Request) -> web.Response:
        return self._answer({"errcode": 85107, "errmsg": MESSAGES[85107]}, self.switches.take())

    async def msg_sec_check(self, request: web.Request) -> web.StreamResponse:
        """One check. What it decided goes to the record before the answer leaves."""
        raw = await request.read()
        body = self._parsed(raw)
        content = body.get("content", "") if body is not None else ""
        switches = self.switches.take(content if isinstance(content, str) else "")
        self.total += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        record = self._record(raw, body, switches)
        try:
            await self._delay(switches)
            if switches["drop"]:
                record["errcode"] = "drop"
                abort(request)
                return web.Response()
            if switches["http_status"] != 200:
                record["errcode"] = f"http {switches['http_status']}"
                return web.Response(
                    status=switches["http_status"], text="<html>Bad Gateway</html>", content_type="text/html"
                )
            if switches["garbage"]:
                record["errcode"] = "garbage"
                return web.Response(text='{"errcode": 0, <<<', content_type="application/json")
            try:
                answer = self._checked(request, raw, body, switches)
            except Refused as refused:
                answer = {"errcode": refused.errcode, "errmsg": MESSAGES.get(refused.errcode, "system error")}
            record["errcode"] = answer["errcode"]
            record["suggest"] = answer.get("result", {}).get("suggest", "")
            trace = {"trace_id": hashlib.sha256(f"trace {self.total}".encode()).hexdigest()[:32]}
            return self._answer(answer | trace, switches)
        finally:
            self.in_flight -= 1

    @staticmethod
    def _parsed(raw: bytes) -> dict[str, Any] | None:
        with contextlib.suppress(ValueError):
            body = json.loads(raw)
            return body if isinstance(body, dict) else None
        return None

    async def _delay(self, switches: View) -> None:
        if switches["hang"]:
            await asyncio.Event().wait()  # ends when the caller hangs up
        jitter = self._jitter.random() * switches["jitter_ms"]
        await asyncio.sleep((switches["latency_ms"] + jitter) / 1000)

    def _record(self, raw: bytes, body: dict[str, Any] | None, switches: View) -> dict[str, Any]:
        body = body or {}
        content = body.get("content")
        record: dict[str, Any] = {
            "n": self.total,
            "bytes": len(raw),
            "characters": len(content) if isinstance(content, str) else None,
            "openid_hash": hashlib.sha256(str(body.get("openid", "")).encode()).hexdigest()[:16],
            "version": body.get("version"),
            "scene": body.get("scene"),
            "errcode": "unanswered",
            "suggest": "",
        }
        if switches["record_content"]:
            record["content"] = content
        self.calls.append(record)
        return record

    def _checked(self, request: web.Request, raw: bytes, body: dict[str, Any] | None, switches: View) -> dict[str, Any]:
        if switches["errcode"]:
            raise Refused(switches["errcode"])
        if request.method != "POST":
            raise Refused(43002)
        if not raw.strip():
            raise Refused(44002)
        if body is None or "access_token" in body or not isinstance(body.get("content"), str):
            raise Refused(47001)
        content = body["content"]
        if not content:
            raise Refused(44002)
        if len(content) > MAX_CONTENT:
            raise Refused(switches["oversize_errcode"])
        self._count(switches)
        if "version" not in body and "scene" not in body and "openid" not in body:
            if self._suggest(content, switches) == "risky":
                raise Refused(87014)
            return {"errcode": 0, "errmsg": "ok"}
        self._check_fields(request, body, switches)
        if switches["no_result"]:
            return {"errcode": 0, "errmsg": "ok"}
        parts = [content, *(body[name] for name in ("title", "nickname") if isinstance(body.get(name), str))]
        return self._verdict("\n".join(parts), switches)

    def _check_fields(self, request: web.Request, body: dict[str, Any], switches: View) -> None:
        if type(body.get("version")) is not int or body["version"] != 2:
            raise Refused(47001)
        if type(body.get("scene")) is not int or body["scene"] not in SCENES:
            raise Refused(40129)
        openid = body.get("openid")
        if not isinstance(openid, str) or not OPENID.fullmatch(openid):
            raise Refused(40003)
        speaks_for = request.query.get("from_appid") or self.appid
        owner = self.visits.appid_of(openid)
        if owner and owner != speaks_for:
            raise Refused(43104)
        if switches["two_hour_rule"] and not self.visits.recent(openid, switches["visit_seconds"]):
            raise Refused(61010)

    def _count(self, switches: View) -> None:
        now = time.monotonic()
        while self._minute and now - self._minute[0] >= 60:
            self._minute.popleft()
        if len(self._minute) >= switches["minute_limit"]:
            raise Refused(44991)
        if self.total > switches["day_limit"]:
            raise Refused(45009)
        self._minute.append(now)

    @staticmethod
    def _suggest(content: str, switches: View) -> str:
        if switches["suggest"]:
            return str(switches["suggest"])
        if any(phrase in content for phrase in switches["risky_phrases"]):
            return "risky"
        return "review" if any(phrase in content for phrase in switches["review_phrases"]) else "pass"

    def _verdict(self, content: str, switches: View) -> dict[str, Any]:
        suggest = self._suggest(content, switches)
        label = 100 if suggest == "pass" else switches["label"] or 20006
        detail: list[dict[str, Any]] = [
            {"strategy": "content_model", "errcode": 0, "suggest": suggest, "label": label, "prob": 90}
        ]
        found = [p for p in (*switches["risky_phrases"], *switches["review_phrases"]) if p in content]
        if found and suggest != "pass":
            detail.append(
                {
                    "strategy": "keyword",
                    "errcode": 0,
                    "suggest": suggest,
                    "label": label,
                    "level": 90,
                    "keyword": found[0],
                }
            )
        if switches["failed_strategy"]:
            detail.append({"strategy": "ocr", "errcode": -1, "suggest": "risky", "label": 20002})
        return {"errcode": 0, "errmsg": "ok", "result": {"suggest": suggest, "label": label}, "detail": detail}

    def _answer(self, body: dict[str, Any], switches: View) -> web.Response:
        headers = {} if switches["sidecar_missing"] else {"x-openapi-seqid": f"local-{self.total}"}
        return web.json_response(body, headers=headers)
