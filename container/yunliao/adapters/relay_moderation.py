"""The third layer: an OpenAI-compatible `/v1/moderations`, of the relay or of any other server. Fails closed."""

import logging
from collections.abc import Callable, Sequence

from yunliao.adapters.json_post import Answer, JsonPost, PostFailed
from yunliao.domain.principal import Principal
from yunliao.domain.verdict import Verdict
from yunliao.errors import ModerationUnavailable
from yunliao.ports import Clock, Moderator

CONNECT_SECONDS = 3.0
READ_SECONDS = 8.0
TOTAL_SECONDS = 10.0
OTHER = 21000
"""platform.md §5.1's label for what fits no other; the relay's categories are its own."""

log = logging.getLogger("yunliao.moderation")


class RelayModerator:
    """Layer `relay`. `base_url` ends before `/moderations`; `model` is sent when given. Outcomes told to
    `observe(layer, outcome, seconds)`: `pass`, `risky`, `unreachable`, `timeout`, `http`, `garbled`. Thread-safe."""

    def __init__(
        self,
        base_url: str,
        key: str,
        clock: Clock,
        observe: Callable[[str, str, float], None],
        *,
        model: str = "",
        domestic: bool = True,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self.domestic = domestic
        self._http = JsonPost(base_url, connect=connect_seconds, read=read_seconds, total=total_seconds)
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._model = {"model": model} if model else {}
        self._clock = clock
        self._observe = observe

    def check(self, text: str, principal: Principal) -> Verdict:
        """The verdict on `text`; who asks is not told to the relay. Raises `ModerationUnavailable`."""
        started = self._clock.monotonic()
        outcome = self._ask(text)
        self._observe("relay", outcome, self._clock.monotonic() - started)
        if outcome == "pass":
            return Verdict(suggest="pass", layer="relay")
        if outcome == "risky":
            return Verdict(suggest="risky", layer="relay", label=OTHER)
        detail = f"the relay's /moderations gave no decision ({outcome})"
        log.warning("moderation_unavailable layer=relay outcome=%s detail=%s", outcome, detail)
        raise ModerationUnavailable(detail)

    def close(self) -> None:
        """Close the kept connections."""
        self._http.close()

    def _ask(self, text: str) -> str:
        """The outcome. What is tried again, once: a broken connection, since a kept one may have been closed by the
        other side meanwhile, and a server error."""
        outcome = "unreachable"
        for _ in range(2):
            try:
                answer = self._http.send("/moderations", {"input": text, **self._model}, self._headers)
            except PostFailed as failed:
                outcome = failed.outcome
                if outcome == "unreachable":
                    continue
                break
            outcome = _outcome(answer)
            if outcome != "http" or answer.status < 500:
                break
        return outcome


class FirstDecision:
    """Several moderators of one layer: the first that comes to a decision is believed, the others stand by. One that is
    not `domestic` is asked only about people who allowed overseas processing."""

    def __init__(self, moderators: Sequence[Moderator]) -> None:
        self._moderators = tuple(moderators)
        self.domestic = any(getattr(moderator, "domestic", True) for moderator in self._moderators)

    def check(self, text: str, principal: Principal) -> Verdict:
        """Raises `ModerationUnavailable` when none of them decides."""
        failure = ModerationUnavailable("no moderator")
        for moderator in self._moderators:
            if not (principal.overseas or getattr(moderator, "domestic", True)):
                continue
            try:
                return moderator.check(text, principal)
            except ModerationUnavailable as failed:
                failure = failed
        raise failure

    def close(self) -> None:
        """Close the connections that moderators keep open."""
        for moderator in self._moderators:
            close: Callable[[], None] | None = getattr(moderator, "close", None)
            if close is not None:
                close()


def _outcome(answer: Answer) -> str:
    if answer.status != 200:
        return "http"
    try:
        flags = [result["flagged"] for result in answer.body["results"]]
    except (TypeError, KeyError):
        return "garbled"
    if not flags or any(not isinstance(flag, bool) for flag in flags):
        return "garbled"
    return "risky" if any(flags) else "pass"
