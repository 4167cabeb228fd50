"""What goes wrong with a single request at the relay: chosen by seed and question, so that a replay meets the same."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from chaos import tale
from cloudrun.relay.answers import text_of

Change = dict[str, object]

KINDS: tuple[tuple[int, str, Callable[[random.Random], Change]], ...] = (
    (46, "none", lambda chance: {}),
    (7, "cut", lambda c: {"cut_at_percent": c.randint(3, 97), "cut_how": c.choice(("reset", "close", "end"))}),
    (3, "cut before text", lambda c: {"cut_at_percent": 0}),
    (3, "silence", lambda c: {"stall_after_chunks": c.randint(1, 30)}),
    (2, "hang", lambda c: {"hang": True}),
    (5, "429", lambda c: {"status": 429, "retry_after": 1.0}),
    (5, "5xx", lambda c: {"status": c.choice((500, 502, 503))}),
    (3, "refused", lambda c: {"refuse": True}),
    (4, "slow", lambda c: {"tokens_per_second": 20.0}),
    (3, "late", lambda c: {"first_token_ms": 3000}),
    (3, "error inside 200", lambda c: {"error_after_chunks": c.randint(0, 20)}),
    (2, "forged end", lambda c: {"forged_done_after_chunks": c.randint(0, 20)}),
    (2, "broken JSON", lambda c: {"malformed_after_chunks": c.randint(0, 20)}),
    (2, "empty", lambda c: {"empty": c.choice(("body", "stream"))}),
    (3, "odd bytes", lambda c: {"split_bytes": 11, "crlf": True, "comments": True}),
    (3, "no farewell", lambda c: {"no_done": True}),
    (4, "fast", lambda c: {"tokens_per_second": 0.0}),
)


def relay_trouble(seed: str, seen: Counter[str]) -> Callable[[Sequence[dict[str, Any]]], Change]:
    """A function from messages to switches; `seen` counts what it chose."""
    asked: Counter[str] = Counter()

    def choose(messages: Sequence[dict[str, Any]]) -> Change:
        questions = [text_of(m) for m in messages if m.get("role") == "user" and tale.marker_of(text_of(m))]
        marker = tale.marker_of(questions[-1]) if questions else ""
        asked[marker] += 1
        chance = random.Random(f"{seed}/relay/{marker}/{asked[marker]}")
        (_, name, make), *_ = chance.choices(KINDS, [kind[0] for kind in KINDS])
        seen[name] += 1
        pace: Change = {
            "tokens_per_second": chance.choice((30.0, 60.0, 60.0, 120.0)),
            "chunk_tokens": chance.randint(2, 6),
            "first_token_ms": chance.choice((50, 200, 500)),
        }
        return pace | make(chance)

    return choose
