"""What users see of their credits, and the codes they redeem."""

from collections.abc import Sequence

import msgspec

from yunliao.domain.events import EndReason, Usage
from yunliao.domain.ledger import codes
from yunliao.domain.ledger.account import Account, daily_lot, day_of, rolled
from yunliao.domain.ledger.endings import RULES
from yunliao.domain.ledger.entries import MOVES, Entry, Kind
from yunliao.domain.ledger.prices import Line, PriceTable
from yunliao.domain.ledger.settling import Closing
from yunliao.domain.quota import next_midnight
from yunliao.errors import CodeInvalid, InvalidRequest, NotFound, RateLimited
from yunliao.ports import Clock, Turns
from yunliao.ports_ledger import Ledger
from yunliao.services.catalog import ModelView
from yunliao.services.people import Owner

ABOUT_TURNS = ("reserve", "settle", "release", "refund")
_closing = msgspec.json.Decoder(Closing)


class AllowanceView(msgspec.Struct, frozen=True):
    """What the plan gives a day, what is left of today's, and when the next one comes."""

    amount: int
    left: int
    renews_at: int


class LotView(msgspec.Struct, frozen=True):
    """Credits that came together; `expires_at` null: never."""

    source: str
    left: int
    expires_at: int | None


class DayView(msgspec.Struct, frozen=True):
    """What was spent today, and the most that may be; null: no limit."""

    spent: int
    limit: int | None


class PriceView(msgspec.Struct, frozen=True):
    """Micro-credits per 1,000,000 tokens, and per image."""

    model: str
    name: str
    input: int
    cached_input: int
    output: int
    reasoning: int
    image: int


class CreditsView(msgspec.Struct, frozen=True, kw_only=True):
    """A user's credits now, in micro-credits."""

    active: bool
    balance: int = 0
    reserved: int = 0
    allowance: AllowanceView | None = None
    lots: list[LotView] = []
    day: DayView = DayView(0, None)
    price_version: str = ""
    prices: list[PriceView] = []


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """An entry; `change` is what it did to what the user owns."""

    number: int
    kind: Kind
    amount: int
    change: int
    turn_id: str | None
    at: int
    note: str


class EntriesView(msgspec.Struct, frozen=True):
    """Newest first; `next` is the cursor of the next page."""

    entries: list[EntryView]
    next: str | None


class ReceiptView(msgspec.Struct, frozen=True, kw_only=True):
    """What one answer cost, and why."""

    turn_id: str
    priced: bool
    state: str
    model: str
    reason: EndReason | None = None
    rule: str = ""
    rule_text: str = ""
    rule_text_en: str = ""
    usage: Usage | None = None
    price_version: str = ""
    lines: list[Line] = []
    reserved: int = 0
    charged: int = 0
    released: int = 0
    saved_by_stop: int | None = None
    refunded: int = 0
    settled_at: int | None = None


class RedeemedView(msgspec.Struct, frozen=True):
    """What a code brought."""

    amount: int
    expires_at: int | None
    balance: int


