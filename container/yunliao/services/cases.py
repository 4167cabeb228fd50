"""The review queue: what a person has to look at, with the times of opening, of the first look and of the decision.

A case names records; words of a user are never in it. What a user wrote in a complaint is sealed under the user's own
key, so that it goes with the account; an operator's note is sealed under the service's.
"""

from typing import Literal

import msgspec

from yunliao.errors import InvalidRequest, NotFound
from yunliao.ports import Clock, Ids
from yunliao.ports_records import Card, VerdictEntry
from yunliao.services.audit_trail import AuditTrail
from yunliao.services.desk import Desk, Filed
from yunliao.services.people import Owner

KIND = "case"
CaseKind = Literal["review", "report", "complaint"]
State = Literal["open", "looked", "decided"]
Decision = Literal["upheld", "rejected", "suspended", "noted"]
REASONS = frozenset({"unlawful", "sexual", "privacy", "false", "other"})
"""What the mini-program lets people choose from; anything else may be words of the user's own, which stay sealed with
the message."""
ANONYMOUS = "case:outside"
"""Owner of complaints that came by post or telephone, from nobody the service knows."""


class Case(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is sealed of a case. `sealed_words` opens by the user's key alone."""

    kind: CaseKind
    user_id: str = ""
    turn_id: str = ""
    message_id: str = ""
    layer: str = ""
    label: int = 0
    trace_id: str = ""
    reason: str = ""
    sealed_words: bytes = b""
    note: str = ""
    looked_at: int = 0
    looked_by: str = ""
    decided_at: int = 0
    decided_by: str = ""
    decision: str = ""


class CaseView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A case as operators see it; times in Unix milliseconds, `waits_ms` how long nobody has looked or decided."""

    id: str
    kind: CaseKind
    state: State
    opened_at: int
    user_id: str = ""
    turn_id: str = ""
    message_id: str = ""
    layer: str = ""
    label: int = 0
    trace_id: str = ""
    reason: str = ""
    note: str = ""
    has_words: bool = False
    looked_at: int = 0
    looked_by: str = ""
    decided_at: int = 0
    decided_by: str = ""
    decision: str = ""
    waits_ms: int = 0


class CasePage(msgspec.Struct, frozen=True):
    """Newest first, and the cursor of the next page."""

    cases: list[CaseView]
    next: str | None


class Cases:
    """Opens, looks at and decides."""

    def __init__(self, *, desk: Desk, audit: AuditTrail, clock: Clock, ids: Ids) -> None:
        self._desk = desk
        self._audit = audit
        self._clock = clock
        self._ids = ids

    # --- opening ----------------------------------------------------------------------------------------------------

    def follow(self, entry: VerdictEntry) -> None:
        """A verdict was written: `review` waits for a person. Raises `StoreUnavailable`."""
        if entry.suggest == "review":
            self._open(
                f"r-{entry.id}",
                Case(
                    kind="review",
                    user_id=entry.user_id,
                    turn_id=entry.turn_id,
                    layer=entry.layer,
                    label=entry.label,
                    trace_id=entry.trace_id,
                    reason=entry.place,
                ),
            )

    def report(self, owner: Owner, message_id: str, turn_id: str, reason: str) -> str:
        """A user reported an answer; reporting it again opens nothing new. What they wrote stays with the message."""
        case_id = f"m-{message_id}"
        known = reason if reason in REASONS else "other"
        self._open(
            case_id, Case(kind="report", user_id=owner.user_id, message_id=message_id, turn_id=turn_id, reason=known)
        )
        return case_id

    def complain(self, owner: Owner, text: str) -> str:
        """A user complains from inside the mini-program."""
        case_id = self._ids.new("case")
        sealed = owner.seal(case_id, "complaint", text.encode())
        self._open(case_id, Case(kind="complaint", user_id=owner.user_id, sealed_words=sealed))
        return case_id

    def enter(self, actor: str, note: str, user_id: str = "") -> CaseView:
        """A complaint that reached the operator another way."""
        case_id = self._ids.new("case")
        self._audit.note(actor, "case.enter", subject=case_id)
        self._open(case_id, Case(kind="complaint", user_id=user_id, note=note))
        return self.get(case_id)

    # --- working ----------------------------------------------------------------------------------------------------

    def page(self, state: State | None, before: str | None, limit: int) -> CasePage:
        """Cases of a state, or all."""
        found, more = self._desk.page(KIND, Case, state=state, before=before, limit=limit)
        return CasePage([self._view(one) for one in found], more)

    def of(self, user_id: str, most: int) -> list[CaseView]:
        """All cases about a user, newest first, at most so many."""
        found: list[CaseView] = []
        before: str | None = None
        while len(found) < most:
            page, before = self._desk.page(KIND, Case, owner=user_id, before=before, limit=200)
            found += [self._view(one) for one in page]
            if before is None:
                break
        return found[:most]

    def get(self, case_id: str) -> CaseView:
        """One case. Raises `NotFound`."""
        return self._view(self._filed(case_id))

    def look(self, actor: str, case_id: str) -> CaseView:
        """Somebody takes a first look: the time stands from then on; later looks change nothing."""
        if self._filed(case_id).card.state != "open":
            return self.get(case_id)
        self._audit.note(actor, "case.look", subject=case_id)

        def looked(found: Filed[Case]) -> Filed[Case]:
            if found.card.state != "open":
                return found
            content = msgspec.structs.replace(found.content, looked_at=self._clock.now_ms(), looked_by=actor)
            return Filed(msgspec.structs.replace(found.card, state="looked"), content)

        return self._view(self._desk.change(KIND, case_id, Case, looked))

    def decide(self, actor: str, case_id: str, decision: Decision, note: str) -> CaseView:
        """Decide it, once. Raises `InvalidRequest` for a case that is decided."""
        if self._filed(case_id).card.state == "decided":
            raise InvalidRequest("the case is decided already")
        self._audit.note(actor, "case.decide", subject=case_id, reason=note, detail=decision)

        def decided(found: Filed[Case]) -> Filed[Case]:
            if found.card.state == "decided":
                raise InvalidRequest("the case is decided already")
            now, said = self._clock.now_ms(), found.content
            content = msgspec.structs.replace(
                said,
                looked_at=said.looked_at or now,
                looked_by=said.looked_by or actor,
                decided_at=now,
                decided_by=actor,
                decision=decision,
                note=note,
            )
            return Filed(msgspec.structs.replace(found.card, state="decided"), content)

        return self._view(self._desk.change(KIND, case_id, Case, decided))

    def words(self, owner: Owner, case_id: str) -> str:
        """What the user wrote, opened by the user's key; the caller has written down why (users_desk.py)."""
        filed = self._filed(case_id)
        if filed.content.user_id != owner.user_id:
            raise NotFound
        return owner.open(case_id, "complaint", filed.content.sealed_words).decode()

    # --- parts --------------------------------------------------------------------------------------------------------

    def _open(self, case_id: str, case: Case) -> None:
        # False where there is one already: the same verdict or report again.
        card = Card(kind=KIND, id=case_id, at=self._clock.now_ms(), owner=case.user_id or ANONYMOUS, state="open")
        self._desk.put(card, case)

    def _filed(self, case_id: str) -> Filed[Case]:
        found = self._desk.get(KIND, case_id, Case)
        if found is None:
            raise NotFound("case")
        return found

    def _view(self, filed: Filed[Case]) -> CaseView:
        said = msgspec.structs.asdict(filed.content)
        has_words = bool(said.pop("sealed_words"))
        state = filed.card.state
        waits = 0 if state == "decided" else self._clock.now_ms() - filed.card.at
        return CaseView(
            id=filed.card.id,
            state=state,  # type: ignore[arg-type]
            opened_at=filed.card.at,
            has_words=has_words,
            waits_ms=waits,
            **said,
        )
