"""What goes on the wire is what the server itself would send, in fewer system calls."""

from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader
from gunicorn.http.wsgi import Response

from yunliao.web import wire
from yunliao.web.wire import OneSend


class Wire:
    """A socket that keeps what each call sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        self.sent.append(bytes(data))


def asked(method: str, version: str) -> Any:
    return Request(Config(), IterUnreader([f"{method} / HTTP/{version}\r\nHost: x\r\n\r\n".encode()]), ("127.0.0.1", 1))


def written(kind: type[Any], method: str, version: str, status: str, length: bool, parts: list[bytes]) -> list[bytes]:
    wire = Wire()
    response = kind(asked(method, version), wire, Config())
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("X-Odd", "caf\xe9")]
    if length:
        headers.append(("Content-Length", str(sum(map(len, parts)))))
    response.start_response(status, headers)
    for part in parts:
        response.write(part)
    response.close()
    return wire.sent


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gunicorn.util.http_date", lambda: "Sat, 21 Nov 2026 00:00:00 GMT")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize(("status", "length"), [("200 OK", True), ("200 OK", False), ("204 NO CONTENT", False)])
@pytest.mark.parametrize("parts", [[], [b""], [b"one"], [b"", b"one", b"", b"two"], [b"x" * 70_000, b"y"]])
def test_the_bytes_are_the_servers(method: str, version: str, status: str, length: bool, parts: list[bytes]) -> None:
    ours = written(OneSend, method, version, status, length, parts)
    theirs = written(Response, method, version, status, length, parts)
    assert b"".join(ours) == b"".join(theirs)
    assert all(ours)


def test_a_small_answer_is_one_send() -> None:
    assert len(written(OneSend, "GET", "1.1", "200 OK", True, [b"one"])) == 1
    assert len(written(OneSend, "HEAD", "1.1", "200 OK", True, [b"one"])) == 1


def test_a_stream_begins_with_its_first_part_and_every_part_leaves_at_once() -> None:
    sent = Wire()
    response = OneSend(asked("GET", "1.1"), sent, Config())
    response.start_response("200 OK", [])
    response.write(b"one")
    assert len(sent.sent) == 1 and sent.sent[0].endswith(b"\r\n\r\n3\r\none\r\n")
    response.write(b"two")
    assert sent.sent[1:] == [b"3\r\ntwo\r\n"]
    response.close()
    assert sent.sent[2:] == [b"0\r\n\r\n"]


def test_the_servers_settings_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    class Worker:
        cfg = Config()

    monkeypatch.setattr("gunicorn.http.wsgi.Response", Response)
    Worker.cfg.set("keepalive", 75)
    before = {name: getattr(Worker.cfg, name) for name in Worker.cfg.settings}
    wire.install(Worker)
    assert {name: getattr(Worker.cfg, name) for name in Worker.cfg.settings} == before
    assert Worker.cfg.keepalive == 75
