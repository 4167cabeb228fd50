"""A network that can fail: a TCP proxy whose connections can be held, cut and slowed."""

from __future__ import annotations

import asyncio
import contextlib

PIECE = 64 * 1024


class Wire:
    """Stands at `port` for a server at `target` (loopback). Start and stop it in one event loop."""

    def __init__(self) -> None:
        self.port = 0
        self.target = 0
        self.delay = 0.0
        """Seconds by which every piece comes later."""
        self._open = asyncio.Event()
        self._open.set()
        self._refusing = False
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen on a free loopback port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def hold(self) -> None:
        """Nothing passes any more, and nobody is told: what a partition looks like from inside."""
        self._open.clear()

    def cut(self) -> None:
        """Every connection is reset, and new ones are closed as they come."""
        self._refusing = True
        for end in list(self._ends):
            end.transport.abort()

    def mend(self) -> None:
        """Everything passes again, as fast as it comes. What was held goes on; a server may no longer want it."""
        self._refusing = False
        self.delay = 0.0
        self._open.set()

    async def stop(self) -> None:
        """End every connection and stop listening."""
        if self._server is not None:
            self._server.close()
        self._open.set()
        for end in list(self._ends):
            end.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._ends.add(writer)
        far: asyncio.StreamWriter | None = None
        try:
            await self._open.wait()
            if not self._refusing:
                far_reader, far = await asyncio.open_connection("127.0.0.1", self.target)
                self._ends.add(far)
                ways = [asyncio.create_task(self._pump(*ends)) for ends in ((reader, far), (far_reader, writer))]
                try:
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for way in ways:
                        way.cancel()
                    await asyncio.gather(*ways, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for end in (writer, far):
                if end is not None:
                    self._ends.discard(end)
                    end.transport.abort()
            self._tasks.discard(task)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(PIECE):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await self._open.wait()
                writer.write(piece)
                await writer.drain()
