"""One shared record, changed by all instances without losing a change: read, decide, compare-and-set, again."""

import random
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from yunliao.errors import StoreUnavailable
from yunliao.ports import Clock, Registers

Value = TypeVar("Value", bound=msgspec.Struct)
Result = TypeVar("Result")

TRIES = 40
PAUSE = (0.001, 0.02)
"""Seconds before the next try after another instance was faster."""


class SharedRecord(Generic[Value]):
    """A `Struct` under a name. Within an instance changes wait for each other, so only instances compete."""

    def __init__(self, registers: Registers, name: str, empty: Value, clock: Clock) -> None:
        self._registers = registers
        self._name = name
        self._empty = empty
        self._clock = clock
        self._lock = threading.Lock()
        self._decoder = msgspec.json.Decoder(type(empty))
        self._known: tuple[int, Value] | None = None

    def change(self, decide: Callable[[Value], tuple[Value, Result]]) -> Result:
        """Apply `decide` to the newest value; it may be called several times. A value it returns unchanged is not
        written. Raises `StoreUnavailable`."""
        with self._lock:
            for _ in range(TRIES):
                version, value = self._known or self._read()
                changed, result = decide(value)
                if changed == value and self._known is None:
                    return result
                if changed != value and self._registers.swap(
                    self._name, version=version, value=msgspec.json.encode(changed)
                ):
                    self._known = (version + 1, changed)
                    return result
                if self._known is None:
                    self._clock.sleep(random.uniform(*PAUSE))  # noqa: S311  only spreads load
                self._known = None  # another was faster, or what is known is to be made sure of
        raise StoreUnavailable(f"register {self._name}: too many instances change it at once")

    def _read(self) -> tuple[int, Value]:
        found = self._registers.read(self._name)
        return found.version, self._decoder.decode(found.value) if found.version else self._empty
