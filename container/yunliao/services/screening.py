"""Screening: every layer must say `pass`, the first that blocks decides, and a layer without a decision blocks too.

The word list comes first because it costs microseconds and no quota; the remote layers are asked side by side.
"""

import threading
from collections.abc import Callable, Sequence

from yunliao.domain.guard import Guard, GuardPolicy
from yunliao.domain.principal import Principal
from yunliao.domain.verdict import PASS, Verdict
from yunliao.errors import ModerationUnavailable, YunliaoError
from yunliao.ports import Matcher, Moderator

INPUT_POLICY = GuardPolicy(first_chars=2200, growth=1.0)
"""A message is all there at once: few pieces, cut at sentence ends, overlapping like the windows of an answer."""
WIDEST = 9.0
"""With the moderation quota nearly used up, the windows of answers are so much larger than otherwise, added to 1."""


class Screening:
    """`submit` runs a task side by side with its caller (a thread, a greenlet, a pool); a single task runs inline."""

    def __init__(
        self, matcher: Matcher, moderators: Sequence[Moderator], submit: Callable[[Callable[[], None]], None]
    ) -> None:
        self._matcher = matcher
        self._moderators = tuple(moderators)
        self._submit = submit

    def search(self, text: str) -> Verdict:
        """The word list alone; what the guard asks at every piece of an answer."""
        return self._matcher.search(text)

    def check_input(self, text: str, principal: Principal) -> Verdict:
        """The verdict on a whole message of any length. Raises `ModerationUnavailable` or `ModerationRevisit` where a
        layer gives no decision and none blocks."""
        refresh: Callable[[], None] | None = getattr(self._matcher, "refresh", None)
        if refresh is not None:
            refresh()
        found = self._matcher.search(text)
        if found.blocks:
            return found
        return self._ask(pieces(text), principal)

    def check_window(self, text: str, principal: Principal) -> Verdict:
        """The verdict of the remote layers on a window of at most 2,500 characters, whose words the guard has searched
        already. Raises as `check_input`."""
        return self._ask([text], principal)

    def widen(self) -> float:
        """How much larger than usual the windows of answers should be: 1.0, or more as the quota of a layer runs out
        (a layer may say so by an attribute `pressure` from 0 to 1)."""
        return 1.0 + WIDEST * self._pressure

    def strained(self) -> bool:
        """Whether what is left of a quota is wanted for the answers that are under way: a turn that is accepted now
        would wait for its checks and fail."""
        return self._pressure >= 1.0

    @property
    def _pressure(self) -> float:
        return max((getattr(layer, "pressure", 0.0) for layer in self._moderators), default=0.0)

    def close(self) -> None:
        """Close the connections that layers keep open."""
        for layer in self._moderators:
            close: Callable[[], None] | None = getattr(layer, "close", None)
            if close is not None:
                close()

    def _ask(self, texts: Sequence[str], principal: Principal) -> Verdict:
        # Words of who did not allow it are not sent abroad, not even to be checked; WeChat's own check always remains.
        layers = [one for one in self._moderators if principal.overseas or getattr(one, "domestic", True)]
        asked = [(layer, text) for text in texts for layer in layers]
        if len(asked) == 1:  # nearly always: nobody else's answer is to be waited for
            return _judged(*asked[0], principal)
        round_ = _Round(len(asked))
        for layer, text in asked[1:]:
            self._submit(lambda layer=layer, text=text: round_.run(layer, text, principal))  # type: ignore[misc]
        if asked and not round_.decided:
            round_.run(*asked[0], principal)
        return round_.verdict()


class _Round:
    """The answers to one question, put to several layers; over at the first that blocks, or when all have answered."""

    def __init__(self, expected: int) -> None:
        self._changed = threading.Condition()
        self._expected = expected
        self._blocking: Verdict | None = None
        self._failure: YunliaoError | None = None

    @property
    def decided(self) -> bool:
        return self._blocking is not None

    def run(self, layer: Moderator, text: str, principal: Principal) -> None:
        verdict: Verdict | None = None
        failure: YunliaoError | None = None
        try:
            verdict = _judged(layer, text, principal)
        except YunliaoError as failed:
            failure = failed
        with self._changed:
            self._expected -= 1
            if verdict is not None and verdict.blocks:
                self._blocking = self._blocking or verdict
            self._failure = self._failure or failure
            self._changed.notify_all()

    def verdict(self) -> Verdict:
        # No time-out of its own: every layer has limits, and giving up here could only mean a check without a decision.
        with self._changed:
            self._changed.wait_for(lambda: self._blocking is not None or self._expected == 0)
        if self._blocking is not None:
            return self._blocking
        if self._failure is not None:
            raise self._failure
        return PASS


def _judged(layer: Moderator, text: str, principal: Principal) -> Verdict:
    try:
        verdict = layer.check(text, principal)
    except YunliaoError:
        raise
    except Exception as fault:  # a layer that breaks has not decided: fail closed
        raise ModerationUnavailable(f"a moderation layer raised {type(fault).__name__}") from None
    return verdict if verdict.blocks else PASS


def pieces(text: str) -> list[str]:
    """`text` as overlapping pieces of at most 2,500 characters, such that a phrase of up to the guard's hold is whole
    in one of them."""
    guard = Guard(INPUT_POLICY, None)
    guard.feed(text, 0)
    guard.finish(0)
    return [window.text for window in guard.windows(0)]
