"""What the service's own loggers say, as JSON lines like all others: `event key=value key=value detail=words`."""

import logging
import re
from typing import Any

from yunliao.adapters.logging import JsonTurnLog

FIELD = re.compile(r"(\w+)=(.*?)(?=\s\w+=|$)", re.DOTALL)


class JsonLines(logging.Handler):
    """Writes records of the loggers below `yunliao` by `log`."""

    def __init__(self, log: JsonTurnLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """One line. Never raises: a line that cannot be written is lost, the work goes on."""
        try:
            self._log.warned(record.levelname.lower(), *told(record.getMessage()))
        except Exception:
            self.handleError(record)

    def install(self) -> None:
        """From now on."""
        logger = logging.getLogger("yunliao")
        logger.addHandler(self)
        logger.propagate = False


def told(message: str) -> tuple[str, dict[str, Any]]:
    """The event and its fields; `detail` is the rest, whatever stands in it."""
    event, _, rest = message.partition(" ")
    before, found, detail = rest.partition("detail=")
    fields: dict[str, Any] = dict(FIELD.findall(before))
    if found:
        fields["detail"] = detail
    return event, {name: value.strip() for name, value in fields.items()}
