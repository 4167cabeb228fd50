"""One JSON question over kept connections, against a server that says exactly the bytes of a script."""

import gc
import socket
import threading
import time
import warnings
from collections.abc import Iterator

import pytest

from tests.unit.services.test_run_stop import Anything
from yunliao.adapters.clock import SystemClock
from yunliao.adapters.json_post import LARGEST_ANSWER, JsonPost, PostFailed
from yunliao.adapters.relay_moderation import FirstDecision, RelayModerator
from yunliao.domain.principal import Principal
from yunliao.services.screening import Screening

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\nX-Who: me\r\n\r\n{"ok":true}'


class Server:
    """Answers each request of a connection with the next bytes of `script`; after the last, or for b"", it closes."""

    def __init__(self) -> None:
        self.script: list[list[bytes]] = []
        """For each connection in turn: the answers to its requests; None of them left closes it."""
        self.reset = False
        self.connections = 0
        self.requests: list[bytes] = []
        self.pause = 0.0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/base"
        self._done = False
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        self._serving: list[threading.Thread] = []

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            if self._done:
                sock.close()
                return
            answers = self.script[self.connections] if self.connections < len(self.script) else [OK] * 1000
            self.connections += 1
            one = threading.Thread(target=self._serve, args=(sock, list(answers)), daemon=True)
            self._serving.append(one)
            one.start()

    def _serve(self, sock: socket.socket, answers: list[bytes]) -> None:
        with sock:
            try:
                while request := self._request(sock):
                    self.requests.append(request)
                    answer = answers.pop(0) if answers else b""
                    if not answer:
                        if self.reset:
                            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                        return
                    for piece in answer.split(b"<pause>"):
                        sock.sendall(piece)
                        time.sleep(self.pause)
                    if answer.endswith(b"<pause>"):
                        return
            except OSError:
                pass

    @staticmethod
    def _request(sock: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            more = sock.recv(65536)
            if not more:
                return b""
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        while len(body) < length:
            body += sock.recv(65536)
        return head + b"\r\n\r\n" + body

    def close(self) -> None:
        self._done = True
        socket.create_connection(self._listener.getsockname(), 5).close()
        self._thread.join(10)
        self._listener.close()
        for one in self._serving:
            one.join(10)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def post(server: Server) -> Iterator[JsonPost]:
    made = JsonPost(server.url, connect=5, read=20, total=30)
    yield made
    made.close()


def failed(post: JsonPost) -> str:
    with pytest.raises(PostFailed) as caught:
        post.send("/p", {"a": 1})
    return caught.value.outcome


def test_a_connection_is_kept_and_used_again(server: Server, post: JsonPost) -> None:
    for _ in range(5):
        answer = post.send("/p?x=1", {"文": "字"})
        assert (answer.status, answer.body, answer.headers["x-who"]) == (200, {"ok": True}, "me")
    assert server.connections == 1
    assert server.requests[0].startswith(b"POST /base/p?x=1 HTTP/1.1\r\n")
    assert server.requests[0].endswith('{"文":"字"}'.encode())


@pytest.mark.parametrize(
    "answer",
    [
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\n{"ok"\r\n6\r\n:true}\r\n0\r\nA: b\r\n\r\n',
        b'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"ok":true}',
        b'HTTP/1.1 200 OK\r\nContent-<pause>Length: 11\r\n\r<pause>\n{"ok":<pause>true}',
        b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\n{"ok":true}',
    ],
)  # fmt: skip
def test_answers_of_every_form(server: Server, post: JsonPost, answer: bytes) -> None:
    server.script, server.pause = [[answer, OK]], 0.01
    assert post.send("/p", {}).body == {"ok": True}
    assert post.send("/p", {}).body == {"ok": True}


@pytest.mark.parametrize("ends", [b"<pause>"])
def test_an_answer_without_a_length_ends_with_its_connection(server: Server, post: JsonPost, ends: bytes) -> None:
    server.script = [[b'HTTP/1.1 200 OK\r\n\r\n{"ok":true}' + ends]]
    assert post.send("/p", {}).body == {"ok": True}
    assert post.send("/p", {}).body == {"ok": True}
    assert server.connections == 2


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: /else\r\nContent-Length: 0\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00", None),
        (b"HTTP/1.1 204 No Content\r\n\r\n", None),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\n[]", []),
    ],
)
def test_what_is_no_verdict_is_given_as_it_came(server: Server, post: JsonPost, answer: bytes, body: object) -> None:
    server.script = [[answer, OK]]
    assert post.send("/p", {}).body == body
    assert post.send("/p", {}).body == {"ok": True} and server.connections == 1


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"", "unreachable"),
        (b"HTTP/1.1 200 OK\r\nContent-Le<pause>", "unreachable"),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"ok":true}<pause>', "unreachable"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{<pause>", "unreachable"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{", "unreachable"),
        (b"SSH-2.0-x\r\n\r\n", "unreachable"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n{<pause>", "unreachable"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (LARGEST_ANSWER + 1), "garbled"),
    ],
)
@pytest.mark.parametrize("kept", [False, True])
def test_a_failure_is_named_and_leaves_no_socket_behind(
    server: Server, post: JsonPost, answer: bytes, outcome: str, kept: bool
) -> None:
    server.script = [[OK, answer] if kept else [answer]]
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", ResourceWarning)
        if kept:
            post.send("/p", {})
        assert failed(post) == outcome
        gc.collect()
    assert not heard and post._connections.idle == 0
    assert post.send("/p", {}).body == {"ok": True}


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 200 OK\r\nA: <pause>", b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"o<pause>']
)
def test_a_server_that_falls_silent(server: Server, answer: bytes) -> None:
    server.script, server.pause = [[answer]], 2.0
    post = JsonPost(server.url, connect=0.2, read=0.2, total=0.5)
    assert failed(post) == "timeout"
    assert post._connections.idle == 0
    post.close()


