"""A channel over real sockets: whatever way its client cuts, floods, lags or dies."""

import random
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import gevent
import gevent.event
import gevent.socket
import gevent.thread
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yunliao.web import channel as channels
from yunliao.web.channel import MAX_FRAME, Channel, Closed

LIMIT = 30
TEXT, BINARY, CONTINUED, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
Made = tuple["Client", "Served"]


@pytest.fixture(scope="module", autouse=True)
def locks_of_greenlets() -> Iterator[None]:
    """As the worker has them, where the standard library is patched."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(channels, "threading", SimpleNamespace(Lock=gevent.thread.allocate_lock))
        yield


class Served:
    """The server's side: collects messages until the socket is over."""

    def __init__(self, sock: Any) -> None:
        self.channel = Channel(sock)
        self.messages: list[str | bytes] = []
        self.attended = 0
        self.answer: Callable[[str | bytes], None] = lambda message: None
        self.over = gevent.event.Event()
        self.channel.serve(self._attend, self.over.set)

    def _attend(self) -> bool:
        self.attended += 1
        try:
            while (message := self.channel.receive()) is not None:
                self.messages.append(message)
                self.answer(message)
        except Closed:
            return False
        return True


class Client:
    """Frames by hand, so that they can be wrong."""

    def __init__(self, sock: Any) -> None:
        self.sock = sock
        self._read = bytearray()

    def put(self, opcode: int, data: bytes = b"", *, fin: bool = True, masked: bool = True) -> None:
        self.sock.sendall(framed(opcode, data, fin=fin, masked=masked))

    def take(self) -> tuple[int, bytes]:
        """The next frame; nothing but whole, unmasked, uncompressed ones."""
        head = self._exactly(2)
        assert head[0] & 0x70 == 0 and head[1] < 128
        size = head[1]
        if size == 126:
            size = int.from_bytes(self._exactly(2), "big")
        elif size == 127:
            size = int.from_bytes(self._exactly(8), "big")
        return head[0] & 15, self._exactly(size)

    def closed(self) -> int:
        """The code of the close frame that must come now."""
        opcode, data = self.take()
        assert opcode == CLOSE, (opcode, data)
        return int.from_bytes(data[:2], "big")

    def at_end(self) -> bool:
        """Whether the server has ended the connection, and not by a reset."""
        return not self._read and self.sock.recv(1) == b""

    def _exactly(self, size: int) -> bytes:
        while len(self._read) < size:
            piece = self.sock.recv(65536)
            assert piece, "the connection ended"
            self._read += piece
        found = bytes(self._read[:size])
        del self._read[:size]
        return found


def framed(opcode: int, data: bytes, *, fin: bool = True, masked: bool = True) -> bytes:
    key = b"\x37\xfa\x21\x3d"
    body = bytes(byte ^ key[n % 4] for n, byte in enumerate(data)) if masked else data
    head = bytes([(128 if fin else 0) | opcode])
    mark = 128 if masked else 0
    if len(data) < 126:
        head += bytes([mark | len(data)])
    elif len(data) < 65536:
        head += bytes([mark | 126]) + struct.pack("!H", len(data))
    else:
        head += bytes([mark | 127]) + struct.pack("!Q", len(data))
    return head + (key if masked else b"") + body


def connect() -> Made:
    """Over TCP: only there is a connection reset."""
    listening = gevent.socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    ours = gevent.socket.create_connection(listening.getsockname())
    theirs, _ = listening.accept()
    listening.close()
    theirs.setsockopt(gevent.socket.SOL_SOCKET, gevent.socket.SO_SNDBUF, 8192)
    ours.settimeout(LIMIT)
    return Client(ours), Served(theirs)


@pytest.fixture
def made() -> Iterator[Made]:
    client, served = connect()
    yield client, served
    client.sock.close()
    assert served.over.wait(LIMIT), "the socket was left open"


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline
        gevent.sleep(0.002)


