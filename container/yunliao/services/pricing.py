"""What a turn may cost, before it is accepted, and what it did cost the operator, after its end."""

from contextlib import suppress

from yunliao.domain.ledger.endings import Metered
from yunliao.domain.ledger.prices import LEAST_ANSWER, PriceTable, answer_room, bound, cost
from yunliao.domain.ledger.reserving import Charge, Shortfall
from yunliao.domain.tokens import MESSAGE_TOKENS, estimate
from yunliao.domain.turn import ChatMessage, Turn
from yunliao.errors import (
    ContextTooLong,
    DailyLimit,
    InsufficientCredits,
    StoreUnavailable,
    TurnLimit,
    YunliaoError,
)
from yunliao.ports import Metrics
from yunliao.services.asking import Asking
from yunliao.services.budget import ServiceBudget
from yunliao.services.people import Owner


class Pricing:
    """Prices turns by one table. `window`: most tokens a prompt has."""

    def __init__(
        self,
        *,
        table: PriceTable,
        asking: Asking,
        answer_tokens: int,
        window: int,
        budget: ServiceBudget | None,
        metrics: Metrics,
    ) -> None:
        self.table = table
        self._asking = asking
        self._answer_tokens = answer_tokens
        self._window = window
        self._budget = budget
        self._metrics = metrics

    def charge(self, owner: Owner, turn: Turn, text: str | None) -> Charge:
        """The upper bound of a turn that is about to be accepted; `text` is the new question, None for one that stands
        in the history. Raises `TurnLimit` when the prompt alone reaches what a turn may cost."""
        price, limits = self.table.models[turn.model], self.table.limits
        try:
            question = self._asking.question(turn, owner) if text is None else text
            tokens = prompt_tokens(self._asking.prompt(turn, owner, question).messages)
        except ContextTooLong:
            tokens = self._window  # it will fail, and be free
        room = answer_room(price, limits, input_tokens=tokens, answer_tokens=self._answer_tokens)
        if not room:
            raise self.refused(TurnLimit(needed=bound(price, input_tokens=tokens, answer_tokens=LEAST_ANSWER)))
        amount = bound(price, input_tokens=tokens, answer_tokens=room)
        return Charge(
            amount=min(amount, limits.turn) if limits.turn else amount,
            model=turn.model,
            price_version=self.table.version,
            price=price,
            allowances=self.table.allowances(),
            day_limit=limits.user_day,
        )

    def room(self, model: str, messages: tuple[ChatMessage, ...]) -> int:
        """Tokens the answer to this prompt may have, so that it stays within the limit of one turn."""
        price = self.table.models.get(model)
        if price is None:
            return self._answer_tokens
        tokens = prompt_tokens(messages)
        room = answer_room(price, self.table.limits, input_tokens=tokens, answer_tokens=self._answer_tokens)
        return room or LEAST_ANSWER  # the prompt grew since it was accepted: the reservation still bounds the cost

    def admit(self, charge: Charge) -> None:
        """Take the upper bound from what the service may cost today. Raises `ServiceBudgetExhausted`."""
        if self._budget is not None:
            try:
                self._budget.take(charge.amount)
            except StoreUnavailable:
                raise
            except YunliaoError as full:
                raise self.refused(full) from None

    def not_accepted(self, charge: Charge, at: int) -> None:
        """Nothing became of it."""
        if self._budget is not None:
            with suppress(StoreUnavailable):  # then it stays counted: the limit errs on the operator's side
                self._budget.settle(charge.amount, 0, at)

    def ended(self, turn: Turn, metered: Metered) -> int:
        """Count what a turn cost the operator, whatever its user paid: micro-credits."""
        price = self.table.models.get(turn.model)
        if not turn.price_version or price is None:
            return 0
        spent = cost(price, metered.upstream, metered.images) if metered.upstream else 0
        self._metrics.credits_cost(spent)
        if self._budget is not None:
            with suppress(StoreUnavailable):
                self._budget.settle(turn.reserved, spent, turn.created_at)
        return spent

    def short(self, shortfall: Shortfall) -> YunliaoError:
        """The refusal that says what is missing."""
        kind = InsufficientCredits if shortfall.why == "insufficient_credits" else DailyLimit
        extra = {"renews_at": shortfall.renews_at} if shortfall.renews_at else {}
        return self.refused(kind("", needed=shortfall.needed, available=shortfall.available, **extra))

    def refused(self, error: YunliaoError) -> YunliaoError:
        """Counted; gives the error back."""
        self._metrics.credits_refused(error.code)
        return error

    def close(self) -> None:
        """Give back what this instance took of the day and does not need."""
        if self._budget is not None:
            with suppress(StoreUnavailable):
                self._budget.close()


def prompt_tokens(messages: tuple[ChatMessage, ...]) -> int:
    """The estimate of a whole prompt."""
    return sum(estimate(message.content) + MESSAGE_TOKENS for message in messages)
