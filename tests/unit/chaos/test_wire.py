"""The wire to the store: held, cut and slowed as a network is, and whole again afterwards."""

import asyncio
from collections.abc import Awaitable, Callable

from chaos.wire import Wire

Work = Callable[[Wire], Awaitable[None]]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line)
        await writer.drain()
    writer.close()


def over_a_wire(work: Work) -> None:
    async def whole() -> None:
        server, wire = await asyncio.start_server(echo, "127.0.0.1", 0), Wire()
        wire.target = server.sockets[0].getsockname()[1]
        await wire.start()
        try:
            await asyncio.wait_for(work(wire), 30)
        finally:
            await wire.stop()
            server.close()

    asyncio.run(whole())


async def says(ends: tuple[asyncio.StreamReader, asyncio.StreamWriter], words: bytes) -> bytes:
    ends[1].write(words + b"\n")
    return (await ends[0].readline()).rstrip()


def test_what_is_held_comes_when_the_wire_is_mended() -> None:
    async def work(wire: Wire) -> None:
        ends = await asyncio.open_connection("127.0.0.1", wire.port)
        assert await says(ends, b"one") == b"one"
        wire.hold()
        answer = asyncio.create_task(says(ends, b"two"))
        late = asyncio.create_task(asyncio.open_connection("127.0.0.1", wire.port))
        await asyncio.sleep(0.2)
        assert not answer.done()
        wire.mend()
        assert await answer == b"two"
        assert await says(await late, b"three") == b"three"

    over_a_wire(work)


def test_a_cut_wire_ends_connections_and_takes_no_new_ones() -> None:
    async def work(wire: Wire) -> None:
        ends = await asyncio.open_connection("127.0.0.1", wire.port)
        assert await says(ends, b"one") == b"one"
        wire.cut()
        try:
            assert await ends[0].read() == b""
        except ConnectionResetError:
            pass
        reader, _ = await asyncio.open_connection("127.0.0.1", wire.port)
        try:
            assert await reader.read() == b""
        except ConnectionResetError:
            pass
        wire.mend()
        assert await says(await asyncio.open_connection("127.0.0.1", wire.port), b"two") == b"two"

    over_a_wire(work)
