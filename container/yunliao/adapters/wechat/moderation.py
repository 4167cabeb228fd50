"""msg_sec_check v2 as a `Moderator` (platform.md §5.1). Fails closed: what is not a clear `pass` never becomes one."""

import logging
from collections.abc import Callable
from typing import Any, TypeGuard

from yunliao.adapters.wechat.api import ApiFault, WechatApi
from yunliao.adapters.wechat.errcodes import Handling, lookup
from yunliao.domain.principal import Principal
from yunliao.domain.verdict import Suggest, Verdict
from yunliao.errors import ModerationRevisit, ModerationUnavailable
from yunliao.ports import Clock, Governor, QuotaSpent

PATH = "/wxa/msg_sec_check"
SCENE = 2
"""1 is for profiles, 2 comments, 3 forums, 4 social journals. A chat is short free text written in reply to something,
read by one person at a time: a comment comes nearest. Profiles are judged by nicknames' rules, forums and journals by
those of articles that spread."""
PAUSES = (1.0, 2.0, 4.0)
"""Seconds before each further try after 44991."""
TRYING_SECONDS = 10.0
"""No further try begins after so long. With one wait for the quota and one call the whole check stays under 25 s, less
than what the end of an answer waits for its last verdict."""
SUGGESTS: dict[str, Suggest] = {"pass": "pass", "review": "review", "risky": "risky"}
NORMAL = 100
OTHER = 21000

log = logging.getLogger("yunliao.moderation")

Observe = Callable[[str, str, float], None]


class WechatModerator:
    """Layer `wechat`. `observe(layer, outcome, seconds)` is told of every check, with an outcome of `OUTCOMES`.
    Thread-safe."""

    def __init__(
        self, api: WechatApi, governor: Governor, clock: Clock, observe: Observe, *, scene: int = SCENE
    ) -> None:
        if scene not in (1, 2, 3, 4):
            raise ValueError("scene must be 1, 2, 3 or 4")
        self._api = api
        self._governor = governor
        self._clock = clock
        self._observe = observe
        self._scene = scene

    @property
    def pressure(self) -> float:
        """How near the quota is to its end, 0 to 1: windows should grow with it."""
        return self._governor.pressure

    def close(self) -> None:
        """Close the kept connections."""
        self._api.close()

    def check(self, text: str, principal: Principal) -> Verdict:
        """The verdict on at most 2,500 characters for the asking user. Raises `ModerationUnavailable` (its detail is
        for the operator and names the code) or `ModerationRevisit`."""
        started = self._clock.monotonic()
        outcome = "unavailable"
        try:
            verdict = self._decide(text, principal)
            outcome = verdict.suggest
            return verdict
        except ModerationRevisit:
            outcome = "revisit"
            raise
        except _NoDecision as none:
            outcome = none.outcome
            if not none.quiet:
                # What keeps people from chatting goes into the log, without their text or openid.
                level = logging.ERROR if outcome in ALARMS else logging.WARNING
                log.log(level, "moderation_unavailable layer=wechat outcome=%s detail=%s", outcome, none.detail)
            raise
        finally:
            self._observe("wechat", outcome, self._clock.monotonic() - started)

    def _decide(self, text: str, principal: Principal) -> Verdict:
        if not text:
            raise _NoDecision("fault", "an empty text cannot be checked")
        body = {"content": text, "version": 2, "scene": self._scene, "openid": principal.openid}
        from_appid = principal.appid if principal.shared else ""
        tries = _Tries(self._clock.monotonic() + TRYING_SECONDS)
        while True:
            self._take_place()
            try:
                answer = self._api.post(PATH, body, from_appid=from_appid)
            except ApiFault as fault:
                if fault.again and tries.once_more(self._clock):
                    continue
                raise _NoDecision(fault.outcome, fault.detail) from None
            verdict = self._judge(answer, tries)
            if verdict is not None:
                return verdict

    def _judge(self, answer: dict[str, Any], tries: "_Tries") -> Verdict | None:
        """The verdict, or None where the call is to be made again."""
        row = lookup(_code(answer))
        detail = f"msg_sec_check answered {row.code}: {row.detail}"
        match row.handling:
            case Handling.DECIDE:
                return _verdict(answer)
            case Handling.RISKY:
                return Verdict(suggest="risky", layer="wechat", label=OTHER, trace_id=_trace(answer))
            case Handling.REVISIT:
                raise ModerationRevisit(detail)
            case Handling.RETRY:
                if tries.once_more(self._clock):
                    return None
            case Handling.BACKOFF:
                self._governor.too_fast()
                if tries.later(self._clock):
                    return None
            case Handling.STOP:
                self._governor.spent_today()
        raise _NoDecision(OUTCOME_OF[row.handling], detail)

    def _take_place(self) -> None:
        try:
            self._governor.acquire()
        except QuotaSpent as spent:
            limit = "day" if spent.daily else "minute"
            detail = f"the calls of msg_sec_check for this {limit} are used up"
            wait = min(3600, int(spent.seconds) + 1)
            raise _NoDecision(f"{limit}_spent", detail, retry_after=wait, quiet=spent.daily) from None


