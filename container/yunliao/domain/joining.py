"""Joining a continuation to the text it continues, without a repeated or a missing character (design.md §4.2).

A model that is asked to go on may repeat the last words, or start the whole answer anew. The first characters it sends
are held until it is clear how many of them repeat; then everything flows through untouched. A model that simply goes
on is held for a few characters only: somebody who has waited for a takeover is looking at the screen.
"""

from yunliao.domain.context import join_without_repetition

LOOK = 120
"""Most characters held before deciding, unless the whole answer comes anew: longer than the overlap a model usually
repeats."""


class Joiner:
    """`feed` returns what is new; `finish` returns what was still held."""

    def __init__(self, confirmed: str) -> None:
        self._confirmed = confirmed
        self._held = ""
        self._decided = not confirmed

    def feed(self, text: str) -> str:
        """New text, without what repeats the confirmed one."""
        if self._decided:
            return text
        self._held += text
        starting_anew = self._confirmed.startswith(self._held)
        # Words that stand nowhere in the confirmed text are not the start of its end: no longer overlap can come.
        repeating = len(self._held) < LOOK and self._held in self._confirmed
        if starting_anew or repeating:
            return ""
        return self.finish()

    def finish(self) -> str:
        """What was held when no more text comes."""
        if self._decided:
            return ""
        self._decided = True
        held, self._held = self._held, ""
        return held[join_without_repetition(self._confirmed, held) :]
