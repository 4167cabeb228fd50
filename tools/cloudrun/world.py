"""The whole local platform in one event loop: WeChat server API, demo relay, instances and gateway, in that order."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from cloudrun.control import Control, only_local
from cloudrun.fleet import Fleet
from cloudrun.gateway import Gateway
from cloudrun.identity import APPID, ENVIRONMENT, SHARED_APPID, Visits
from cloudrun.instances import GUNICORN, Instance, ProcessInstance, StartFailed
from cloudrun.relay.server import Relay
from cloudrun.wechat import WeChat

CONTAINER = Path(__file__).resolve().parents[2] / "container"
HOST = "127.0.0.1"


class PortTaken(RuntimeError):
    """The port is in use; the text says so in both languages."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"端口 {port} 已被占用，请关闭占用它的程序，或用 --port 换一个端口。"
            f" Port {port} is in use: stop the program that uses it, or choose another one with --port."
        )


@dataclass
class Plan:
    """What to start. Without `relay_url` a demo relay runs for each of `relays`: what it says is put into the entry of
    that upstream in `YUNLIAO_RELAYS` (docs/relays.md); one without words is the simple `YUNLIAO_RELAY_URL`. With
    `attach` no process is started. `unready`: a service that says what is missing in its settings is let be, as on the
    platform; otherwise that is a failed start, which a developer must see at once."""

    data: Path
    port: int = 0
    instances: int = 1
    env: Mapping[str, str] = field(default_factory=dict)
    relay_url: str = ""
    relay_key: str = ""
    relays: Sequence[Mapping[str, Any]] = ({},)
    model: str = ""
    store_url: str = ""
    preview: str = ""
    attach: Sequence[str] = ()
    folder: Path = CONTAINER
    command: Sequence[str] = GUNICORN
    restart: bool = False
    grace: float = 10.0
    unready: bool = False


def master_keys(data: Path) -> str:
    """The key ring of this data folder: generated once, kept in a file only its owner can read."""
    path = data / "master-keys"
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write("local1:" + base64.b64encode(secrets.token_bytes(32)).decode())
    return path.read_text("ascii").strip()


def relay_name(number: int) -> str:
    """What a demo relay is called, in addresses, in the control plane and as an upstream: relay, relay2, relay3, …"""
    return "relay" if number == 1 else f"relay{number}"


