"""The socket on a real worker: who may speak, what is refused in words, and what a bad client cannot do."""

import json
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket

from tests.e2e.fake_worker import LIMIT, FakeWorker
from tests.fakes.fake_services import WORDS_OF_A_FAULT


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeWorker]:
    with FakeWorker(tmp_path_factory.mktemp("worker"), send_seconds=2, hello_seconds=1) as running:
        yield running


# --- greeting ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "codes", "close"),
    [
        ('{"op":"hello","ticket":"unknown"}', ["ticket_invalid"], 4401),
        ('{"op":"send","client_id":"abcdefgh","text":"x"}', ["invalid_request"], 4401),
        ('{"op":"ping","ticket":"ticket-oCaller0001-x"}', ["invalid_request"], 4401),
        ("not json", ["invalid_request"], 4401),
        ('{"op":"hello","ticket":"%s"}' % ("x" * 300), ["invalid_request"], 4401),
        ('{"op":"hello","ticket":"ticket-oSuspended-1"}', ["suspended"], 4401),
        ('{"op":"hello","ticket":"ticket-oUnlucky00-1"}', ["store_unavailable"], 1013),
    ],
)
def test_only_a_good_ticket_opens(worker: FakeWorker, first: str, codes: list[str], close: int) -> None:
    with worker.connect() as client:
        client.raw.send(first)
        assert client.errors_until_closed() == (codes, close)


def test_a_hello_that_does_not_come(worker: FakeWorker) -> None:
    with worker.connect() as client:
        assert client.errors_until_closed() == ([], 4408)


def test_pings_are_no_hello(worker: FakeWorker) -> None:
    """Who only pings is told so like one who says nothing."""
    with worker.connect() as client:
        client.raw.settimeout(LIMIT)
        pongs = 0
        while True:
            client.raw.ping(b"p" * 100)
            opcode, data = client.raw.recv_data(control_frame=True)
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                break
            pongs += 1
        assert int.from_bytes(data[:2], "big") == 4408
        assert pongs


@pytest.mark.parametrize(
    ("headers", "welcome"),
    [
        ({}, True),
        ({"X-WX-OPENID": "oCaller0001", "X-WX-APPID": "wxallowed1"}, True),
        ({"X-WX-OPENID": "oCaller0001"}, True),
        ({"X-WX-OPENID": "oSomebodyElse"}, False),
        ({"X-WX-OPENID": "oCaller0001", "X-WX-APPID": "wxanother"}, False),
        ({"X-WX-FROM-OPENID": "oSomebodyElse", "X-WX-FROM-APPID": "wxallowed1"}, False),
        ({"X-WX-OPENID": "oCaller0001", "X-WX-FROM-OPENID": "oSomebodyElse"}, False),
        ({"X-WX-OPENID": "oCaller0001,oCaller0001"}, False),
    ],
)
def test_an_identity_in_the_handshake_must_be_the_tickets(
    worker: FakeWorker, headers: dict[str, str], welcome: bool
) -> None:
    with worker.connect(headers=headers) as client:
        client.put({"op": "hello", "ticket": f"ticket-oCaller0001-{json.dumps(headers)}"})
        if welcome:
            assert client.take()["op"] == "welcome"
        else:
            assert client.errors_until_closed() == (["ticket_invalid"], 4401)


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "Sec-WebSocket-Version: 13\r\n",
        "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: !!!\r\n",
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2hvcnQ=\r\n",
    ],
)
def test_a_broken_handshake_is_a_bad_request(worker: FakeWorker, lines: str) -> None:
    head = f"GET /v1/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n{lines}\r\n"
    answer = worker.raw(head.encode())
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"invalid_request"' in answer


@pytest.mark.parametrize("method", ["HEAD", "POST"])
def test_a_handshake_is_a_get(worker: FakeWorker, method: str) -> None:
    head = f"{method} /v1/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n"
    head += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nContent-Length: 0\r\n\r\n"
    assert worker.raw(head.encode()).startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 405 "))


