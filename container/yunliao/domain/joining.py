"""Joining a continuation to the text it continues, without a repeated or a missing character (design.md §4.2).

A model that is asked to go on may repeat the last words, or start the whole answer anew. The first characters it sends
are held until it is clear how many of them repeat; then everything flows through untouched. A model that simply goes
on is held for a few characters only: somebody is waiting for them.

A cut answer that is mended without the user's asking (`mending`) must not grow words that belong to nobody: a
preamble ("好的，我继续：") is left out, and a refusal, or an answer started anew in other words, makes the continuation
`unusable`.
"""

import re

from yunliao.domain.context import LEAST_OVERLAP, join_without_repetition

LOOK = 120
"""Most characters held before deciding, unless the whole answer comes anew: longer than the overlap a model usually
repeats."""
RESTART = 12
"""Characters in common with the start of the answer by which a continuation is taken for a new start: chance does not
bring so many."""

_OPENINGS = (
    *("抱歉", "很抱歉", "非常抱歉", "对不起", "不好意思", "我无法", "我不能", "无法", "没有更多", "作为"),
    *("好的", "好，", "当然", "没问题", "明白", "收到", "继续", "接着", "接上", "（续", "(续", "（接", "…", "..."),
    *("sorry", "i'm sorry", "i’m sorry", "i am sorry", "i apologize", "i cannot", "i can't", "i can’t"),
    *("unfortunately", "as an ai", "sure", "certainly", "of course", "okay", "ok,", "continuing", "continued"),
    *("(continu", "here is", "here's"),
)
_APOLOGY = re.compile(
    r"(很|非常|实在)?(抱歉|对不起|不好意思)|我?(无法|不能|没有更多)|作为|i(['’]m| am) (very |so )?sorry|sorry"
    r"|i apologi[sz]e|i (cannot|can['’]?t)|unfortunately|as an ai",
    re.IGNORECASE,
)
_OF_ITSELF = re.compile(
    r"继续|接着(写|说)|之前的|上一条|上文|断开|中断|没有更多|人工智能|语言模型|作为.{0,6}AI|(无法|不能)(回答|协助|帮助|提供|处理|满足)"
    r"|continu|previous|left off|assist|help (you )?with|as an ai|language model|provide more",
    re.IGNORECASE,
)
_PREAMBLE = re.compile(
    r"\s*(好的?|当然|没问题|明白了?|收到|sure|certainly|of course|okay|ok)?[，,!！。.：:、 ]*"
    r"((我|下面|现在|这就|会|将|来|马上|从断开处|从中断处){0,4}(继续|接着|接上文|续)[^。！：:\n]{0,24}[。！：:\n]"
    r"|(here(['’]s| is)|let me|i['’]ll|i will)?[^.\n:]{0,20}\bcontinu(e|ing|ation|ed)\b[^.\n:]{0,50}[.:\n])\s*",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[。！？!?\n]|[.](?=\s)")
_CLAUSE = re.compile(r"[^，、；：。！？,;:!?\n]{4,}[，、；：,;:]\s?$")


class Joiner:
    """`feed` returns what is new; `finish` returns what was still held."""

    def __init__(self, confirmed: str, *, mending: bool = False) -> None:
        self.unusable = False
        """Whether this is no continuation at all; then nothing of it is given out."""
        self._confirmed = confirmed
        self._mending = mending
        self._held = ""
        self._decided = not confirmed

    def feed(self, text: str) -> str:
        """New text, without what repeats the confirmed one."""
        if self._decided:
            return "" if self.unusable else text
        self._held += text
        if self._may_repeat() or (self._mending and self._may_be_about_itself()):
            return ""
        return self.finish()

    def drop(self) -> None:
        """The continuation broke off. What is held may be the beginning of a repetition that nobody can tell any more,
        so it is left out: a few words fewer, none twice."""
        self._held, self._decided = "", True

    def finish(self) -> str:
        """What was held when no more text comes."""
        if self._decided:
            return ""
        self._decided = True
        held, self._held = self._held, ""
        if self._mending and _refuses(held):
            self.unusable = True
            return ""
        if self._mending and (preamble := _PREAMBLE.match(held)):
            held = held[preamble.end() :]
        repeated = _repeated(self._confirmed, held) or (self._mending and _clause(self._confirmed, held))
        if not repeated and self._mending and _common(self._confirmed.lstrip(), held.lstrip()) >= RESTART:
            self.unusable = True
            return ""
        return held[repeated:]

    def _may_repeat(self) -> bool:
        # Words that stand nowhere in the confirmed text are not the start of its end: no longer overlap can come.
        held = self._held.lstrip()
        return self._confirmed.lstrip().startswith(held) or (len(self._held) < LOOK and held in self._confirmed)

    def _may_be_about_itself(self) -> bool:
        held = self._held.lstrip().lower()
        return len(held) < LOOK and any(held.startswith(words) or words.startswith(held) for words in _OPENINGS)


def _refuses(text: str) -> bool:
    """Whether this is about not being able to go on. An apology alone is not: the answer may be a letter."""
    stripped = text.lstrip()
    return bool(_APOLOGY.match(stripped) and _OF_ITSELF.search(stripped[:LOOK]))


def _repeated(confirmed: str, text: str) -> int:
    """How many leading characters of `text` repeat `confirmed`, white space and dots before them included."""
    found = join_without_repetition(confirmed, text)
    if found:
        return found
    start = len(text) - len(text.lstrip(" \t\r\n….　"))
    rest = text[start:]
    found = join_without_repetition(confirmed, rest) if start else 0
    if not found:
        begun = _SENTENCE.split(confirmed)[-1].lstrip()
        letters = sum(1 for char in begun if char.isalpha())
        # A sentence that is begun anew, however short it was.
        if letters >= 2 and len(begun) < LEAST_OVERLAP and rest.startswith(begun):
            found = len(begun)
    return start + found if found else 0


def _clause(confirmed: str, text: str) -> int:
    """The same for the last clause, with its comma, said once more."""
    clause = _CLAUSE.search(confirmed)
    start = len(text) - len(text.lstrip())
    return start + len(clause[0]) if clause and text[start:].startswith(clause[0]) else 0


def _common(one: str, other: str) -> int:
    """Characters that both begin with."""
    length = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        length += 1
    return length
