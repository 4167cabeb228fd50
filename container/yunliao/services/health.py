"""Whether the service can do its work now, and what is missing when it cannot."""

from collections.abc import Callable

import msgspec

from yunliao.errors import YunliaoError
from yunliao.services.engine import Engine


class Check(msgspec.Struct, frozen=True):
    """One thing the service depends on; `detail` tells the operator what to do, never a secret."""

    name: str
    ok: bool
    detail: str = ""


class Health:
    """Runs the named checks in order. `notes` are only told: an upstream that is down is no fault of this instance, and
    taking the instance away would not mend it."""

    def __init__(
        self,
        *,
        checks: dict[str, Callable[[], None]],
        engine: Engine,
        notes: dict[str, Callable[[], str]] | None = None,
    ) -> None:
        self._checks = checks
        self._engine = engine
        self._notes = notes or {}

    @property
    def draining(self) -> bool:
        """Whether the instance is shutting down."""
        return self._engine.draining

    def ready(self) -> list[Check]:
        """All checks; touches the store."""
        return [
            *(self._run(name, check) for name, check in self._checks.items()),
            *(Check(name, True, note()) for name, note in self._notes.items()),
            Check("accepting", not self.draining, "shutting down" if self.draining else ""),
        ]

    @staticmethod
    def _run(name: str, check: Callable[[], None]) -> Check:
        try:
            check()
        except YunliaoError as failed:
            return Check(name, False, failed.detail or failed.en)
        return Check(name, True)
