"""One upstream asked for one answer, until it speaks or fails; and two of them raced."""

import queue
import threading
from collections.abc import Callable, Iterator

from yunliao.adapters.relay.stream import Attempt
from yunliao.adapters.relay.upstream import Place
from yunliao.errors import BlockedOutput, ContextTooLong, RelayMalformed, TurnFailed
from yunliao.ports import RelayEvent, RelayFinish, RelayRequest

Batch = list[RelayEvent]
Observe = Callable[[str, str], None]


class Trial:
    """Holds a place at an upstream until `end`. `observe(upstream, outcome)` is told how it went: `success`, `failure`,
    `neutral` (the request was at fault) or `stopped`."""

    def __init__(self, place: Place, request: RelayRequest, first_byte: float, observe: Observe) -> None:
        self.upstream = place.upstream
        self.attempt: Attempt = place.upstream.relay.stream(request, first_byte=first_byte)
        self.failure: TurnFailed | None = None
        self._place = place
        self._observe = observe
        self._batches = iter(self.attempt)

    def first(self) -> Batch | None:
        """What it says first; None when it was closed. Raises `TurnFailed`, with all accounts settled."""
        return self._next()

    def following(self, batch: Batch) -> Iterator[Batch]:
        """`batch`, the first one, and all after it. Raises as `first`; leaving early closes the upstream."""
        following: Batch | None = batch
        try:
            while following is not None:
                yield following
                if isinstance(following[-1], RelayFinish):
                    self.end("success")
                following = self._next()
        finally:
            self.close()
            self.end("stopped")

    def close(self) -> None:
        """Break it off, from any thread."""
        self.attempt.close()

    def end(self, outcome: str) -> None:
        """Settle; only the first time counts."""
        if self._place.end(outcome):
            self._observe(self.upstream.name, outcome)

    def _next(self) -> Batch | None:
        try:
            batch = next(self._batches, None)
        except TurnFailed as failed:
            self.failure = failed
            self.end("neutral" if self.ours(failed) else "failure")
            raise
        except BaseException:
            self.end("stopped")
            raise
        if batch is None:
            self.end("stopped")
        return batch

    def ours(self, failed: TurnFailed) -> bool:
        """Whether the request is at fault, so that it would fail anywhere."""
        refused = self.attempt.refused
        if refused is not None:
            return refused.ours
        return isinstance(failed, BlockedOutput | ContextTooLong)


class Race:
    """Trials side by side: whoever speaks first wins, the others are closed at once."""

    def __init__(self) -> None:
        self._heard: queue.SimpleQueue[tuple[Trial, Batch | None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._over = False
        self.running: list[Trial] = []

    def enter(self, trial: Trial) -> None:
        """Let it run on a thread of its own."""
        self.running.append(trial)
        threading.Thread(target=self._run, args=(trial,), daemon=True).start()

    def _run(self, trial: Trial) -> None:
        batch: Batch | None = None
        try:
            batch = trial.first()
        except TurnFailed:
            pass  # kept in `trial.failure`
        except Exception as fault:  # a fault of ours must not leave the race waiting
            trial.failure = RelayMalformed(type(fault).__name__)
        with self._lock:
            if not self._over:
                self._heard.put((trial, batch))
                return
        trial.close()
        trial.end("stopped")

    def wait(self, seconds: float | None = None) -> tuple[Trial, Batch | None] | None:
        """The next trial that spoke, or failed or was closed (then without a batch); None when time is over."""
        try:
            trial, batch = self._heard.get(timeout=seconds)
        except queue.Empty:
            return None
        self.running.remove(trial)
        return trial, batch

    def finish(self) -> None:
        """Close all that still run; what they say now is not heard."""
        with self._lock:
            self._over = True
        for trial in self.running:
            trial.close()
        while True:
            try:
                trial, _ = self._heard.get_nowait()
            except queue.Empty:
                return
            trial.close()
            trial.end("stopped")