def test_no_compression_and_no_subprotocol_is_agreed_to(worker: FakeWorker) -> None:
    head = "GET /v1/socket HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
    head += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    head += "Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: chat\r\n\r\n"
    with socket.create_connection(("127.0.0.1", worker.port), LIMIT) as connection:
        connection.sendall(head.encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += connection.recv(1)
    lines = answer.lower().split(b"\r\n")
    assert lines[0].startswith(b"http/1.1 101 ")
    assert sorted(line.partition(b":")[0] for line in lines[1:-2]) == [
        b"connection",
        b"sec-websocket-accept",
        b"upgrade",
    ]
    assert b"sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=" in lines  # RFC 6455 §1.3


def test_a_plain_request_to_the_socket_and_a_socket_to_a_plain_route(worker: FakeWorker) -> None:
    assert worker.get("/v1/socket")[0] == 400
    upgrade = b"Connection: Upgrade, close\r\nUpgrade: websocket\r\n"
    assert worker.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + upgrade + b"\r\n").startswith(b"HTTP/1.1 400 ")


# --- speaking ------------------------------------------------------------------------------------------------------


def test_a_message_is_answered_and_the_heartbeat_says_the_same(worker: FakeWorker) -> None:
    with worker.phone() as phone:
        turn = phone.send("你好", "hello-0001")
        frames = [phone.take() for _ in range(3)]
        assert [frame["event"]["type"] for frame in frames] == ["accepted", "text", "end"]
        assert [frame["event"]["seq"] for frame in frames] == [1, 2, 3]
        assert {(frame["op"], frame["turn"]) for frame in frames} == {("event", turn)}
        for t in (1, "甲", None, [1, {"a": [None]}], {"deep": 1.5}):
            phone.put({"op": "ping", "t": t})
            assert phone.take() == {"op": "pong", "t": t}
        phone.put({"op": "ping"})
        assert phone.take() == {"op": "pong", "t": None}


@pytest.mark.parametrize(
    "frame",
    [
        "not json", "[]", "{}", '{"op":"nothing"}', '{"op":5}', '{"op":"hello","ticket":"x"}', "[" * 30_000,
        '{"op":"send","client_id":"short","text":"x"}', '{"op":"send","client_id":"abcdefgh","text":"a\\u0000b"}',
        '{"op":"send","client_id":"abcdefgh","text":"\\ud800"}', '{"op":"send","client_id":"abcdefgh","text":"x","y":1}',
        '{"op":"resume","turn":"turn_1","after":-1}', '{"op":"resume","turn":"turn_1","after":99999999999999999999}',
        '{"op":"resume","turn":"../x"}', '{"op":"ping","t":%s}' % ("[" * 15_000 + "]" * 15_000),
        '{"op":"stop","turn":"turn_none"}', '{"op":"resume","turn":"turn_none"}', b"\xff\xfe", b"\x00",
    ],
)  # fmt: skip
def test_a_bad_frame_is_told_and_the_socket_stays(worker: FakeWorker, frame: str | bytes) -> None:
    with worker.phone() as phone:
        if isinstance(frame, bytes):
            phone.raw.send_binary(frame)
        else:
            phone.raw.send(frame)
        answer = phone.take()
        assert answer["op"] == "error"
        assert answer["error"]["code"] in ("invalid_request", "not_found")
        assert answer["error"]["message"]
        assert answer["error"]["request_id"]
        phone.put({"op": "ping", "t": 1})
        assert phone.take() == {"op": "pong", "t": 1}


def test_a_burst_of_frames_is_answered_whole_and_in_order(worker: FakeWorker) -> None:
    with worker.phone() as phone:
        mask = websocket.ABNF.create_frame
        burst = [mask(json.dumps({"op": "ping", "t": n}), websocket.ABNF.OPCODE_TEXT).format() for n in range(1000)]
        phone.raw.sock.sendall(b"".join(burst))
        assert [phone.take()["t"] for _ in range(1000)] == list(range(1000))