# --- what comes in -------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.one_of(st.text(max_size=300), st.binary(max_size=300)), st.integers(1, 4), st.booleans()),
        min_size=1,
        max_size=12,
    ),
    st.integers(0, 2**32 - 1),
)
def test_messages_are_whole_however_they_are_cut(said: list[tuple[str | bytes, int, bool]], seed: int) -> None:
    """Into frames, with pings between these, and into pieces of the network."""
    rng = random.Random(seed)
    stream, pings = b"", 0
    for message, pieces, pinged in said:
        data = message.encode() if isinstance(message, str) else message
        cuts = sorted(rng.randint(0, len(data)) for _ in range(pieces - 1))
        parts = [data[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        for number, part in enumerate(parts):
            opcode = CONTINUED if number else TEXT if isinstance(message, str) else BINARY
            stream += framed(opcode, part, fin=number == len(parts) - 1)
            if pinged:
                stream += framed(PING, b"p%d" % pings)
                pings += 1
    client, served = connect()
    at = 0
    while at < len(stream):
        size = rng.choice((1, 2, 7, 100, 5000))
        client.sock.sendall(stream[at : at + size])
        at += size
        if rng.random() < 0.3:
            gevent.sleep(0)
    until(lambda: len(served.messages) == len(said))
    assert served.messages == [message for message, _, _ in said]
    assert [client.take() for _ in range(pings)] == [(PONG, b"p%d" % n) for n in range(pings)]
    client.put(CLOSE, struct.pack("!H", 1000))
    assert client.closed() == 1000 and client.at_end()
    client.sock.close()
    assert served.over.wait(LIMIT)


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (framed(TEXT, b"\xff\xfe"), 1007),
        (framed(TEXT, b"plain", masked=False), 1002),
        (framed(CONTINUED, b"of nothing"), 1002),
        (framed(TEXT, b"a", fin=False) + framed(TEXT, b"b"), 1002),
        (framed(PING, b"x" * 126), 1002),
        (framed(PING, b"x", fin=False), 1002),
        (bytes([0xC1]) + framed(TEXT, b"compressed?")[1:], 1002),
        (framed(3, b"reserved"), 1002),
        (framed(CLOSE, b"\x03"), 1002),
        (framed(CLOSE, struct.pack("!H", 1005)), 1002),
        (framed(CLOSE, struct.pack("!H", 4999) + "再见".encode()), 4999),
        (framed(TEXT, b"x" * (MAX_FRAME + 1)), 1009),
        (framed(BINARY, b"x" * (2 * MAX_FRAME)), 1009),
        (framed(TEXT, b"x" * MAX_FRAME, fin=False) + framed(CONTINUED, b"y"), 1009),
        (framed(TEXT, b"x" * 40, fin=False) + framed(CONTINUED, b"y" * 1_000_000, fin=False), 1009),
    ],
)  # fmt: skip
def test_what_is_no_message_ends_the_socket_with_its_code(made: Made, stream: bytes, code: int) -> None:
    client, served = made
    client.sock.sendall(stream)
    assert client.closed() == code
    assert client.at_end()
    assert served.messages == []


def test_the_largest_message_and_endless_empty_ones(made: Made) -> None:
    client, served = made
    client.put(TEXT, "字".encode() * MAX_FRAME)
    client.put(TEXT, b"", fin=False)
    for _ in range(3000):
        client.put(CONTINUED, b"", fin=False)
    client.put(CONTINUED, b"end")
    until(lambda: len(served.messages) == 2)
    assert served.messages == ["字" * MAX_FRAME, "end"]


def test_nothing_is_read_while_a_message_is_answered(made: Made) -> None:
    """What it says meanwhile fills its own buffers, and is all there afterwards."""
    client, served = made
    go_on = gevent.event.Event()
    served.answer = lambda message: go_on.wait(LIMIT)
    stream = framed(TEXT, b"x" * 20_000) * 1000
    sent = 0
    client.put(TEXT, b"hold")
    until(lambda: served.messages == ["hold"])
    while True:
        try:
            sent += client.sock.send(stream[sent : sent + 65536], 0, 0.0)
        except BlockingIOError:
            break
        gevent.sleep(0)
    assert sent < len(stream)
    assert served.messages == ["hold"]
    go_on.set()
    client.sock.sendall(stream[sent:])
    until(lambda: len(served.messages) == 1001)


POUR = """
import socket, sys
flooding, flood = socket.socket(fileno=int(sys.argv[1])), bytes.fromhex(sys.argv[2]) * 10_000
while True:
    flooding.sendall(flood)
"""


@pytest.mark.parametrize(("opcode", "data"), [(PONG, b"x" * 100), (PONG, b""), (PING, b"")])
def test_a_flood_leaves_others_their_turn(opcode: int, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """From another process, so that there is always more to read; the smallest frames are most to do for a read."""
    listening = gevent.socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    with socket.create_connection(listening.getsockname()) as flooding:
        accepted, _ = listening.accept()
        listening.close()
        flooded, reads, read = Served(accepted), [0], Channel._read

        def counted(channel: Channel) -> bool:
            reads[0] += channel is flooded.channel
            return read(channel)

        monkeypatch.setattr(Channel, "_read", counted)
        client, served = connect()
        asked = [sys.executable, "-c", POUR, str(flooding.fileno()), framed(opcode, data).hex()]
        with subprocess.Popen(asked, pass_fds=[flooding.fileno()], stderr=subprocess.DEVNULL) as pouring:
            try:
                until(lambda: reads[0] > 50)
                before = reads[0]
                for number in range(20):
                    client.put(TEXT, b"%d" % number)
                    until(lambda number=number: len(served.messages) == number + 1)
                assert pouring.poll() is None
                # An exchange takes some turns of the loop, and the flood gets one read in each.
                assert reads[0] - before < 20 * 50
            finally:
                pouring.kill()
        flooding.shutdown(socket.SHUT_RDWR)
        client.sock.close()
        assert served.over.wait(LIMIT) and flooded.over.wait(LIMIT)


def test_a_flood_does_not_keep_its_attendant_from_a_moment_it_waits_for() -> None:
    client, served = connect()
    served.channel.look_at = time.monotonic()  # it has come already: `receive` says so although there is more to read
    client.sock.sendall(framed(PONG, b"") * 3000)
    until(lambda: served.attended >= 3)
    client.sock.close()
    assert served.over.wait(LIMIT)


# --- silence -------------------------------------------------------------------------------------------------------


def test_a_silent_client_is_pinged_and_cut_when_the_next_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "PING_SECONDS", 0.05)
    monkeypatch.setattr(channels, "LINGER_SECONDS", 0.05)
    client, served = connect()
    assert client.take() == (PING, b"")
    assert client.closed() == 1008
    assert served.over.wait(LIMIT)
    client.sock.close()


