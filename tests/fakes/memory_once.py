"""Claimed names in memory."""

import threading


class MemoryOnce:
    """Implements `ports_once.Once`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._claimed: dict[str, tuple[str, int]] = {}

    def claim(self, name: str, token: str, *, now: int, expires_at: int) -> bool:
        with self._lock:
            self._claimed = {one: claim for one, claim in self._claimed.items() if claim[1] > now}
            return self._claimed.setdefault(name, (token, expires_at))[0] == token

    def release(self, name: str) -> None:
        with self._lock:
            self._claimed.pop(name, None)
