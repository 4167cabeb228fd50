"""What the end of a stream means (P6): `finish_reason` and `[DONE]` are evidence, not faith.

| text | finish_reason | [DONE] | closed | meaning |
|---|---|---|---|---|
| any | length | - | any | length |
| any | content_filter | - | any | blocked |
| yes | another | yes or no | properly | complete |
| yes | none | any | any | interrupted: a forged or a missing end |
| no | any | any | any | empty |
| any | any but none | no | cut | interrupted, unless the reason itself had come |
"""

from typing import Literal

import msgspec

from yunliao.domain.events import Usage
from yunliao.errors import RelayEmpty, RelayInterrupted

Reason = Literal["complete", "length", "blocked"]


class Evidence(msgspec.Struct):
    """What was seen of a stream."""

    text: bool = False
    reasoning: bool = False
    finish: str = ""
    done: bool = False
    usage: Usage | None = None


def judge(evidence: Evidence) -> Reason:
    """The true ending. Raises `RelayEmpty` or `RelayInterrupted`."""
    if evidence.finish == "length":
        return "length"
    if evidence.finish == "content_filter":
        return "blocked"
    if not evidence.finish and (evidence.text or evidence.reasoning):
        raise RelayInterrupted("no finish_reason")
    if not evidence.text:
        raise RelayEmpty
    return "complete"
