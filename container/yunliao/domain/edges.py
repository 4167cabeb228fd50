"""Where a text may be cut: not inside a joined character sequence, and rather after a sentence than within one."""

import unicodedata

ENDS = ("。", "！", "？", "!", "?", "；", ";", "\n", ". ")
ZERO_WIDTH_JOINER = "\u200d"


def joins(before: str, char: str, flag_half: bool) -> tuple[bool, bool]:
    """Whether `char` belongs together with `before`, and whether it is the first half of a flag.

    Marks, variation selectors, tags, emoji modifiers, what follows a zero-width joiner, the second half of a flag,
    conjoining Hangul, and LF after CR. `flag_half` is the second value of the call before.
    """
    if "\u0020" <= char < "\u0300" and before != ZERO_WIDTH_JOINER:
        return False, False
    if "\U0001f1e6" <= char <= "\U0001f1ff":
        return flag_half, not flag_half
    joined = (
        before == ZERO_WIDTH_JOINER
        or char == ZERO_WIDTH_JOINER
        or unicodedata.category(char) in ("Mn", "Mc", "Me")
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\U000e0020" <= char <= "\U000e007f"
        or ("\u1160" <= char <= "\u11ff" and "\u1100" <= before <= "\u11ff")
        or (char == "\n" and before == "\r")
    )
    return joined and before != "", False


def sentence_end(text: str, start: int, stop: int) -> int:
    """The last index in `start < index <= stop` right after the end of a sentence, or -1.

    After `". "` the cut lies between the full stop and the space.
    """
    best = -1
    for mark in ENDS:
        found = text.rfind(mark, start, stop + len(mark) - 1)
        if found >= 0:
            best = max(best, found + 1)
    return best
