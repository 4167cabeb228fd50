"""What is set aside for a turn: the whole prompt and the longest answer, never less than it can cost."""

from typing import Any

import pytest

from tests.unit.services.test_run_continues import Asking
from yunliao.adapters.metrics import PrometheusMetrics
from yunliao.domain.events import Usage
from yunliao.domain.ledger.endings import Metered
from yunliao.domain.ledger.prices import Limits, ModelPrice, Plan, PriceTable, bound
from yunliao.domain.ledger.reserving import Shortfall
from yunliao.domain.turn import Turn
from yunliao.errors import ContextTooLong, DailyLimit, InsufficientCredits, TurnLimit
from yunliao.services.pricing import Pricing, prompt_tokens

PRICE = ModelPrice(input=2_000_000, output=8_000_000)
TURN = Turn(id="t", user_id="u", conversation_id="c", client_id="i", fingerprint=b"", model="m")
OWNER: Any = object()


class Long(Asking):
    """Nothing fits."""

    def prompt(self, turn: Turn, owner: Any, question: str, *, shown: str = "") -> Any:
        raise ContextTooLong


def pricing(asking: Any = None, **limits: int) -> Pricing:
    table = PriceTable(version="v1", models={"m": PRICE}, plans={"gold": Plan(daily=7)}, limits=Limits(**limits))
    return Pricing(
        table=table, asking=asking or Asking(), answer_tokens=500, window=9_000, budget=None, metrics=PrometheusMetrics()
    )  # fmt: skip


def test_the_whole_prompt_and_the_longest_answer_are_set_aside() -> None:
    found = pricing(user_day=99).charge(OWNER, TURN, "问题")
    tokens = prompt_tokens(Asking().prompt(TURN, OWNER, "问题").messages)
    assert found.amount == bound(PRICE, input_tokens=tokens, answer_tokens=500)
    assert (found.model, found.price_version, found.price, found.day_limit) == ("m", "v1", PRICE, 99)
    assert found.allowances == {"free": 0, "gold": 7}


def test_a_question_that_stands_in_the_history_is_read_there() -> None:
    assert pricing().charge(OWNER, TURN, None) == pricing().charge(OWNER, TURN, "写春天")


def test_a_prompt_that_does_not_fit_is_set_aside_for_and_will_be_free() -> None:
    assert pricing(Long()).charge(OWNER, TURN, "x").amount == bound(PRICE, input_tokens=9_000, answer_tokens=500)


def test_the_limit_of_a_turn_bounds_reservation_and_answer() -> None:
    limited = pricing(turn=2_000)
    charge = limited.charge(OWNER, TURN, "问题")
    room = limited.room("m", Asking().prompt(TURN, OWNER, "问题").messages)
    assert charge.amount <= 2_000 and 100 <= room < 500
    assert limited.room("a model without a price", ()) == 500
    with pytest.raises(TurnLimit) as refused:
        pricing(turn=500).charge(OWNER, TURN, "问题")
    assert refused.value.extra["needed"] > 500


@pytest.mark.parametrize(("renews", "extra"), [(0, {}), (5, {"renews_at": 5})])
def test_a_refusal_says_what_is_missing(renews: int, extra: dict[str, int]) -> None:
    for why, kind in (("insufficient_credits", InsufficientCredits), ("daily_limit", DailyLimit)):
        found = pricing().short(Shortfall(why=why, needed=9, available=2, renews_at=renews))  # type: ignore[arg-type]
        assert isinstance(found, kind) and found.extra == {"needed": 9, "available": 2, **extra}


def test_what_it_cost_the_operator_counts_whatever_the_user_paid() -> None:
    found = pricing()
    upstream = Usage(input_tokens=10, output_tokens=5)
    for turn in (
        TURN,
        Turn(**{name: getattr(TURN, name) for name in TURN.__struct_fields__} | {"price_version": "v1"}),
    ):
        found.ended(turn, Metered(upstream=upstream))
    text = found._metrics.render()[0].decode()  # type: ignore[attr-defined]
    assert "yunliao_credits_cost_total 60.0" in text