class _NoDecision(ModerationUnavailable):
    """`ModerationUnavailable` with the outcome that the metric shows; a `quiet` one was logged when it began."""

    def __init__(self, outcome: str, detail: str, *, retry_after: int | None = None, quiet: bool = False) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.outcome = outcome
        self.quiet = quiet


class _Tries:
    """What may still be tried of one check before it gives up."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._repeated = False
        self._pauses = iter(PAUSES)

    def once_more(self, clock: Clock) -> bool:
        """True the first time."""
        again = not self._repeated and clock.monotonic() < self._deadline
        self._repeated = True
        return again

    def later(self, clock: Clock) -> bool:
        """Wait the next pause; False when there is none left, or no time."""
        pause = next(self._pauses, None)
        if pause is None or clock.monotonic() + pause > self._deadline:
            return False
        clock.sleep(pause)
        return True


OUTCOME_OF = {
    Handling.RETRY: "busy",
    Handling.BACKOFF: "too_fast",
    Handling.STOP: "day_spent",
    Handling.REFUSED: "refused",
    Handling.OPERATOR: "operator",
    Handling.BUG: "fault",
}
ALARMS = frozenset({"operator", "fault", "refused", "no_sidecar", "day_spent"})
"""Outcomes that do not pass by themselves: logged as errors."""
OUTCOMES = ALARMS | frozenset(
    {"pass", "review", "risky", "revisit", "busy", "too_fast", "minute_spent", "unreachable", "timeout", "http"}
    | {"garbled", "unavailable"}
)
"""Label values of the metric for layer `wechat`."""


def _code(answer: dict[str, Any]) -> int:
    code = answer.get("errcode")
    if not isinstance(code, int) or isinstance(code, bool):
        raise _NoDecision("garbled", "msg_sec_check answered without an errcode")
    return code


def _trace(answer: dict[str, Any]) -> str:
    trace = answer.get("trace_id", "")
    return trace[:128] if isinstance(trace, str) else ""


def _verdict(answer: dict[str, Any]) -> Verdict:
    """`result.suggest` decides (platform.md §5.1); anything else than its three values is no decision."""
    result = answer.get("result")
    suggest = SUGGESTS.get(str(result.get("suggest"))) if isinstance(result, dict) else None
    if not isinstance(result, dict) or suggest is None:
        raise _NoDecision("garbled", "msg_sec_check answered without a result")
    label = result.get("label")
    if not _is_number(label) or (suggest != "pass" and label == NORMAL):
        label = _detail_label(answer.get("detail"), suggest)
    return Verdict(suggest=suggest, layer="wechat", label=label, trace_id=_trace(answer))


def _detail_label(details: object, suggest: Suggest) -> int:
    """The label of the first strategy that says the same; a strategy counts only if its own errcode is 0."""
    for item in details if isinstance(details, list) else ():
        if isinstance(item, dict) and item.get("errcode") == 0 and item.get("suggest") == suggest:
            label = item.get("label")
            if _is_number(label):
                return label
    return NORMAL if suggest == "pass" else OTHER


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
