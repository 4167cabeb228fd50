"""The service's day: never exceeded over all instances, told before it is, and back the next morning."""

import random
from typing import Any

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from yunliao.domain.quota import next_midnight
from yunliao.errors import ServiceBudgetExhausted, StoreUnavailable
from yunliao.ports import Registers
from yunliao.services.budget import ServiceBudget

LIMIT = 100_000


class Told:
    def __init__(self) -> None:
        self.parts: list[float] = []
        self.words: list[str] = []

    def of(self, registers: Registers, clock: FakeClock, limit: int = LIMIT) -> ServiceBudget:
        return ServiceBudget(
            registers,
            clock,
            limit=limit,
            warn=0.8,
            used=self.parts.append,
            told=lambda word, part: self.words.append(word),
        )


def test_instances_together_spend_no_more_than_the_day_has() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice, clock, registers, told = random.Random(seed), FakeClock(), MemoryStore().registers, Told()
    instances = [told.of(registers, clock) for _ in range(4)]
    spent, live = 0, list[tuple[int, int]]()
    for _ in range(3_000):
        budget = dice.choice(instances)
        if dice.random() < 0.5 and live:
            amount, at = live.pop(dice.randrange(len(live)))
            cost = dice.randint(0, amount)
            spent += cost
            budget.settle(amount, cost, at)  # the instance that ends a turn need not be the one that took it
            continue
        amount = dice.randint(1, 900)
        try:
            budget.take(amount)
            live.append((amount, clock.now_ms()))
        except ServiceBudgetExhausted:
            pass
        assert spent + sum(one for one, _ in live) <= LIMIT
    assert spent > LIMIT * 0.9


def test_it_warns_once_and_says_when_it_is_over() -> None:
    clock, told = FakeClock(), Told()
    budget = told.of(MemoryStore().registers, clock)
    for _ in range(9):
        budget.take(10_000)
    assert told.words == ["warning"] and told.parts[-1] == pytest.approx(0.9, abs=0.01)
    for _ in range(3):
        with pytest.raises(ServiceBudgetExhausted) as full:
            budget.take(20_000)
    assert told.words == ["warning", "exhausted"]
    left = (next_midnight(clock.now_ms()) - clock.now_ms()) // 1000
    assert full.value.retry_after == left
    clock.advance(left + 1)
    budget.take(20_000)


def test_what_was_taken_yesterday_is_not_given_back_today() -> None:
    clock, told = FakeClock(), Told()
    budget = told.of(MemoryStore().registers, clock)
    at = clock.now_ms()
    budget.take(60_000)
    clock.advance(86_400)
    budget.take(60_000)
    budget.settle(60_000, 0, at)
    with pytest.raises(ServiceBudgetExhausted):
        budget.take(60_000)


def test_an_instance_that_leaves_gives_back_what_it_does_not_need() -> None:
    clock, registers, told = FakeClock(), MemoryStore().registers, Told()
    one, other = told.of(registers, clock), told.of(registers, clock)
    one.take(90_000)
    one.settle(90_000, 10, clock.now_ms())
    one.close()
    other.take(99_000)


def test_what_a_dead_instance_took_comes_back_by_the_one_that_ends_its_turn() -> None:
    clock, registers, told = FakeClock(), MemoryStore().registers, Told()
    dead, heir, other = (told.of(registers, clock) for _ in range(3))
    dead.take(90_000)
    heir.settle(90_000, 1_000, clock.now_ms())
    other.take(95_000)


def test_without_the_store_nothing_is_promised() -> None:
    class Away:
        def read(self, name: str) -> Any:
            raise StoreUnavailable

        def swap(self, name: str, *, version: int, value: bytes) -> Any:
            raise StoreUnavailable

    with pytest.raises(StoreUnavailable):
        Told().of(Away(), FakeClock()).take(1)
