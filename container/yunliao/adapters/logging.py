"""JSON lines on standard output (docs/logs-and-metrics.md); never text, never an openid."""

import sys

import structlog


class JsonTurnLog:
    """Implements `ports.TurnLog`."""

    def __init__(self) -> None:
        self._logger = structlog.wrap_logger(
            structlog.PrintLogger(sys.stdout),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )

    def turn(self, **fields: str | int | float | bool | None) -> None:
        """The canonical line of an ended turn."""
        self._logger.info("turn", **{name: value for name, value in fields.items() if value not in (None, "")})

    def fault(self, kind: str, request_id: str, route: str) -> None:
        """A request that failed on our side: the type of the fault and where, never its words."""
        self._logger.error("fault", kind=kind, request_id=request_id, route=route)
