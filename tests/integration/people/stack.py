"""Whole instances in this process over one store, with a relay and a WeChat that are plain HTTP servers."""

import base64
import itertools
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from yunliao.bootstrap import Services, build_services
from yunliao.domain.principal import Principal
from yunliao.factory import create_app
from yunliao.settings import Settings

LIMIT = 30.0
"""Seconds until a test gives up waiting; nothing here is timed."""
MASTER = "k1:" + base64.b64encode(bytes(range(32))).decode()
APPID = "wxpeople0001"


class Relay:
    """An upstream that says `words`. While `holding`, it says the first word and then nothing until `release`."""

    def __init__(self) -> None:  # noqa: C901  a small server
        self.words = ["这是", "一个", "回答。"]
        self.reasoning = ""
        self.asked: list[dict[str, Any]] = []
        self.moderated: list[dict[str, Any]] = []
        self.refuse = 0
        self.holding = False
        self.release = threading.Event()
        self.gone = threading.Event()
        """Set when the client left while it was held."""
        relay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None: ...

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path.endswith("/moderations"):
                    relay.moderated.append(body)
                    self._whole(200, {"results": [{"flagged": False}]})
                    return
                relay.asked.append(body)
                if relay.refuse:
                    self._whole(relay.refuse, {"error": {"message": "no"}})
                    return
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                self.close_connection = True
                try:
                    self._say()
                except OSError:
                    relay.gone.set()

            def _say(self) -> None:
                if relay.reasoning:
                    self._chunk({"reasoning_content": relay.reasoning})
                for number, word in enumerate(relay.words):
                    self._chunk({"content": word})
                    while number == 0 and relay.holding and not relay.release.is_set():
                        self.wfile.write(b": still here\n\n")
                        self.wfile.flush()
                        time.sleep(0.05)
                usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
                end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": usage}
                self.wfile.write(f"data: {json.dumps(end)}\n\ndata: [DONE]\n\n".encode())

            def _chunk(self, delta: dict[str, str]) -> None:
                told = {"choices": [{"index": 0, "delta": delta}]}
                self.wfile.write(f"data: {json.dumps(told)}\n\n".encode())
                self.wfile.flush()

            def _whole(self, status: int, told: Any) -> None:
                raw = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()


class Wechat:
    """A server API that lets everything pass, but text with `blocked`."""

    def __init__(self) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None: ...

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                suggest = "risky" if "违禁演示" in asked["content"] else "pass"
                told = {"errcode": 0, "errmsg": "ok", "trace_id": "t", "result": {"suggest": suggest, "label": 100}}
                raw = json.dumps(told).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("X-Openapi-Seqid", "seq")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Instance:
    """One instance: its application and its services."""

    def __init__(self, env: dict[str, str]) -> None:
        settings = Settings.from_env(env)
        self.services: Services = build_services(settings)
        self.app: Flask = create_app(settings, self.services)

    def close(self) -> None:
        self.services.drain(0)
        self.services.close()


class Person:
    """A caller of some instance; `openid` as the platform injects it."""

    def __init__(self, name: str) -> None:
        self.openid = f"o{name}".ljust(28, "0")
        self.principal = Principal(openid=self.openid, appid=APPID)
        self.headers = {"X-WX-SOURCE": "wx_client", "X-WX-OPENID": self.openid, "X-WX-APPID": APPID}

    def ask(self, where: Instance, method: str, path: str, body: Any = None) -> TestResponse:
        return where.app.test_client().open(path, method=method, json=body, headers=self.headers)

    def call(self, where: Instance, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer that must be good."""
        answer = self.ask(where, method, path, body)
        assert answer.status_code < 400, (method, path, answer.status_code, answer.get_json())
        return answer.get_json()

    def code(self, where: Instance, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Status and code of a refusal."""
        answer = self.ask(where, method, path, body)
        return answer.status_code, (answer.get_json() or {}).get("error", {}).get("code", "")

    def agree(self, where: Instance, *, overseas: bool = True) -> "Person":
        self.call(where, "PUT", "/v1/me/consent", {"version": "latest", "overseas": overseas})
        return self

    def send(self, where: Instance, text: str, **more: Any) -> dict[str, Any]:
        body = {"client_id": uuid.uuid4().hex, "text": text, **more}
        turn: dict[str, Any] = self.call(where, "POST", "/v1/turns", body)["turn"]
        return turn

    def chat(self, where: Instance, text: str, **more: Any) -> dict[str, Any]:
        """Send, and wait for the end: the turn."""
        turn = self.send(where, text, **more)
        self.end(where, turn["id"])
        return turn

    def events(self, where: Instance, turn: str) -> list[dict[str, Any]]:
        """All events to the end."""
        found: list[dict[str, Any]] = []
        until = time.monotonic() + LIMIT
        while time.monotonic() < until:
            after = found[-1]["seq"] if found else 0
            piece = self.call(where, "GET", f"/v1/turns/{turn}/events?after={after}&wait=2")
            found += piece["events"]
            if not piece["live"]:
                return found
        raise AssertionError("no end")

    def end(self, where: Instance, turn: str) -> dict[str, Any]:
        """The terminal event."""
        return self.events(where, turn)[-1]

    def export(self, where: Instance, form: str = "json") -> str:
        """The file."""
        parts = list(self.parts(where, form))
        return "".join(part["content"] for part in parts)

    def parts(self, where: Instance, form: str = "json") -> Iterator[dict[str, Any]]:
        cursor = ""
        for number in itertools.count(1):
            part = self.call(where, "GET", f"/v1/me/export?format={form}" + (f"&cursor={cursor}" if cursor else ""))
            assert part["part"] == number
            yield part
            if part["next"] is None:
                return
            cursor = part["next"]


class Stack:
    """A store, upstreams, and as many instances over them as a test wants."""

    def __init__(self, store_url: str, **env: str) -> None:
        self.relay, self.abroad, self.wechat = Relay(), Relay(), Wechat()
        self.env = {
            "YUNLIAO_ENV": "development",
            "YUNLIAO_STORE_URL": store_url,
            "YUNLIAO_MASTER_KEYS": MASTER,
            "YUNLIAO_APPIDS": APPID,
            "YUNLIAO_WECHAT_API_URL": self.wechat.url,
            "YUNLIAO_RATE_LIMIT": "1000/minute",
            "YUNLIAO_LEASE_SECONDS": "1",
            "YUNLIAO_JOBS_SECRET": "a-secret-of-sixteen",
            "YUNLIAO_RELAYS": json.dumps([upstream("home", self.relay, ["demo"], domestic=True)]),
            **env,
        }
        self._open: list[Instance] = []

    def start(self, **env: str) -> Instance:
        """One more instance."""
        made = Instance({**self.env, **env})
        self._open.append(made)
        return made

    def stop(self, instance: Instance) -> None:
        self._open.remove(instance)
        instance.close()

    def close(self) -> None:
        self.relay.release.set()
        self.abroad.release.set()
        for instance in self._open:
            instance.close()
        for server in (self.relay, self.abroad, self.wechat):
            server.close()


def upstream(name: str, relay: Relay, models: list[str], **more: Any) -> dict[str, Any]:
    return {"name": name, "url": relay.url, "models": {model: model for model in models}, **more}


@contextmanager
def stack(store_url: str, **env: str) -> Iterator[Stack]:
    made = Stack(store_url, **env)
    try:
        yield made
    finally:
        made.close()


def wait_until(true: Callable[[], object], what: str) -> None:
    """Until it is so. Raises `AssertionError`."""
    until = time.monotonic() + LIMIT
    while not true():
        assert time.monotonic() < until, what
        time.sleep(0.02)
