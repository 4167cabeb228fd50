"""Credits by an operator's hand: every movement has a reason, stands in the audit log before it is made, and happens
once for its reference however often it is asked for."""

from typing import Literal

import msgspec

from yunliao.domain.ledger.account import Account, rolled
from yunliao.domain.ledger.granting import Movement
from yunliao.domain.ledger.prices import LARGEST, PriceTable
from yunliao.errors import InvalidRequest, NotFound
from yunliao.ports import Clock, Ids
from yunliao.ports_ledger import Ledger, Posted
from yunliao.services.audit_trail import AuditTrail

DAY_MS = 86_400_000
NOTE = 80
"""Characters of a reason; the user sees it beside the entry."""
Movable = Literal["grant", "withdraw", "refund"]


class BalanceView(msgspec.Struct, frozen=True, kw_only=True):
    """A user's credits in micro-credits."""

    plan: str
    available: int
    held: int


class MovedView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it: `existing` had been done before under that reference, `too_much` was not done."""

    status: Literal["posted", "existing", "too_much"]
    amount: int
    balance: BalanceView


class CreditDesk:
    """Looks at and moves credits."""

    def __init__(self, *, ledger: Ledger, table: PriceTable | None, audit: AuditTrail, clock: Clock, ids: Ids) -> None:
        self._ledger = ledger
        self._table = table
        self._audit = audit
        self._clock = clock
        self._ids = ids

    def balance(self, user_id: str) -> BalanceView:
        """As it is now."""
        return self._view(self._ledger.account(user_id) or Account())

    def move(
        self,
        actor: str,
        user_id: str,
        kind: Movable,
        *,
        amount: int,
        reason: str,
        reference: str = "",
        days: int = 0,
    ) -> MovedView:
        """Grant (for `days`; 0: for ever), withdraw what is still there, or refund a turn, which `reference` then names
        (`amount` 0: all of it). Raises `InvalidRequest`, `NotFound`."""
        if not 0 < len(reason.strip()) <= NOTE or not reason.isprintable():
            raise InvalidRequest(f"reason needs 1 to {NOTE} printable characters")
        if kind == "refund" and not reference:
            raise InvalidRequest("reference must be the turn that is refunded")
        if kind != "refund" and not 0 < amount <= LARGEST:
            raise InvalidRequest("amount must be more than nothing")
        now = self._clock.now_ms()
        movement = Movement(
            kind=kind,
            reference=reference or self._ids.new("adj"),
            amount=amount or LARGEST,
            at=now,
            expires_at=now + days * DAY_MS if days else 0,
            note=reason.strip(),
        )
        self._audit.note(
            actor, f"credits.{kind}", subject=user_id, reason=movement.note, detail=f"{amount} {movement.reference}"
        )
        return self._moved(self._ledger.move(user_id, movement))

    def _moved(self, posted: Posted) -> MovedView:
        if posted.status not in ("posted", "existing", "too_much"):
            raise NotFound("user")
        return MovedView(
            status=posted.status,
            amount=posted.entry.amount if posted.entry else 0,
            balance=self._view(posted.account),
        )

    def _view(self, stored: Account) -> BalanceView:
        account = rolled(stored, self._clock.now_ms(), self._table.allowances() if self._table else None).account
        return BalanceView(plan=account.plan, available=account.available, held=account.held)
