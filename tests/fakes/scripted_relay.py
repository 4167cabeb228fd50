"""A relay that does as it is told, for tests of the services.

A script is a list of steps, taken in order by one stream:

* a `str`: a batch with that text; a list: a batch as it is
* a `Gate`: waits until the test opens it, or the stream is closed
* an exception: raised

`text_answer("你", "好")` is the script of an ordinary complete answer.
"""

import threading
from collections.abc import Iterator

from yunliao.domain.events import Usage
from yunliao.ports import RelayEvent, RelayFinish, RelayRequest, RelayText

WAIT = 30.0
"""Seconds until a forgotten gate fails its test instead of hanging it."""


class Gate:
    """Holds a stream until `open`; `reached` is set once a stream waits here."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._opened = threading.Event()
        self._changed = threading.Condition()

    def open(self) -> None:
        self._opened.set()
        with self._changed:
            self._changed.notify_all()

    def _pass(self, closed: threading.Event) -> None:
        self.reached.set()
        with self._changed:
            if not self._changed.wait_for(lambda: self._opened.is_set() or closed.is_set(), WAIT):
                raise AssertionError("a gate was never opened")

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


Step = str | list[RelayEvent] | Gate | Exception


def text_answer(*texts: str, usage: Usage | None = None) -> list[Step]:
    """These texts, one batch each, and a complete end."""
    return [*texts, [RelayFinish("complete", usage)]]


class ScriptedStream:
    """Implements `ports.RelayStream`. `closed` is set by `close`; `ended` once the iteration is over."""

    def __init__(self, steps: list[Step], upstream: str = "") -> None:
        self.upstream = upstream
        self.closed = threading.Event()
        self.ended = threading.Event()
        self._gates = [step for step in steps if isinstance(step, Gate)]
        self._batches = self._run(steps)

    def __iter__(self) -> Iterator[list[RelayEvent]]:
        return self._batches

    def close(self) -> None:
        self.closed.set()
        for gate in self._gates:
            gate._wake()

    def _run(self, steps: list[Step]) -> Iterator[list[RelayEvent]]:
        try:
            for step in steps:
                if isinstance(step, Gate):
                    step._pass(self.closed)
                if self.closed.is_set():
                    return
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, str):
                    yield [RelayText(step)]
                elif isinstance(step, list):
                    yield step
        finally:
            self.ended.set()


class ScriptedRelay:
    """Implements `ports.Relay`: each `stream` takes the next script; asking for more than there are is an error.

    `requests` and `streams` list what was asked for, in order; the upstreams are called u1, u2, …
    """

    def __init__(self, *scripts: list[Step]) -> None:
        self.requests: list[RelayRequest] = []
        self.streams: list[ScriptedStream] = []
        self._scripts = list(scripts)
        self._lock = threading.Lock()

    def add(self, *scripts: list[Step]) -> None:
        """More scripts."""
        with self._lock:
            self._scripts.extend(scripts)

    def stream(self, request: RelayRequest) -> ScriptedStream:
        with self._lock:
            self.requests.append(request)
            if not self._scripts:
                raise AssertionError(f"request {len(self.requests)} has no script")
            stream = ScriptedStream(self._scripts.pop(0), f"u{len(self.requests)}")
            self.streams.append(stream)
            return stream
