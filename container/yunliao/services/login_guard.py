"""Guessing passwords does not pay: attempts are counted over all instances, by name, and for all names together."""

import hashlib

import msgspec

from yunliao.errors import RateLimited
from yunliao.ports import Clock, Registers

WINDOW_MS = 15 * 60_000
PER_NAME = 5
"""Attempts on one name within the window. A log-in that worked gives them back."""
TOGETHER = 60
"""Attempts on all names: each takes 0.2 s of a processor. Whoever is kept out meanwhile uses the command line."""
SHELVES = 256
"""Names share registers by their hash, so that made-up names cannot fill the store."""
TRIES = 50


class LoginGuard:
    """Counts before the password is looked at."""

    def __init__(self, *, registers: Registers, clock: Clock) -> None:
        self._registers = registers
        self._clock = clock

    def attempt(self, name: str) -> None:
        """Count an attempt. Raises `RateLimited`, and then the password must not even be looked at."""
        self._count("login/all", TOGETHER)
        self._count(_shelf(name), PER_NAME)

    def succeeded(self, name: str) -> None:
        """The attempts on this name are forgiven."""
        for _ in range(TRIES):
            found = self._registers.read(_shelf(name))
            if not found.version or self._registers.swap(_shelf(name), version=found.version, value=b"[]"):
                return

    def _count(self, register: str, limit: int) -> None:
        for _ in range(TRIES):
            found = self._registers.read(register)
            now = self._clock.now_ms()
            times = msgspec.json.decode(found.value, type=list[int]) if found.version else []
            recent = [at for at in times if at > now - WINDOW_MS]
            if len(recent) >= limit:
                raise RateLimited(retry_after=max(1, (recent[-limit] + WINDOW_MS - now) // 1000))
            if self._registers.swap(register, version=found.version, value=msgspec.json.encode([*recent, now])):
                return
        raise RateLimited(retry_after=5)


def _shelf(name: str) -> str:
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
    return f"login/{digest[0] % SHELVES}"
