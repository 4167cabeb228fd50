"""The wire to the store: held, cut and slowed as a network is, and whole again afterwards."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from chaos.wire import Wire

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Line(Wire):
    """A wire whose ends are closed when it is taken down."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[Ends] = []

    async def open(self) -> Ends:
        self.ends.append(await asyncio.open_connection("127.0.0.1", self.port))
        return self.ends[-1]

    async def stop(self) -> None:
        for _, writer in self.ends:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        await super().stop()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line)
        await writer.drain()
    writer.close()


Work = Callable[[Line], Awaitable[None]]


def over_a_wire(work: Work) -> None:
    async def whole() -> None:
        server, wire = await asyncio.start_server(echo, "127.0.0.1", 0), Line()
        wire.target = server.sockets[0].getsockname()[1]
        await wire.start()
        try:
            await asyncio.wait_for(work(wire), 30)
        finally:
            await wire.stop()
            server.close()

    asyncio.run(whole())


async def says(ends: Ends, words: bytes) -> bytes:
    ends[1].write(words + b"\n")
    return (await ends[0].readline()).rstrip()


def test_what_is_held_comes_when_the_wire_is_mended() -> None:
    async def work(wire: Line) -> None:
        ends = await wire.open()
        assert await says(ends, b"one") == b"one"
        wire.hold()
        answer = asyncio.create_task(says(ends, b"two"))
        late = asyncio.create_task(wire.open())
        await asyncio.sleep(0.2)
        assert not answer.done()
        wire.mend()
        assert await answer == b"two"
        assert await says(await late, b"three") == b"three"

    over_a_wire(work)


def test_a_cut_wire_ends_connections_and_takes_no_new_ones() -> None:
    async def work(wire: Line) -> None:
        ends = await wire.open()
        assert await says(ends, b"one") == b"one"
        wire.cut()
        with contextlib.suppress(ConnectionResetError):
            assert await ends[0].read() == b""
        reader, _ = await wire.open()
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        wire.mend()
        assert await says(await wire.open(), b"two") == b"two"

    over_a_wire(work)
