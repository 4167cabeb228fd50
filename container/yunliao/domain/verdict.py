"""What a moderation layer says of a piece of text, never the text itself."""

from typing import Literal

import msgspec

Suggest = Literal["pass", "review", "risky"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A decision. `layer` is `words`, `wechat` or `relay`; `label` is platform.md §5.1's number (100 is normal);
    `trace_id` is the platform's, for complaints."""

    suggest: Suggest
    layer: str
    label: int = 100
    trace_id: str = ""

    @property
    def blocks(self) -> bool:
        """Whether the text must not be shown. `review` blocks too: nobody reviews it while a person waits."""
        return self.suggest != "pass"


PASS = Verdict(suggest="pass", layer="none")
