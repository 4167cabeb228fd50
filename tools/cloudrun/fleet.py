"""The fleet: all instances, the rotation among those that are ready, scale to zero and restart after a crash."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from cloudrun.instances import Instance, ProcessInstance, StartFailed


class Fleet:
    """Instances 1..N. `restart` starts a crashed one again, as the platform does."""

    def __init__(
        self,
        instances: Sequence[Instance],
        *,
        restart: bool = False,
        grace: float = 10.0,
        report: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.instances = list(instances)
        self.asleep = False
        self._restart, self._grace, self._report = restart, grace, report
        self._next = 0
        self._waking: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._restarting: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start all instances at the same time. Raises `StartFailed` after stopping what had started."""
        try:
            async with asyncio.TaskGroup() as group:
                for instance in self.instances:
                    group.create_task(instance.start())
        except* StartFailed as failures:
            await self.stop()
            raise failures.exceptions[0] from None
        self._watch = asyncio.create_task(self._watching())

    async def stop(self, grace: float | None = None) -> None:
        """Stop everything, at most a little longer than the grace time."""
        for task in [self._watch, self._waking, *self._restarting]:
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, StartFailed):
                    await task
        self._watch = self._waking = None
        limit = self._grace if grace is None else grace
        await asyncio.gather(*(instance.stop(limit) for instance in self.instances))

    async def _watching(self) -> None:
        while True:
            for instance in self.instances:
                if isinstance(instance, ProcessInstance) and instance.notice_exit():
                    self._report(f"instance {instance.number} ended unexpectedly (exit code {instance.exit_code})")
                    if self._restart:
                        task = asyncio.create_task(self._start_again(instance))
                        self._restarting.add(task)
                        task.add_done_callback(self._restarting.discard)
            await asyncio.sleep(0.05)

    async def _start_again(self, instance: Instance) -> None:
        await asyncio.sleep(1.0)
        try:
            await instance.start()
        except StartFailed as failure:
            self._report(str(failure))

    def number(self, n: int) -> Instance:
        """Instance n, counted from 1. Raises `LookupError`."""
        for instance in self.instances:
            if instance.number == n:
                return instance
        raise LookupError(f"there is no instance {n}")

    def pick(self, count: int = 1, pinned: int | None = None) -> list[Instance]:
        """The next `count` instances in the rotation (fewer different ones if there are fewer), or none.

        A frozen instance still gets its share: the platform cannot tell that it has stopped.
        """
        if pinned is not None:
            with contextlib.suppress(LookupError):
                chosen = self.number(pinned)
                return [chosen] * count if chosen.state in ("ready", "frozen", "stopping") else []
            return []
        usable = [instance for instance in self.instances if instance.state in ("ready", "frozen")]
        if not usable:
            return []
        picked = [usable[(self._next + offset) % len(usable)] for offset in range(count)]
        self._next += count
        return picked

    async def sleep(self) -> None:
        """Scale to zero: every instance ends, the next request has to wake the service."""
        self.asleep = True
        await asyncio.gather(*(instance.stop(self._grace) for instance in self.instances))

    async def wake(self, delay: float) -> None:
        """Start again after scale to zero, `delay` seconds later than it could. Many callers share one start."""
        if self._waking is None or self._waking.done():
            self._waking = asyncio.create_task(self._wake(delay))
        await asyncio.shield(self._waking)

    async def _wake(self, delay: float) -> None:
        await asyncio.sleep(delay)
        await asyncio.gather(*(instance.start() for instance in self.instances))
        self.asleep = False

    def state(self) -> list[dict[str, Any]]:
        """All instances as JSON."""
        return [instance.describe() for instance in self.instances]
