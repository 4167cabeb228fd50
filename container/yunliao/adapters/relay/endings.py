"""What the end of a stream means (P6): `finish_reason` and `[DONE]` are evidence, not faith.

| text | finish_reason | then | meaning |
|---|---|---|---|
| any | length, max_tokens, … | anything | length |
| any | content_filter, sensitive, … | anything | blocked |
| any | abort, network_error, … | anything | interrupted |
| yes | stop or another | `[DONE]`, a proper close, silence or a cut | complete |
| yes | stop or another | more text and then a cut | interrupted |
| yes | none | anything | interrupted: a forged or a missing end |
| no | none, but reasoning | anything | interrupted |
| no | none | a cut | interrupted |
| no | none, or stop | anything else | empty |

An upstream known to send no reason at all (`done_is_enough`) is believed its `[DONE]`.
"""

from typing import Literal

import msgspec

from yunliao.domain.events import Usage
from yunliao.errors import RelayEmpty, RelayInterrupted

Reason = Literal["complete", "length", "blocked"]

LENGTH = frozenset({"length", "max_tokens", "model_length", "max_output_tokens"})
BLOCKED = frozenset({"content_filter", "sensitive", "safety", "recitation", "prohibited_content"})
BROKEN = frozenset({"abort", "error", "network_error", "insufficient_system_resource", "cancelled", "unknown"})
"""Reasons by which dialects say that the generation failed (docs/relays.md); any other one is a proper end."""


class Evidence(msgspec.Struct):
    """What was seen of a stream. `late`: text came after the reason. `cut`: the connection did not end properly."""

    text: bool = False
    reasoning: bool = False
    finish: str = ""
    late: bool = False
    done: bool = False
    cut: bool = False
    usage: Usage | None = None


def judge(evidence: Evidence, *, done_is_enough: bool = False) -> Reason:
    """The true ending. Raises `RelayEmpty` or `RelayInterrupted`."""
    finish = evidence.finish.lower()
    if finish in LENGTH:
        return "length"
    if finish in BLOCKED:
        return "blocked"
    if finish in BROKEN:
        raise RelayInterrupted("the upstream says so")
    believed = done_is_enough and evidence.done and evidence.text
    if not finish and not believed and (evidence.text or evidence.reasoning):
        raise RelayInterrupted("no finish_reason")
    if not evidence.text:
        raise RelayInterrupted("cut before any text") if evidence.cut and not finish else RelayEmpty
    if evidence.late and evidence.cut and not evidence.done:
        raise RelayInterrupted("cut after more text")
    return "complete"
