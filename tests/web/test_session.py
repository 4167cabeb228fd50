"""A socket's session by itself: a scripted client, and a channel that can be held up."""

import itertools
import json
import queue
import threading
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.datastructures import Headers

from tests.web.fake_app import fake_app
from yunliao.errors import QueueFull
from yunliao.web import sockets as sockets_module
from yunliao.web.channel import Closed
from yunliao.web.session import Session
from yunliao.web.sockets import PER_USER, Sockets

LIMIT = 30


class HeldChannel:
    """Takes frames from a queue; what is sent waits while `hold` says so."""

    def __init__(self, *frames: dict[str, Any]) -> None:
        self.incoming: queue.Queue[str | None] = queue.Queue()
        for frame in frames:
            self.put(frame)
        self.sent: list[dict[str, Any]] = []
        self.held_at = 0
        self.held, self.go_on = threading.Event(), threading.Event()
        self.codes: list[int] = []
        self.behind = False
        self.look_at = 0.0
        self.writers = itertools.count()
        self.came = 0
        self._lock = threading.Lock()

    def put(self, frame: dict[str, Any]) -> None:
        self.incoming.put(json.dumps(frame))

    def receive(self) -> str:
        frame = self.incoming.get(timeout=LIMIT)
        if frame is None:
            raise Closed
        return frame

    def send(self, *texts: bytes, wanted: Callable[[], bool] | None = None) -> bool:
        self.came = next(self.writers)
        with self._lock:
            if wanted is not None and not wanted():
                return False
            frames = [json.loads(text) for text in texts]
            if self.held_at in [frame.get("event", {}).get("seq") for frame in frames] and not self.held.is_set():
                self.held.set()
                assert self.go_on.wait(LIMIT)
            self.sent += frames
        return True

    def offer(self, *texts: bytes, wanted: Callable[[], bool]) -> bool:
        return not self._lock.locked() and self.send(*texts, wanted=wanted)

    def close(self, code: int, reason: str = "") -> None:
        self.codes.append(code)


def test_not_one_frame_of_an_older_listener_after_a_newer_one() -> None:
    _, services = fake_app()
    channel = HeldChannel(
        {"op": "hello", "ticket": "ticket-oCaller0001-1"},
        {"op": "send", "client_id": "abcdefgh", "text": "stream 20 1"},
    )
    channel.held_at = 1
    session = Session(channel, services, Sockets(), "request-1", Headers())  # type: ignore[arg-type]
    running = threading.Thread(target=session.attend)
    running.start()
    assert channel.held.wait(LIMIT)
    before = channel.came
    channel.put({"op": "resume", "turn": "turn_1", "after": 0})
    channel.put({"op": "resume", "turn": "turn_none", "after": 0})
    while channel.came < before + 2:  # the newer listener and the second answer wait for the older one's frame
        threading.Event().wait(0.01)
    channel.go_on.set()
    seqs: list[int] = []
    for _ in range(LIMIT * 100):
        seqs = [frame["event"]["seq"] for frame in channel.sent if frame["op"] == "event"]
        if seqs[-1:] == [22]:
            break
        threading.Event().wait(0.01)
    channel.incoming.put(None)
    running.join(LIMIT)
    assert seqs[-22:] == list(range(1, 23))
    older = seqs[:-22]  # what was on its way when it was replaced
    assert older == list(range(1, len(older) + 1))
    assert older


def test_there_is_room_for_so_many_sockets_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets_module, "MOST", 2)
    sockets = Sockets()
    channels = [HeldChannel(), HeldChannel()]
    for channel in channels:
        sockets.check_room()
        sockets.add(channel)  # type: ignore[arg-type]
    with pytest.raises(QueueFull):
        sockets.check_room()
    assert not sockets.gone(0)
    sockets.remove(channels[0])  # type: ignore[arg-type]
    sockets.check_room()
    sockets.remove(channels[1])  # type: ignore[arg-type]
    assert sockets.gone(0)


def test_a_users_oldest_sockets_go() -> None:
    sockets = Sockets()
    channels = [HeldChannel() for _ in range(PER_USER + 3)]
    for channel in channels:
        sockets.add(channel)  # type: ignore[arg-type]
        sockets.belongs_to(channel, "one")  # type: ignore[arg-type]
    others = [HeldChannel() for _ in range(PER_USER)]
    for channel in others:
        sockets.add(channel)  # type: ignore[arg-type]
        sockets.belongs_to(channel, "two")  # type: ignore[arg-type]
    for channel in channels[:3]:
        for _ in range(LIMIT * 100):
            if channel.codes:
                break
            threading.Event().wait(0.01)
        assert set(channel.codes) == {4429}
    assert not any(channel.codes for channel in channels[3:] + others)