def test_one_that_answers_pings_stays(made: Made) -> None:
    client, served = made
    for number in range(4):
        served.channel._ping_at = 0.0
        client.sock.sendall((framed(PONG, b"") if number else b"") + framed(TEXT, b"%d" % number))
        assert client.take() == (PING, b"")
    until(lambda: served.messages == ["0", "1", "2", "3"])
    assert not served.over.is_set()


def test_a_pong_that_waited_to_be_read_counts(made: Made) -> None:
    """A message took longer to answer than pings are apart."""
    client, served = made
    served.channel._ping_at = 0.0
    client.put(TEXT, b"wake")
    assert client.take() == (PING, b"")
    go_on = gevent.event.Event()
    served.answer = lambda message: go_on.wait(LIMIT)
    client.sock.sendall(framed(TEXT, b"slow") + framed(TEXT, b"x" * 5000) + framed(PONG, b""))
    until(lambda: served.messages == ["wake", "slow"])
    served.channel._ping_at = 0.0
    go_on.set()
    assert client.take() == (PING, b"")
    assert not served.over.is_set()


def test_attended_at_the_moment_that_was_asked_for(made: Made) -> None:
    client, served = made
    served.channel.look_at = time.monotonic() + 0.05
    client.put(PONG)
    until(lambda: served.attended >= 2)
    served.channel.look_at = float("inf")


# --- what goes out -------------------------------------------------------------------------------------------------


def test_offers_to_a_slow_client_are_whole_and_in_order_or_not_taken(made: Made) -> None:
    client, served = made
    channel, taken = served.channel, []
    number = refused = 0
    reading: list[bytes] = []
    reader = gevent.spawn(lambda: [reading.append(client.take()[1]) or gevent.sleep(0) for _ in range(400)])
    while number < 400:
        text = b"%06d" % number + b"x" * 7000
        if channel.offer(text, wanted=lambda: True):
            taken.append(text)
            number += 1
        else:
            refused += 1
            assert channel.behind
            channel.send()
        if number % 5 == 0:
            gevent.sleep(0)
    channel.send()
    reader.get(timeout=LIMIT)
    assert refused
    assert reading == taken


def test_no_offer_while_another_writes_and_none_that_is_not_wanted(made: Made) -> None:
    client, served = made
    channel = served.channel
    large = b"x" * 1_000_000
    writing = gevent.spawn(lambda: channel.send(large))
    gevent.sleep(0)
    assert not channel.offer(b"between", wanted=lambda: True)
    waiting = gevent.spawn(lambda: channel.send(b"replaced", wanted=lambda: False))
    assert client.take() == (TEXT, large)
    assert writing.get(timeout=LIMIT) is True
    assert waiting.get(timeout=LIMIT) is False
    assert not channel.offer(b"replaced too", wanted=lambda: False)
    assert channel.offer(b"after", wanted=lambda: True)
    assert client.take() == (TEXT, b"after")


def test_a_client_that_does_not_read_is_cut_and_no_offer_waits_for_it(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, served = made
    monkeypatch.setattr(channels, "SEND_SECONDS", 0.1)
    channel = served.channel
    behind = 0
    with pytest.raises(Closed):
        while True:  # until the system's buffers are full
            if not channel.offer(b"x" * 100_000, wanted=lambda: True):
                behind += channel.behind
                channel.send()
    assert behind
    with pytest.raises(Closed):
        channel.offer(b"later", wanted=lambda: True)
    assert served.over.wait(LIMIT)


def test_a_goodbye_from_beside_ends_a_silent_socket(made: Made) -> None:
    client, served = made
    served.channel.close(1012, "restart")
    assert client.closed() == 1012
    with pytest.raises(Closed):
        served.channel.send(b"more")
    client.put(CLOSE, struct.pack("!H", 1012))
    assert client.at_end()
    assert served.over.wait(LIMIT)


def test_a_client_that_does_not_answer_the_goodbye_is_not_waited_for(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, served = made
    monkeypatch.setattr(channels, "LINGER_SECONDS", 0.1)
    served.channel.close(4429, "too many")
    assert served.over.wait(LIMIT)
    assert client.closed() == 4429 and client.at_end()


def test_a_client_that_is_gone_ends_its_socket(made: Made) -> None:
    client, served = made
    client.sock.setsockopt(gevent.socket.SOL_SOCKET, gevent.socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.sock.close()  # by a reset
    assert served.over.wait(LIMIT)
    with pytest.raises(Closed):
        served.channel.send(b"more")
