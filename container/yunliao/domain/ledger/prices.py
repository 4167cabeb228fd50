"""What things cost, in whole micro-credits (a millionth of a credit) per million tokens or per image.

A price table has a version. A reservation keeps the prices it was made with, so an answer costs what was true when its
question was accepted, whatever the operator changes meanwhile.
"""

from collections.abc import Collection
from typing import Annotated

import msgspec
from msgspec import Meta

from yunliao.domain.events import Usage

MILLION = 1_000_000
LARGEST = 10**15
"""A bound of every configured number: sums of many of them stay far inside 64 bits."""
LEAST_ANSWER = 100
"""Tokens an answer must have room for within the limit of one turn; below it the turn is refused."""
DEFAULT_PLAN = "free"

Amount = Annotated[int, Meta(ge=0, le=LARGEST)]


class ModelPrice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Micro-credits per 1,000,000 tokens, and per image. `cached` (input the relay had in its cache) and `reasoning`
    cost what input and output cost unless said otherwise."""

    input: Amount
    output: Amount
    cached: Amount | None = None
    reasoning: Amount | None = None
    image: Amount = 0

    @property
    def cached_input(self) -> int:
        """The price of input that was cached."""
        return self.input if self.cached is None else self.cached

    @property
    def thought(self) -> int:
        """The price of reasoning."""
        return self.output if self.reasoning is None else self.reasoning


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`daily` micro-credits are given every day in China and end with it."""

    daily: Amount = 0


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Micro-credits; 0: no limit. `turn`: most one answer may cost; `user_day`: most one user may spend on a day;
    `service_day`: most the whole service may cost on a day, told in log and metrics from the part `warn` on."""

    turn: Amount = 0
    user_day: Amount = 0
    service_day: Amount = 0
    warn: Annotated[float, Meta(gt=0, le=1)] = 0.8


class PriceTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The operator's prices; `models` by their public id."""

    version: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,40}$")]
    models: Annotated[dict[str, ModelPrice], Meta(min_length=1, max_length=500)]
    plans: dict[str, Plan] = {}
    limits: Limits = Limits()

    def allowances(self) -> dict[str, int]:
        """Plan -> what it gives a day."""
        return {DEFAULT_PLAN: 0} | {name: plan.daily for name, plan in self.plans.items()}


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a receipt: `count` tokens (or images) of a kind at a `price`, together `amount` micro-credits."""

    what: str
    count: int
    price: int
    amount: int


def lines(price: ModelPrice, usage: Usage, images: int = 0) -> tuple[Line, ...]:
    """What a usage costs, line by line; every line is rounded up to a whole micro-credit.

    Relays count reasoning within the output. Where more reasoning than output is reported, it was counted beside it.
    """
    cached = min(usage.cached_tokens, usage.input_tokens)
    spoken = usage.output_tokens - usage.reasoning_tokens
    if spoken < 0:
        spoken = usage.output_tokens
    parts = (
        ("input", usage.input_tokens - cached, price.input),
        ("cached_input", cached, price.cached_input),
        ("output", spoken, price.output),
        ("reasoning", usage.reasoning_tokens, price.thought),
    )
    found = [Line(what=what, count=count, price=per, amount=_part(count, per)) for what, count, per in parts if count]
    if images:
        found.append(Line(what="image", count=images, price=price.image, amount=images * price.image))
    return tuple(found)


def cost(price: ModelPrice, usage: Usage, images: int = 0) -> int:
    """The sum of `lines`."""
    return sum(line.amount for line in lines(price, usage, images))


def bound(price: ModelPrice, *, input_tokens: int, answer_tokens: int) -> int:
    """The most that so many tokens can cost, however they fall into cached or not, spoken or thought."""
    dearest_in, dearest_out = max(price.input, price.cached_input), max(price.output, price.thought)
    split = (1 if dearest_in else 0) + (1 if dearest_out else 0)  # each line is rounded up for itself
    return _part(input_tokens, dearest_in) + _part(answer_tokens, dearest_out) + split


def answer_room(price: ModelPrice, limits: Limits, *, input_tokens: int, answer_tokens: int) -> int:
    """How many of `answer_tokens` the limit of one turn leaves; 0 when too few to be worth asking."""
    if not limits.turn:
        return answer_tokens
    left = limits.turn - bound(price, input_tokens=input_tokens, answer_tokens=0)
    dearest = max(price.output, price.thought)
    if left < 0:
        return 0
    room = answer_tokens if not dearest else min(answer_tokens, left * MILLION // dearest)
    return room if room >= min(LEAST_ANSWER, answer_tokens) else 0


def unpriced(table: PriceTable, models: Collection[str]) -> list[str]:
    """Models people may choose that have no price: a mistake, since nobody gives away answers by forgetting a line."""
    return sorted(set(models) - set(table.models))


def _part(count: int, price: int) -> int:
    return -(-count * price // MILLION)
