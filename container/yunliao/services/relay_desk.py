"""What operators see of the upstreams and may do with them: switch off and on, and try one with a real generation."""

import threading

import msgspec

from yunliao.domain.turn import ChatMessage
from yunliao.errors import InvalidRequest, NotFound, RelayTimeout, TurnFailed, YunliaoError
from yunliao.ports import Clock, RelayFinish, RelayRequest, RelayStream
from yunliao.ports_operators import Upstreams, UpstreamView
from yunliao.services.audit_trail import AuditTrail
from yunliao.services.relay_switches import RelaySwitches, SwitchedOff

QUESTION = "只回答一个字：好"
TOKENS = 16
"""Most a trial may generate: enough for its one word, too little to cost anything."""
FIRST_BYTE_SECONDS = 10.0
WHOLE_SECONDS = 12.0
"""A call through the platform lives 15 s (platform.md §1.3): the trial must have ended before, with what is known."""


class RelayView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An upstream and its switch. All but the switch is as one instance sees it."""

    upstream: UpstreamView
    off: SwitchedOff | None = None


class RelaysView(msgspec.Struct, frozen=True, kw_only=True):
    """Every upstream, by which instance; `stranded`: models that no upstream answers for because of the switches."""

    instance: str
    relays: list[RelayView]
    stranded: list[str]


class TriedView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a trial went; times in milliseconds from asking to the first text or reasoning, and to the end. Without `ok`:
    the error's code, its words in both languages, and what is known besides (`status 401`), never the upstream's own
    words."""

    ok: bool
    model: str
    first_text_ms: int = 0
    whole_ms: int = 0
    code: str = ""
    message: str = ""
    message_en: str = ""
    detail: str = ""


class RelayDesk:
    """One instance for all operators; each call that does something names who acts."""

    def __init__(
        self, *, upstreams: Upstreams, switches: RelaySwitches, audit: AuditTrail, clock: Clock, instance: str
    ) -> None:
        self._upstreams = upstreams
        self._switches = switches
        self._audit = audit
        self._clock = clock
        self._instance = instance[:8]

    def all(self) -> RelaysView:
        """How they stand. Raises `StoreUnavailable`."""
        return self._view(self._switches.read())

    def switch_off(self, actor: str, name: str, reason: str) -> RelaysView:
        """Ask it for no more answers, on every instance within seconds; answers that run go on. Raises `NotFound`,
        `InvalidRequest`."""
        self._known(name)
        why = " ".join(reason.split())
        if not why:
            raise InvalidRequest("reason is empty")
        self._audit.note(actor, "relay.off", subject=name, reason=why)
        return self._view(self._switches.set(name, SwitchedOff(actor, self._clock.now_ms(), why)))

    def switch_on(self, actor: str, name: str) -> RelaysView:
        """Ask it again. Raises `NotFound`."""
        self._known(name)
        self._audit.note(actor, "relay.on", subject=name)
        return self._view(self._switches.set(name, None))

    def test(self, actor: str, name: str, model: str | None = None) -> TriedView:
        """One tiny generation of that upstream alone, though it be switched off or its breaker open. Raises `NotFound`,
        `InvalidRequest` for a model that it has not."""
        models = self._known(name).models
        if model is not None and model not in models:
            raise InvalidRequest("model is none that this upstream has")
        chosen = model or models[0]
        self._audit.note(actor, "relay.test", subject=name, detail=chosen)
        request = RelayRequest(model=chosen, messages=(ChatMessage("user", QUESTION),), max_tokens=TOKENS)
        stream = self._upstreams.attempt(name, request, FIRST_BYTE_SECONDS)
        limit = threading.Timer(WHOLE_SECONDS, stream.close)
        limit.start()
        try:
            return self._tried(chosen, stream)
        finally:
            limit.cancel()
            stream.close()

    def _tried(self, model: str, stream: RelayStream) -> TriedView:
        began, first, whole = self._clock.monotonic(), 0, False
        try:
            for batch in stream:
                first = first or self._since(began)
                whole = isinstance(batch[-1], RelayFinish)
            if not whole:
                raise RelayTimeout("total")  # closed by the limit
        except TurnFailed as failed:
            return self._failed(model, began, first, failed)
        return TriedView(ok=True, model=model, first_text_ms=first, whole_ms=self._since(began))

    def _failed(self, model: str, began: float, first: int, failed: YunliaoError) -> TriedView:
        return TriedView(
            ok=False,
            model=model,
            first_text_ms=first,
            whole_ms=self._since(began),
            code=failed.code,
            message=failed.zh,
            message_en=failed.en,
            detail=failed.detail,
        )

    def _since(self, began: float) -> int:
        return max(1, round((self._clock.monotonic() - began) * 1000))

    def _known(self, name: str) -> UpstreamView:
        for one in self._upstreams.listed():
            if one.name == name:
                return one
        raise NotFound("relay")

    def _view(self, off: dict[str, SwitchedOff]) -> RelaysView:
        listed = self._upstreams.listed()
        answered = {model for one in listed if one.name not in off for model in one.models}
        offered = {model for one in listed for model in one.models}
        return RelaysView(
            instance=self._instance,
            relays=[RelayView(upstream=one, off=off.get(one.name)) for one in listed],
            stranded=sorted(offered - answered),
        )