def test_an_error_names_the_message_or_the_turn(worker: FakeWorker) -> None:
    with worker.phone() as phone:
        phone.put({"op": "resume", "turn": "turn_none", "after": 0})
        assert phone.take()["turn"] == "turn_none"
        phone.put({"op": "send", "client_id": "will-fail-1", "text": "fault"})
        answer = phone.take()
        assert (answer["client_id"], answer["error"]["code"]) == ("will-fail-1", "internal")
    line = json.loads(next(line for line in worker.log.splitlines() if '"ValueError"' in line))
    assert (line["event"], line["route"], line["request_id"]) == (
        "fault",
        "ticket.socket",
        answer["error"]["request_id"],
    )
    assert WORDS_OF_A_FAULT not in worker.log + json.dumps(answer)


def test_another_users_turn_is_not_there(worker: FakeWorker) -> None:
    with worker.phone("oOwner00001") as owner, worker.phone("oStranger01") as stranger:
        turn = owner.send("私事", "private-01")
        for op in ("resume", "stop"):
            stranger.put({"op": op, "turn": turn})
            assert stranger.take()["error"]["code"] == "not_found"


def test_several_turns_on_one_socket_and_not_more_than_four(worker: FakeWorker) -> None:
    with worker.phone("oSeveral001") as phone:
        turns = []
        for number in range(5):
            phone.put({"op": "send", "client_id": f"several-{number}", "text": "open 1 1"})
            seen: dict[str, list[Any]] = {"turn": [], "event": [], "error": []}
            while len(seen["event"]) < 2 and not seen["error"]:
                frame = phone.take()
                seen[frame["op"]].append(frame)
            turns.append(seen["turn"][0]["turn"]["id"])
            assert bool(seen["error"]) == (number == 4)
        for turn in turns[:4]:
            phone.put({"op": "stop", "turn": turn})
            end = phone.take()
            assert (end["turn"], end["event"]["type"], end["event"]["reason"]) == (turn, "end", "stopped")
        phone.put({"op": "resume", "turn": turns[4], "after": 2})
        phone.put({"op": "stop", "turn": turns[4]})
        assert phone.take()["event"]["type"] == "end"


def test_resume_at_every_cursor(worker: FakeWorker) -> None:
    with worker.phone("oResume0001") as phone:
        turn = phone.send("stream 10 3", "resume-01")
        whole = [phone.take()["event"] for _ in range(12)]
        for after in range(12):
            phone.put({"op": "resume", "turn": turn, "after": after})
            assert [phone.take()["event"] for _ in range(12 - after)] == whole[after:]


def test_a_newer_resume_replaces_the_older_one(worker: FakeWorker) -> None:
    """Large frames and small buffers make the listeners meet; in the end the newest is heard alone, without a gap."""
    with worker.phone("oNewer00001", receive_buffer=8192) as phone:
        turn = phone.send("stream 400 6800", "newer-0001")
        for after in (300, 200, 0):
            phone.put({"op": "resume", "turn": turn, "after": after})
        seqs: list[int] = []
        while seqs[-402:] != list(range(1, 403)):
            seqs.append(phone.take()["event"]["seq"])
            assert len(seqs) <= 402 + 102 + 202 + 402, "every listener was heard to its end, and never the newest alone"


def test_resuming_without_end_is_bounded(worker: FakeWorker) -> None:
    with worker.phone("oSpammer001") as phone:
        turn = phone.send("open 0 0", "spammer-01")
        assert phone.take()["event"]["type"] == "accepted"
        for _ in range(40):
            phone.put({"op": "resume", "turn": turn, "after": 1})
        phone.put({"op": "ping", "t": "after"})
        codes = []
        while (frame := phone.take())["op"] != "pong":
            codes.append(frame["error"]["code"])
        assert len(codes) >= 40 - 16
        assert set(codes) == {"rate_limited"}


