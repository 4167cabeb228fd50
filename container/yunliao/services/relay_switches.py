"""Which upstreams an operator switched off, known on every instance within seconds.

Kept in one shared record. Before a generation is asked for, at most every `LOOK_SECONDS`, an instance reads it, in the
generation's own thread: so the first one after that time already goes by what is stored. While the store does not
answer, what was known goes on.
"""

import threading

import msgspec

from yunliao.errors import YunliaoError
from yunliao.ports import Clock, Registers
from yunliao.services.register import SharedRecord

LOOK_SECONDS = 2.0


class SwitchedOff(msgspec.Struct, frozen=True):
    """Who switched an upstream off, when (Unix milliseconds), and why."""

    by: str
    at: int
    reason: str


class Switches(msgspec.Struct, frozen=True):
    """Upstreams by name; one that is not named is on."""

    off: dict[str, SwitchedOff] = {}


class RelaySwitches:
    """Thread-safe."""

    def __init__(self, registers: Registers, clock: Clock) -> None:
        self._record = SharedRecord(registers, "relay-switches", Switches(), clock)
        self._clock = clock
        self._known: dict[str, SwitchedOff] = {}
        self._look_at = float("-inf")
        self._looking = threading.Lock()

    def off(self) -> frozenset[str]:
        """Names of the upstreams not to be asked now."""
        if self._clock.monotonic() >= self._look_at and self._looking.acquire(blocking=False):
            try:
                self._known = self.read()
            except YunliaoError:
                pass  # the store does not answer: looked at again in a moment
            finally:
                self._look_at = self._clock.monotonic() + LOOK_SECONDS
                self._looking.release()
        return frozenset(self._known)

    def read(self) -> dict[str, SwitchedOff]:
        """As it is stored now. Raises `StoreUnavailable`."""
        return self._record.change(lambda switches: (switches, switches.off))

    def set(self, name: str, off: SwitchedOff | None) -> dict[str, SwitchedOff]:
        """Switch one off, or on again (None); all that are off then. Raises `StoreUnavailable`."""

        def changed(switches: Switches) -> tuple[Switches, dict[str, SwitchedOff]]:
            others = {one: said for one, said in switches.off.items() if one != name}
            known = others if off is None else {**others, name: off}
            return Switches(known), known

        self._known = self._record.change(changed)
        return self._known
