"""The local Cloud Run for tests: everything in a thread of its own, driven by plain blocking calls."""

from __future__ import annotations

import asyncio
import http.client
import json
import shutil
import tempfile
import threading
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from cloudrun.instances import GUNICORN
from cloudrun.world import CONTAINER, Plan, World, relay_name


class LocalCloudRun:
    """`with LocalCloudRun(instances=2, env={…}) as cloud:` gives a running platform at `cloud.url`.

    `folder` and `command` say what an instance is (the container and its gunicorn command by default); `attach`
    gives addresses of instances instead. Without `data` a temporary folder is used and removed. Entering raises
    `StartFailed` or `PortTaken`; leaving stops everything.
    """

    def __init__(
        self,
        *,
        instances: int = 1,
        data: Path | str | None = None,
        env: Mapping[str, str] | None = None,
        port: int = 0,
        attach: Sequence[str] = (),
        folder: Path | str = CONTAINER,
        command: Sequence[str] = GUNICORN,
        relay_url: str = "",
        relay_key: str = "",
        relays: Sequence[Mapping[str, Any]] = ({},),
        model: str = "",
        store_url: str = "",
        preview: str = "",
        restart: bool = False,
        grace: float = 10.0,
        unready: bool = False,
    ) -> None:
        self._temporary = data is None
        self.data = Path(data) if data is not None else Path(tempfile.mkdtemp(prefix="yunliao-"))
        self.world = World(
            Plan(
                data=self.data,
                port=port,
                instances=instances,
                env=dict(env or {}),
                relay_url=relay_url,
                relay_key=relay_key,
                relays=tuple(relays),
                model=model,
                store_url=store_url,
                preview=preview,
                attach=tuple(attach),
                folder=Path(folder),
                command=tuple(command),
                restart=restart,
                grace=grace,
                unready=unready,
            )
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="local-cloud-run", daemon=True)

    def __enter__(self) -> LocalCloudRun:
        self._thread.start()
        try:
            self._wait(self.world.start())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._wait(self.world.stop())
        finally:
            self._end()

    def _wait(self, work: Coroutine[Any, Any, Any], limit: float = 180.0) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(limit)

    def _end(self) -> None:
        async def last_tasks() -> None:
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._loop.shutdown_asyncgens()

        self._wait(last_tasks(), 30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()
        if self._temporary:
            shutil.rmtree(self.data, ignore_errors=True)

    @property
    def url(self) -> str:
        """The gateway's origin."""
        return self.world.url

    @property
    def relay_url(self) -> str:
        """The demo relay's origin (without /v1)."""
        return self.world.urls["relay"]

    @property
    def wechat_url(self) -> str:
        """The WeChat server API's origin."""
        return self.world.urls["wechat"]

    def control(self, path: str, order: Mapping[str, Any] | None = None, *, method: str | None = None) -> Any:
        """Call `/__local/<path>` (GET without an order, else POST); the JSON answer. Raises `ValueError` if refused."""
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port or 80, timeout=120)
        try:
            body = None if order is None else json.dumps(order, ensure_ascii=False).encode()
            verb = method or ("GET" if order is None else "POST")
            connection.request(verb, f"/__local/{path}", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != 200:
            raise ValueError(content.get("error", answer.status))
        return content

    def state(self) -> Any:
        """`/__local/state`."""
        return self.control("state")

    def faults(self, **switches: Any) -> Any:
        """Turn switches of the gateway."""
        return self.control("faults", switches)

    def relay(self, number: int = 1, /, **switches: Any) -> Any:
        """Turn switches of a demo relay."""
        return self.control(relay_name(number), switches)

    def wechat(self, **switches: Any) -> Any:
        """Turn switches of the WeChat server API."""
        return self.control("wechat", switches)

    def reset(self) -> None:
        """Put every switch back to rest and forget all records, visits and scripts."""
        self.faults(reset=True)
        self.wechat(reset=True)
        self.control("wechat/forget", {})
        for number, _ in enumerate(self.world.relays, 1):
            self.relay(number, reset=True)
            self.control(f"{relay_name(number)}/forget", {})

    def relay_requests(self, number: int = 1) -> Any:
        """What a demo relay was asked: `{"total", "live", "requests"}`."""
        return self.control(f"{relay_name(number)}/requests")

    def wechat_calls(self) -> Any:
        """What the WeChat server API was asked: `{"total", "by_errcode", "calls", …}`."""
        return self.control("wechat/calls")

    def tell(self, n: int, what: str) -> Any:
        """Tell instance n: kill, term, start, freeze, thaw, restart."""
        return self.control(f"instances/{n}/{what}", {})

    def kill(self, n: int) -> Any:
        """kill -9 of instance n and everything in its process group."""
        return self.tell(n, "kill")

    def start(self, n: int) -> Any:
        """Start instance n again; returns when it is ready."""
        return self.tell(n, "start")

    def log(self, n: int) -> str:
        """What instance n has written to standard output and error."""
        return (self.data / f"instance-{n}.log").read_text("utf-8", "replace")
