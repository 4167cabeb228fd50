"""What came of asking the relay once, and of asking it twice for one answer."""

import msgspec

from yunliao.domain.events import Usage
from yunliao.domain.tokens import estimate
from yunliao.errors import RelayInterrupted, RelayMalformed, RelayOverloaded, RelayReported, TurnFailed
from yunliao.ports import RelayFinish, RelayRequest

CUT = (RelayInterrupted, RelayMalformed, RelayReported, RelayOverloaded)
"""Failures of an upstream in mid-answer after which another one may go on; not of the request, and not of time."""


class Generation(msgspec.Struct, kw_only=True):
    """`chars` were received; `said` when any of them were new and went to the guard."""

    request: RelayRequest
    upstream: str = ""
    finish: RelayFinish | None = None
    failure: TurnFailed | None = None
    chars: int = 0
    said: bool = False

    @property
    def cut(self) -> bool:
        """Whether an upstream began to speak and then failed. One that never spoke is the relay's own business."""
        return self.chars > 0 and isinstance(self.failure, CUT)

    def usage(self) -> Usage:
        """As reported, else estimated."""
        if self.finish and self.finish.usage:
            return self.finish.usage
        asked = sum(estimate(message.content) for message in self.request.messages)
        return Usage(input_tokens=asked, output_tokens=estimate("字" * self.chars), estimated=True)


def total(one: Usage, other: Usage) -> Usage:
    """The usage of both; estimated where either is."""
    return Usage(
        input_tokens=one.input_tokens + other.input_tokens,
        output_tokens=one.output_tokens + other.output_tokens,
        reasoning_tokens=one.reasoning_tokens + other.reasoning_tokens,
        cached_tokens=one.cached_tokens + other.cached_tokens,
        estimated=one.estimated or other.estimated,
    )