class World:
    """Everything that runs; `start` and `stop` in one event loop."""

    def __init__(self, plan: Plan, report: Callable[[str], None] = lambda line: None) -> None:
        self.plan, self.report = plan, report
        self.visits = Visits()
        self.wechat = WeChat(self.visits)
        self.relays = [] if plan.relay_url else [Relay() for _ in plan.relays]
        self.urls: dict[str, str] = {}
        self._runners: list[web.AppRunner] = []
        self._relay_servers: list[asyncio.Server] = []
        self.fleet: Fleet | None = None
        self.gateway: Gateway

    @property
    def url(self) -> str:
        """The gateway's origin."""
        return self.urls["gateway"]

    def environment(self) -> dict[str, str]:
        """The container's environment but for PORT, which each instance adds."""
        plan = self.plan
        env = {
            "YUNLIAO_ENV": "development",
            **self._upstreams(),
            "YUNLIAO_MODEL": plan.model or "demo-chat",
            "YUNLIAO_STORE_URL": plan.store_url or "sqlite:///" + (plan.data / "yunliao.db").as_posix(),
            "YUNLIAO_MASTER_KEYS": master_keys(plan.data),
            "YUNLIAO_WECHAT_API_URL": self.urls["wechat"],
            "YUNLIAO_APPIDS": f"{APPID},{SHARED_APPID}",
            "CBR_ENV_ID": ENVIRONMENT,
        }
        if "YUNLIAO_RELAYS" in plan.env:  # instead of ours: the two ways exclude each other
            env = {name: value for name, value in env.items() if not name.startswith("YUNLIAO_RELAY")}
        return env | dict(plan.env)

    def _upstreams(self) -> dict[str, str]:
        plan = self.plan
        if plan.relay_url or (len(plan.relays) == 1 and not plan.relays[0]):
            key = plan.relay_key or ("" if plan.relay_url else "demo-key")
            url = plan.relay_url or self.urls["relay"] + "/v1"
            # The demo relay is on this very machine; where another one is, only its operator knows.
            home = {} if plan.relay_url else {"YUNLIAO_RELAY_DOMESTIC": "on"}
            return {"YUNLIAO_RELAY_URL": url, "YUNLIAO_RELAY_KEY": key, **home}
        model = plan.model or "demo-chat"
        upstreams = [
            {
                "name": relay_name(number),
                "url": self.urls[relay_name(number)] + "/v1",
                "key": "demo-key",
                "models": {model: model},
                "priority": number,
                "domestic": True,
                **more,
            }
            for number, more in enumerate(plan.relays, 1)
        ]
        return {"YUNLIAO_RELAYS": json.dumps(upstreams)}

    async def _serve(self, name: str, app: web.Application, port: int, **options: Any) -> web.AppRunner:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, **options)
        await runner.setup()
        self._runners.append(runner)
        if not name.startswith("relay"):
            site = web.TCPSite(runner, HOST, port, backlog=1024)
            try:
                await site.start()
            except OSError:
                raise PortTaken(port) from None
            port = runner.addresses[0][1]
        self.urls[name] = f"http://{HOST}:{port}"
        return runner

    async def start(self) -> None:
        """Start all; ready when every instance is. Raises `PortTaken`, `StartFailed`, with nothing left running."""
        try:
            await self._start()
        except BaseException:
            await self.stop(0.0)
            raise

    async def _start(self) -> None:
        plan = self.plan
        plan.data = plan.data.resolve()
        plan.data.mkdir(parents=True, exist_ok=True)
        await self._serve("wechat", self.wechat.application(), 0, handler_cancellation=True)
        for number, relay in enumerate(self.relays, 1):
            name = relay_name(number)
            runner = await self._serve(name, relay.application(), 0, handler_cancellation=True)
            loop = asyncio.get_running_loop()
            server = await loop.create_server(relay.protocol(runner.server), HOST, 0, backlog=1024)
            self._relay_servers.append(server)
            self.urls[name] = f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
        self.fleet = Fleet(self._instances(), restart=plan.restart, grace=plan.grace, report=self.report)
        self.gateway = Gateway(self.fleet, self.visits, preview_url=plan.preview)
        app = self.gateway.application()
        app.middlewares.append(only_local)
        facts: dict[str, Any] = {"data": str(plan.data), "preview": plan.preview}
        relays = {relay_name(number): relay for number, relay in enumerate(self.relays, 1)}
        Control(self.gateway, relays=relays, wechat=self.wechat, facts=facts).add(app)
        await self._serve(
            "gateway", app, plan.port, handler_cancellation=True
        )  # first, so that a taken port is found before anything is spawned
        facts["urls"] = self.urls
        env = self.environment()
        for instance in self.fleet.instances:
            if isinstance(instance, ProcessInstance):
                instance.env = env
        self.report(f"starting {len(self.fleet.instances)} instance(s)")
        await self.fleet.start()
        if not plan.unready:
            for instance in self.fleet.instances:
                await self._check_settings(instance)

    async def _check_settings(self, instance: Instance) -> None:
        """Raises `StartFailed` with the instance's own words when its settings keep it from working."""
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError, ValueError):
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15)) as session,
                session.get(instance.url + "/readyz", allow_redirects=False) as answer,
            ):
                told = await answer.json()
                if isinstance(told, dict) and "settings" in told:
                    wrong = [check["detail"] for check in told["checks"] if not check["ok"]]
                    lines = [
                        f"{one['name']} {one['problem_zh']} · {one['problem']}" for one in told["settings"]
                    ] or wrong
                    where = getattr(instance, "log_path", "its log")
                    listed = "".join(f"\n    {line}" for line in lines)
                    raise StartFailed(
                        f"instance {instance.number} cannot work with these settings; see {where}{listed}"
                    )

    def _instances(self) -> list[Instance]:
        plan = self.plan
        if plan.attach:
            return [Instance(n, url) for n, url in enumerate(plan.attach, 1)]
        return [
            ProcessInstance(n, folder=plan.folder, data=plan.data, env={}, command=plan.command)
            for n in range(1, plan.instances + 1)
        ]

    async def stop(self, grace: float | None = None) -> None:
        """Stop the instances and all servers; never takes much longer than the grace time."""
        if self.fleet is not None:
            await self.fleet.stop(grace)
        for server in self._relay_servers:
            server.close()
        for runner in reversed(self._runners):
            await runner.cleanup()
        self._runners.clear()