# --- bad clients ---------------------------------------------------------------------------------------------------


def test_a_frame_that_is_too_large(worker: FakeWorker) -> None:
    with worker.phone() as phone:
        # Most of it is still unread when the goodbye is said.
        phone.raw.send('{"op":"ping","t":"%s"}' % ("x" * 400_000))
        assert phone.closed() == 1009


def test_a_ninth_socket_of_a_user_closes_the_oldest(worker: FakeWorker) -> None:
    phones = [worker.phone("oCollector1") for _ in range(9)]
    other = worker.phone("oSomeoneElse")
    try:
        assert phones[0].closed() == 4429
        for phone in [*phones[1:], other]:
            phone.put({"op": "ping", "t": 1})
            assert phone.take()["op"] == "pong"
    finally:
        for phone in [*phones, other]:
            phone.raw.shutdown()


def test_a_client_that_never_reads_holds_no_memory_and_is_cut(worker: FakeWorker) -> None:
    """A hundred megabytes are ready for it; what waits is one frame and what the system buffers."""
    worker.until(lambda: worker.listeners("socket") == 0)
    before = worker.memory
    with worker.phone("oDeaf000001", receive_buffer=8192) as deaf:
        deaf.put({"op": "send", "client_id": "deaf-00001", "text": "stream 5000 6800"})
        assert worker.listeners("socket") == 1
        with worker.phone("oWell000001") as well:
            well.send("你好", "well-00001")
            assert [well.take()["event"]["type"] for _ in range(3)] == ["accepted", "text", "end"]
        worker.until(lambda: worker.listeners("socket") == 0)  # cut, although its client still holds it open
        assert worker.memory - before < 48 * 1024 * 1024


def test_a_client_that_only_talks_is_cut(worker: FakeWorker) -> None:
    """It never reads an answer: the worker keeps no more than a few of its frames, and ends it at the send deadline."""
    worker.until(lambda: worker.listeners("socket") == 0)
    before = worker.memory
    with worker.phone("oTalker0001", receive_buffer=8192) as talker:
        talker.raw.settimeout(20)
        ping = json.dumps({"op": "ping", "t": "x" * 20_000})
        with pytest.raises((OSError, websocket.WebSocketException)):
            for _ in range(20_000):
                talker.raw.send(ping)
        worker.until(lambda: worker.listeners("socket") == 0)
    assert worker.memory - before < 48 * 1024 * 1024


def test_leaving_without_a_word_ends_every_listener(worker: FakeWorker) -> None:
    for number in range(5):
        phone = worker.phone(f"oLeaver000{number}")
        phone.send("open 3 3", "leaver-001")
        phone.raw.shutdown()
    worker.until(lambda: worker.listeners("socket") == 0)


# --- leaving -------------------------------------------------------------------------------------------------------


def test_sigterm_closes_all_with_1012_even_beside_a_client_that_never_reads(tmp_path: Path) -> None:
    """A frame may wait ten minutes here: closing one socket after the other would not reach the second in time."""
    with FakeWorker(tmp_path, send_seconds=600) as worker:
        deaf = [worker.phone(f"oDeaf00000{number}", receive_buffer=8192) for number in range(3)]
        phones = [worker.phone(f"oWell00000{number}") for number in range(3)]
        try:
            for phone in deaf:
                phone.put({"op": "send", "client_id": "deaf-00001", "text": "stream 5000 6800"})
            codes: list[int] = []
            readers = [threading.Thread(target=lambda phone=phone: codes.append(phone.closed())) for phone in phones]
            for reader in readers:
                reader.start()
            worker.process.send_signal(signal.SIGTERM)
            for reader in readers:
                reader.join(60)
            assert codes == [1012] * 3
        finally:
            for phone in deaf + phones:
                phone.raw.shutdown()
        assert worker.process.wait(60) == 0
