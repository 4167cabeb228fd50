"""What came of asking the relay once, and of asking it twice for one answer."""

from collections.abc import Sequence

import msgspec

from yunliao.domain.context import GO_ON
from yunliao.domain.events import Usage
from yunliao.domain.ledger.endings import Metered
from yunliao.domain.tokens import MESSAGE_TOKENS, estimate
from yunliao.domain.turn import MessageBody
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


def metered(heard: Sequence[Generation], *, before: MessageBody, shown: MessageBody) -> Metered:
    """What a turn used (docs/credits.md). `before` was shown by an owner that died: it counts as output, and what is
    sent to the model a second time because of that, or because an upstream was cut, is not the user's."""
    spoke = [one for one in heard if one.upstream]
    on_screen = estimate(shown.text) + estimate(shown.reasoning)
    if not spoke:
        return Metered(shown=on_screen)
    upstream = spoke[0].usage()
    for again in spoke[1:]:
        upstream = total(upstream, again.usage())
    earlier = estimate(before.text) + estimate(before.reasoning)
    asked = spoke[0].usage().input_tokens
    if before.text:
        asked = max(0, asked - estimate(before.text) - estimate(GO_ON) - 2 * MESSAGE_TOKENS)
    usage = msgspec.structs.replace(
        upstream,
        input_tokens=asked,
        cached_tokens=min(asked, spoke[0].usage().cached_tokens),
        output_tokens=upstream.output_tokens + earlier,
        estimated=upstream.estimated or earlier > 0,
    )
    return Metered(usage=usage, shown=on_screen, upstream=upstream)
