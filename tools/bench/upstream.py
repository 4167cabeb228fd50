"""A deterministic OpenAI-compatible upstream, and a WeChat content check that passes everything, on bare asyncio.

`python -m bench.upstream --tokens 200 --first 0.2 --gap 0.02` prints `ready <chat port> <check port>`. Every stream has
a clock of its own: tokens of different answers do not come in step, as they would not in life. A token that is late is
sent at once and the next one keeps its time.
"""

import argparse
import asyncio
import json

from bench.script import number_of, tokens

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
NOTHING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
PASS = json.dumps({"errcode": 0, "errmsg": "ok", "trace_id": "t", "result": {"suggest": "pass", "label": 100}}).encode()
PASSED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-openapi-seqid: 1\r\nContent-Length: %d\r\n\r\n" % len(PASS)
) + PASS


def frame(delta: str | None, *, finish: str | None = None, usage: dict[str, int] | None = None) -> bytes:
    """One chunk of HTTP with one event in it."""
    choice = {"index": 0, "delta": {"content": delta} if delta is not None else {}, "finish_reason": finish}
    body: dict[str, object] = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    body |= {"choices": [choice] if usage is None else []}
    if usage is not None:
        body["usage"] = usage
    event = b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(event), event)


class Http(asyncio.Protocol):
    """Requests with a length, one after the other on a kept connection."""

    def __init__(self) -> None:
        self.buffer = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            head, mark, rest = self.buffer.partition(b"\r\n\r\n")
            if not mark:
                return
            length = 0
            for line in head.split(b"\r\n")[1:]:
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            self.asked(rest[:length])

    def asked(self, body: bytes) -> None:
        """A whole request is there."""
        raise NotImplementedError


class Check(Http):
    """`msg_sec_check`: pass."""

    delay = 0.0

    def asked(self, body: bytes) -> None:
        if self.transport is None:
            return
        if self.delay:
            asyncio.get_running_loop().call_later(self.delay, self.transport.write, PASSED)
        else:
            self.transport.write(PASSED)


class Chat(Http):
    """One answer at a time on each connection."""

    count, first, gap = 200, 0.2, 0.02

    def asked(self, body: bytes) -> None:
        if not body:  # some proxies look around with a GET
            if self.transport is not None:
                self.transport.write(NOTHING)
            return
        loop = asyncio.get_running_loop()
        messages = json.loads(body)["messages"]
        number = number_of(messages[-1]["content"])
        said = tokens(number, self.count)
        usage = {"prompt_tokens": 20, "completion_tokens": len(said), "total_tokens": 20 + len(said)}
        frames = [frame(token) for token in said]
        frames += [frame(None, finish="stop") + frame(None, usage=usage) + b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"]
        began = loop.time()
        transport = self.transport
        if transport is None:
            return
        transport.write(HEAD)

        def send(place: int) -> None:
            if transport.is_closing():
                return
            transport.write(frames[place])
            if place + 1 < len(frames):
                due = began + self.first + (place + 1) * self.gap if place + 1 < len(said) else loop.time()
                loop.call_at(due, send, place + 1)

        loop.call_at(began + self.first, send, 0)


async def serve(options: argparse.Namespace) -> None:
    Chat.count, Chat.first, Chat.gap = options.tokens, options.first, options.gap
    Check.delay = options.check
    loop = asyncio.get_running_loop()
    chat = await loop.create_server(Chat, "127.0.0.1", 0, backlog=2048)
    check = await loop.create_server(Check, "127.0.0.1", 0, backlog=2048)
    print("ready", chat.sockets[0].getsockname()[1], check.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench.upstream")
    options.add_argument("--tokens", type=int, default=200)
    options.add_argument("--first", type=float, default=0.2, help="seconds to the first token")
    options.add_argument("--gap", type=float, default=0.02, help="seconds between tokens")
    options.add_argument("--check", type=float, default=0.0, help="seconds a content check takes")
    asyncio.run(serve(options.parse_args()))


if __name__ == "__main__":
    main()
