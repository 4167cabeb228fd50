"""Identifiers that sort by the time they were made: 48 bits of milliseconds, 80 bits of chance, Crockford base 32."""

import secrets

from yunliao.ports import Clock

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 26


class SortableIds:
    """Implements `ports.Ids`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def new(self, prefix: str) -> str:
        """`prefix` + `_` + 26 characters."""
        number = (self._clock.now_ms() << 80) | secrets.randbits(80)
        return f"{prefix}_" + "".join(ALPHABET[(number >> shift) & 31] for shift in range(5 * (LENGTH - 1), -1, -5))
