"""What the simulated users ask and what the demo relay answers: every answer follows from its question's marker.

A question holds a marker like `[u07-003]`. The answer is a row of numbered sentences that name the marker, so that a
character that is missing, repeated or another's shows. Some answers and questions hold a phrase that moderation must
never let through.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Any

from cloudrun.relay.answers import text_of

PHRASES = ("违禁演示词", "forbidden-demo", "词表演示词")
"""Risky to the WeChat simulation, to it too, and to the development word list."""
MARKER = re.compile(r"\[u\d+-\d+[a-z]*\]")
WORDS = ("水流", "云走", "山高", "月小", "风清", "石出", "江声", "岸断", "夜长", "灯短", "桥窄", "花开", "雪深")
CONTINUED = "继续："
"""How the container's request to go on begins (`yunliao.domain.context.GO_ON`)."""


def marker_of(text: str) -> str:
    """The marker in a question, empty if there is none."""
    found = MARKER.search(text)
    return found[0] if found else ""


def question(chance: random.Random, marker: str) -> str:
    """A message of a user; one in twenty is risky itself."""
    words = "".join(chance.choice(WORDS) for _ in range(chance.randint(1, 8)))
    risky = PHRASES[0] if chance.random() < 0.05 else ""
    return f"{marker} 请讲一讲{words}{risky}的故事"


def answer(seed: str, marker: str, *, plain: bool = False, sentences: int = 14) -> str:
    """The whole answer to the marked question; the same for every generation of it. A `plain` one has that many
    sentences and nothing risky."""
    chance = random.Random(f"{seed}/answer/{marker}")
    count = chance.choice((1, 3, 6, 6, 12, 12, 20, 25))
    count = sentences if plain else count
    parts = []
    for number in range(1, count + 1):
        words = "".join(chance.choice(WORDS) for _ in range(chance.randint(1, 5)))
        parts.append(f"第{number}句{marker}：{words}。" + ("\n\n" if chance.random() < 0.15 else ""))
    if not plain and chance.random() < 0.08:
        parts.insert(chance.randrange(len(parts) + 1), f"这里有{chance.choice(PHRASES)}。")
    return "".join(parts)


def is_risky(text: str) -> bool:
    """Whether a text holds a phrase that nobody may see."""
    return any(phrase in text for phrase in PHRASES)


def composer(seed: str, wrong: list[str], *, plain: bool = False, sentences: int = 14) -> Any:
    """The demo relay's voice: the answer to the marked question, or what a request to continue wants.

    As models do, it goes on properly (when `plain`, always), repeats some of the last words, or starts the whole answer
    anew. A request that shows an answer which is not the beginning of the true one is noted in `wrong`.
    """

    def compose(messages: Sequence[dict[str, Any]]) -> str:
        marked = [place for place, message in enumerate(messages) if marker_of(text_of(message))]
        asked = [place for place in marked if messages[place].get("role") == "user"]
        if not asked:
            return "。"
        marker = marker_of(text_of(messages[asked[-1]]))
        whole = answer(seed, marker, plain=plain, sentences=sentences)
        last = text_of(messages[-1])
        if not last.startswith(CONTINUED):
            return whole
        said = text_of(messages[-2])
        if not whole.startswith(said):
            wrong.append(f"{marker}: asked to continue {len(said)} characters that are not its beginning")
        chance = random.Random(f"{seed}/continue/{marker}/{len(said)}")
        way = 1.0 if plain else chance.random()
        if way < 0.15 and len(said) < len(whole):
            return whole
        repeated = chance.randint(10, 60) if way < 0.4 and len(said) < len(whole) else 0
        return whole[max(0, len(said) - repeated) :]

    return compose
