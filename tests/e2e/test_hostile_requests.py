"""Requests that only a socket can make: none of them is a 5xx, a second identity, or a line in the log (P1, P13)."""

import json
from collections.abc import Iterator

import pytest

from tests.e2e.fake_worker import FakeWorker
from tests.web.conftest import CALLER

CANARY = "canary-of-a-request"
IDENTITY = "".join(f"{name}: {value}\r\n" for name, value in CALLER.items())
POST = f"POST /v1/turns HTTP/1.1\r\nHost: x\r\n{IDENTITY}Content-Type: application/json\r\n"
CHUNKED = f"{POST}Transfer-Encoding: chunked\r\n\r\n"
BODY = json.dumps({"client_id": "abcdefgh", "text": CANARY})


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeWorker]:
    with FakeWorker(tmp_path_factory.mktemp("worker")) as running:
        yield running
        assert CANARY not in running.log
        assert "Traceback" not in running.log
        assert CALLER["X-WX-OPENID"] not in running.log


def get(headers: str) -> str:
    return f"GET /v1/turns/turn_none/events HTTP/1.1\r\nHost: x\r\n{headers}\r\n"


@pytest.mark.parametrize(
    ("request_text", "status", "code"),
    [
        (get(IDENTITY), 404, "not_found"),  # the honest one, to compare
        (get(IDENTITY.replace("-", "_")), 403, "identity_untrusted"),
        (get(IDENTITY.replace("X-WX-SOURCE", "X_WX-SOURCE")), 403, "identity_untrusted"),
        (get(IDENTITY + "X_WX_OPENID: oVictim_00000001\r\n"), 404, "not_found"),
        (get(IDENTITY + "X-WX-OPENID: oVictim_00000001\r\n"), 403, "identity_untrusted"),
        (get(IDENTITY + "x-wx-openid: oCaller_000000001\r\n"), 403, "identity_untrusted"),
        (get(IDENTITY + "X-WX-APPID: wxallowed2\r\n"), 403, "identity_untrusted"),
        (get(IDENTITY + "X-WX-ENV: prod-env\r\n"), 403, "identity_untrusted"),
        (get(IDENTITY.replace("oCaller_000000001", "o\u00e9Caller_0001")), 403, "identity_untrusted"),
        (CHUNKED + "ZZ\r\n{}\r\n0\r\n\r\n", 400, "invalid_request"),
        (CHUNKED + "5\r\n{}\r\n0\r\n\r\n", 400, "invalid_request"),
        (CHUNKED + ("FFFF\r\n" + "x" * 65535 + "\r\n") * 3 + "0\r\n\r\n", 413, "request_too_large"),
        (CHUNKED + f"{len(BODY) + 102_400:X}\r\n{BODY}{' ' * 102_400}\r\n0\r\n\r\n", 413, "request_too_large"),
        (f"{POST}Content-Length: 300000\r\n\r\n" + "x" * 300_000, 413, "request_too_large"),
        (f"{POST}Content-Length: 0\r\n\r\n", 400, "invalid_request"),
        (f"{POST}Content-Length: 14\r\n\r\n" + '{"a":"\u00ff\u00fe\u00fd"}   ', 400, "invalid_request"),
        (POST.replace("json", "json; charset=gbk") + "Content-Length: 2\r\n\r\n{}", 415, "unsupported_media_type"),
    ],
)  # fmt: skip
def test_what_a_client_can_write(worker: FakeWorker, request_text: str, status: int, code: str) -> None:
    answer = worker.raw(request_text.encode("latin-1"))
    assert int(answer.split(b" ", 2)[1]) == status
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == code
    assert CANARY.encode() not in answer


@pytest.mark.parametrize(
    "request_text",
    [
        f"GET /{CANARY} HTTP/9.9\r\n\r\n",
        f"{CANARY}\r\n\r\n",
        f"GET / HTTP/1.1\r\n{CANARY}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\nBad Name {CANARY}: 1\r\n\r\n",
        f"POST /v1/turns HTTP/1.1\r\nHost: x\r\nContent-Length: {CANARY}\r\n\r\n",
        "POST /v1/turns HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        f"GET /{'x' * 20_000} HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_what_the_server_itself_refuses(worker: FakeWorker, request_text: str) -> None:
    answer = worker.raw(request_text.encode())
    assert 400 <= int(answer.split(b" ", 2)[1]) < 500


def test_a_client_that_leaves_in_the_middle_of_its_body(worker: FakeWorker) -> None:
    import socket

    for head in (f"{POST}Content-Length: 5000\r\n\r\n{CANARY}", f"{CHUNKED}FF\r\n{CANARY}"):
        with socket.create_connection(("127.0.0.1", worker.port), 60) as connection:
            connection.sendall(head.encode())
    assert worker.get("/healthz")[0] == 200
