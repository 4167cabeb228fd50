"""A title from a conversation's own words: no second generation is asked for (P3), and nothing unscreened is shown."""

import re

TITLE_CHARS = 24
_MARKS = re.compile(r"[#>*_`~|\[\]]+")


def title_of(text: str, limit: int = TITLE_CHARS) -> str:
    """The first sentence of `text` without Markdown marks, at most `limit` characters, one line; never empty for
    text with a visible character."""
    flat = " ".join(_MARKS.sub(" ", text).split())
    sentence = re.split(r"(?<=[。！？!?])|(?<=\.)\s", flat, maxsplit=1)[0].strip() or flat
    return sentence if len(sentence) <= limit else sentence[: limit - 1].rstrip() + "…"
