"""A clock that only moves when told, or when somebody sleeps."""

import threading


class FakeClock:
    """`slept` lists every sleep in seconds."""

    def __init__(self, now_ms: int = 1_760_000_000_000) -> None:
        self._now_ms = float(now_ms)
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def now_ms(self) -> int:
        return int(self._now_ms)

    def monotonic(self) -> float:
        return self._now_ms / 1000

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self._now_ms += seconds * 1000

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._now_ms += seconds * 1000
