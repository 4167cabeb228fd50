"""JSON lines on standard output (docs/logs-and-metrics.md); never text, never an openid."""

import sys
from functools import cached_property
from typing import Any, TextIO


class JsonTurnLog:
    """Implements `ports.TurnLog`. A command of the operator sets `stream`: its own output is what was asked for."""

    stream: TextIO | None = None

    def turn(self, **fields: str | int | float | bool | None) -> None:
        """The canonical line of an ended turn; fields without a value are left out."""
        self._logger.info("turn", **{name: value for name, value in fields.items() if value not in (None, "")})

    def erased(self, *, receipt: str, what: str, records: int) -> None:
        """That something was erased, by its receipt; never whose it was."""
        self._logger.info("erased", receipt=receipt, what=what, records=records)

    def fault(self, kind: str, request_id: str, route: str) -> None:
        """A request that failed on our side: the kind of the fault and where, never its words."""
        self._logger.error("fault", kind=kind, request_id=request_id, route=route)

    def service_budget(self, state: str, part: float) -> None:
        """The service's daily limit: `warning` or `exhausted`, and the part of it that is taken."""
        self._logger.warning("service_budget", state=state, part=round(part, 3))

    def started(self, *, instance: str, version: str, seconds: float) -> None:
        """The instance takes requests, so long after its process began."""
        self._logger.info("start", instance=instance, version=version, seconds=round(seconds, 3))

    def drained(self, *, instance: str, finished: bool, seconds: float) -> None:
        """The instance took no more turns and let go of those it had; `finished`: they had all ended."""
        self._logger.info("drain", instance=instance, finished=finished, seconds=round(seconds, 3))

    def tally(self, *, instance: str, hour: int, version: int, **counts: Any) -> None:
        """What this instance counted so far in the hour that began then and no turn's line tells."""
        self._logger.info("tally", instance=instance, hour=hour, version=version, **counts)

    def audit(self, seq: int, mac: str, action: str) -> None:
        """An operator's action was written down: the head of the chain, kept outside the store by this line."""
        self._logger.info("audit", seq=seq, mac=mac, action=action)

    def warned(self, level: str, event: str, fields: dict[str, str]) -> None:
        """A warning or an error of a part of the service."""
        getattr(self._logger, level)(event, **fields)

    @cached_property
    def _logger(self) -> Any:
        # Imported at the first line, which is written after the first answer: start-up is felt after every scale to
        # zero.
        import structlog

        return structlog.wrap_logger(
            structlog.PrintLogger(self.stream or sys.stdout),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
