"""What the user pays, ending by ending: the table of docs/credits.md, played."""

import pathlib
import re

import pytest

from tests.contract.records import charge
from yunliao.domain.events import EndReason, Usage
from yunliao.domain.ledger import settling
from yunliao.domain.ledger.account import Account, Lot
from yunliao.domain.ledger.endings import RULES, TAKEOVER, Metered, Rule, charged, rule_of
from yunliao.domain.ledger.prices import ModelPrice
from yunliao.domain.ledger.reserving import Charge, reserve

DOCS = pathlib.Path(__file__).resolve().parents[3] / "docs"
USAGE = Usage(input_tokens=1_000, output_tokens=500, reasoning_tokens=100, cached_tokens=400)
SPOKE = Metered(usage=USAGE, shown=300, upstream=USAGE)
SILENT = Metered()
PRICE = ModelPrice(input=2_000_000, cached=500_000, output=8_000_000, reasoning=4_000_000)
WHOLE = 600 * 2 + 400 * 0.5 + 400 * 8 + 100 * 4
"""What USAGE costs by PRICE."""
SHOWN = 300 * 8

CASES: list[tuple[str, EndReason, str, Metered, float]] = [
    ("complete", "complete", "", SPOKE, WHOLE),
    ("length", "length", "", SPOKE, WHOLE),
    ("stopped", "stopped", "", SPOKE, WHOLE),
    ("stopped", "stopped", "", Metered(shown=300), SHOWN),  # the instance that ends it never heard the model
    ("stopped_early", "stopped", "", SILENT, 0),
    ("blocked_input", "blocked", "blocked_input", SILENT, 0),
    ("blocked_output", "blocked", "blocked_output", SPOKE, 0),
    ("failed_early", "failed", "relay_unreachable", SILENT, 0),
    ("failed_early", "failed", "moderation_unavailable", Metered(usage=USAGE, upstream=USAGE), 0),
    ("failed_late", "failed", "relay_interrupted", SPOKE, SHOWN),
    ("failed_late", "failed", "instance_lost", Metered(shown=300), SHOWN),
]


@pytest.mark.parametrize(("name", "reason", "code", "metered", "cost"), CASES)
def test_an_ending_costs_what_its_rule_says(
    name: str, reason: EndReason, code: str, metered: Metered, cost: float
) -> None:
    assert rule_of(reason, code, metered).name == name
    rich = Account(lots=(Lot(id="g", source="grant", left=100_000),))
    terms = Charge(amount=50_000, model="m", price_version="v1", price=PRICE)
    held = reserve(rich, "t", terms, 5)
    assert not isinstance(held, Account) and hasattr(held, "account")
    change = settling.settle(held.account, "t", reason=reason, code=code, metered=metered, now=6)
    assert change is not None
    assert change.account.available == 100_000 - cost
    assert change.account.holds == () and change.account.spent == cost
    assert {draft.kind: draft.amount for draft in change.drafts if draft.amount} == {
        kind: amount for kind, amount in (("settle", cost), ("release", 50_000 - cost)) if amount
    }
    assert settling.settle(change.account, "t", reason=reason, code=code, metered=metered, now=7) is None


def test_every_rule_is_played_above() -> None:
    assert {case[0] for case in CASES} == {rule.name for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_charges_what_it_names(rule: Rule) -> None:
    usage, _ = charged(rule, SPOKE)
    expected = {"usage": USAGE, "shown": Usage(output_tokens=300, estimated=True), "nothing": Usage()}
    assert usage == expected[rule.pays]


def test_nobody_pays_more_than_was_set_aside() -> None:
    account = Account(lots=(Lot(id="g", source="grant", left=1_000),))
    held = reserve(account, "t", charge(400), 5)
    change = settling.settle(held.account, "t", reason="complete", code="", metered=SPOKE, now=6)  # type: ignore[union-attr]
    assert change is not None and change.account.available == 600
    closing = settling.msgspec.json.decode(change.drafts[0].detail, type=settling.Closing)
    assert (closing.paid, closing.cost, closing.reserved) == (400, 500, 400)


@pytest.mark.parametrize(("page", "language"), [("credits.md", "en"), ("credits.zh-CN.md", "zh")])
def test_the_documented_table_is_the_one_that_charges(page: str, language: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| [^|]*\| `(usage|shown|nothing)` \| ([^|]*) \|$", text, re.MULTILINE)
    assert rows == [(rule.name, rule.pays, getattr(rule, language)) for rule in RULES]
    assert TAKEOVER[language == "en"] in text