def test_a_server_that_trickles(server: Server) -> None:
    server.script, server.pause = [[b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b" <pause>" * 40]], 0.1
    post = JsonPost(server.url, connect=0.2, read=0.5, total=0.6)
    assert failed(post) == "timeout"
    post.close()


def test_a_second_try_after_a_kept_connection_broke_goes_over_a_new_one(server: Server, post: JsonPost) -> None:
    """What broke one kept connection (a restart behind a balancer) broke those that were kept as long: the caller's one
    further try must not meet the next of them."""
    server.reset = True
    server.script = [[OK]] * 6
    together = threading.Barrier(6)
    original = post._connections.take

    def all_at_once(line):  # type: ignore[no-untyped-def]
        taken = original(line)
        together.wait(30)  # nobody gives one back before all have one of their own
        return taken

    post._connections.take = all_at_once  # type: ignore[method-assign]
    asking = [threading.Thread(target=post.send, args=("/p", {})) for _ in range(6)]
    for one in asking:
        one.start()
    for one in asking:
        one.join(30)
    post._connections.take = original  # type: ignore[method-assign]
    assert post._connections.idle > 1
    assert failed(post) == "unreachable"
    assert post.send("/p", {}).body == {"ok": True}


def test_many_threads_at_once(server: Server, post: JsonPost) -> None:
    right: list[object] = []
    asking = [
        threading.Thread(target=lambda: right.extend(post.send("/p", {}).body == {"ok": True} for _ in range(20)))
        for _ in range(16)
    ]
    for one in asking:
        one.start()
    for one in asking:
        one.join(60)
    assert right == [True] * 320
    assert server.connections <= 16


def test_after_close_nothing_is_kept(server: Server, post: JsonPost) -> None:
    post.send("/p", {})
    post.close()
    assert post._connections.idle == 0
    post.send("/p", {})
    assert post._connections.idle == 0


def test_what_several_moderators_keep_open_is_closed_with_them(server: Server) -> None:
    flags = b'{"results":[{"flagged":false}]}'
    server.script = [[b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(flags), flags)]]
    one = RelayModerator(server.url, "key", SystemClock(), lambda *args: None)
    first = FirstDecision([one])
    assert not first.check("字", Principal(openid="o", appid="a")).blocks
    assert one._http._connections.idle == 1
    Screening(Anything(), [first], lambda task: task()).close()  # type: ignore[arg-type]
    assert one._http._connections.idle == 0