class Credits:
    """A user's own credits. `table` None: credits are off."""

    def __init__(
        self, *, ledger: Ledger, turns: Turns, clock: Clock, table: PriceTable | None, models: Sequence[ModelView]
    ) -> None:
        self._ledger = ledger
        self._turns = turns
        self._clock = clock
        self._table = table
        self._models = models

    def view(self, owner: Owner) -> CreditsView:
        """Balance, allowance, lots, prices."""
        table = self._table
        stored = self._ledger.account(owner.user_id)
        if table is None and stored is None:
            return CreditsView(active=False)
        now = self._now(stored)
        return CreditsView(
            active=table is not None,
            balance=now.available,
            reserved=now.held,
            allowance=self._allowance(now),
            lots=[LotView(lot.source, lot.left, lot.expires_at or None) for lot in now.lots],
            day=DayView(now.spent, (table.limits.user_day or None) if table else None),
            price_version=table.version if table else "",
            prices=self._prices(),
        )

    def entries(self, owner: Owner, before: str | None, limit: int, everything: bool) -> EntriesView:
        """A page of entries. Raises `InvalidRequest` for a cursor that is not one of ours."""
        if before is not None and not (before.isascii() and before.isdigit()):
            raise InvalidRequest("before is not a cursor of this list")
        start = int(before) if before else None
        kinds = None if everything else MOVES
        found = self._ledger.entries(owner.user_id, before=start, limit=limit + 1, kinds=kinds)
        shown = [entry_view(entry) for entry in found[:limit]]
        return EntriesView(shown, str(shown[-1].number) if len(found) > limit else None)

    def receipt(self, owner: Owner, turn_id: str) -> ReceiptView:
        """What a turn cost. Raises `NotFound`."""
        turn = self._turns.get(turn_id)
        if turn is None or turn.user_id != owner.user_id:
            raise NotFound
        if not turn.price_version:
            return ReceiptView(turn_id=turn.id, priced=False, state="free", model=turn.model, reason=turn.end_reason)
        entries = {entry.kind: entry for entry in self._ledger.about(owner.user_id, turn_id)}
        closing = next((entries[kind] for kind in ("settle", "release") if kind in entries), None)
        if closing is None:
            return ReceiptView(
                turn_id=turn.id,
                priced=True,
                state="reserved",
                model=turn.model,
                price_version=turn.price_version,
                reserved=turn.reserved,
            )
        detail = _closing.decode(closing.detail)
        rule = next((rule for rule in RULES if rule.name == detail.rule), None)
        released = detail.reserved - detail.paid
        return ReceiptView(
            turn_id=turn.id,
            priced=True,
            state="settled",
            model=detail.model,
            reason=turn.end_reason,
            rule=detail.rule,
            rule_text=rule.zh if rule else "",
            rule_text_en=rule.en if rule else "",
            usage=detail.usage,
            price_version=closing.price_version,
            lines=list(detail.lines),
            reserved=detail.reserved,
            charged=detail.paid,
            released=released,
            saved_by_stop=released if turn.end_reason == "stopped" else None,
            refunded=entries["refund"].amount if "refund" in entries else 0,
            settled_at=closing.at,
        )

    def redeem(self, owner: Owner, typed: str) -> RedeemedView:
        """Take what a code is worth. Raises `CodeInvalid`, `RateLimited`."""
        posted = self._ledger.redeem(owner.user_id, codes.digest(typed) or "", at=self._clock.now_ms())
        if posted.status == "too_many_guesses":
            raise RateLimited(retry_after=max(1, -(-posted.wait_ms // 1000)))
        if posted.entry is None:
            raise CodeInvalid
        lot = f"redeem/{posted.entry.reference}"
        ends = next((one.expires_at for one in posted.account.lots if one.id == lot), 0)
        return RedeemedView(posted.entry.amount, ends or None, self._now(posted.account).available)

    def _now(self, stored: Account | None) -> Account:
        allowances = self._table.allowances() if self._table else None
        return rolled(stored or Account(), self._clock.now_ms(), allowances).account

    def _allowance(self, account: Account) -> AllowanceView | None:
        amount = self._table.allowances().get(account.plan, 0) if self._table else 0
        if not amount:
            return None
        today = daily_lot(day_of(account.at), amount)
        left = sum(lot.left for lot in account.lots if lot.id == today.id)
        return AllowanceView(amount, left, next_midnight(account.at))

    def _prices(self) -> list[PriceView]:
        if self._table is None:
            return []
        priced = [(model, self._table.models[model.id]) for model in self._models if model.id in self._table.models]
        return [
            PriceView(
                model=model.id,
                name=model.name,
                input=price.input,
                cached_input=price.cached_input,
                output=price.output,
                reasoning=price.thought,
                image=price.image,
            )
            for model, price in priced
        ]


def entry_view(entry: Entry) -> EntryView:
    """An entry as its owner sees it."""
    return EntryView(
        number=entry.number,
        kind=entry.kind,
        amount=entry.amount,
        change=entry.change,
        turn_id=entry.reference if entry.kind in ABOUT_TURNS else None,
        at=entry.at,
        note=entry.note,
    )
