"""Screening: all layers must pass, and no decision is never a pass."""

import threading
from collections.abc import Callable

import pytest

from yunliao.domain.principal import Principal
from yunliao.domain.verdict import PASS, Verdict
from yunliao.errors import ModerationRevisit, ModerationUnavailable
from yunliao.services.screening import Screening, pieces

CALLER = Principal(openid="o1", appid="wx1")


class Words:
    def search(self, text: str) -> Verdict:
        return Verdict(suggest="risky", layer="words") if "词" in text else PASS


class Layer:
    """Answers by a rule; `asked` are the texts."""

    def __init__(self, rule: Callable[[str], Verdict], pressure: float = 0.0) -> None:
        self.asked: list[str] = []
        self.pressure = pressure
        self._rule = rule
        self._lock = threading.Lock()

    def check(self, text: str, principal: Principal) -> Verdict:
        assert principal is CALLER
        with self._lock:
            self.asked.append(text)
        return self._rule(text)


def passing(text: str) -> Verdict:
    return Verdict(suggest="pass", layer="wechat")


def risky_if(part: str) -> Callable[[str], Verdict]:
    return lambda text: Verdict(suggest="risky" if part in text else "pass", layer="wechat")


def raising(error: Exception) -> Callable[[str], Verdict]:
    def rule(text: str) -> Verdict:
        raise error

    return rule


def threaded(task: Callable[[], None]) -> None:
    threading.Thread(target=task, daemon=True).start()


def test_the_word_list_comes_first_and_costs_no_call() -> None:
    layer = Layer(passing)
    assert Screening(Words(), [layer], threaded).check_input("有词", CALLER).layer == "words"
    assert layer.asked == []


def test_a_window_goes_to_the_remote_layers_only() -> None:
    layers = [Layer(passing), Layer(passing)]
    assert not Screening(Words(), layers, threaded).check_window("有词", CALLER).blocks
    assert [layer.asked for layer in layers] == [["有词"], ["有词"]]


def test_any_layer_may_block() -> None:
    screening = Screening(Words(), [Layer(passing), Layer(risky_if("坏"))], threaded)
    assert screening.check_input("坏", CALLER).blocks and not screening.check_input("好", CALLER).blocks


def test_a_block_wins_over_a_failure_and_a_failure_over_a_pass() -> None:
    broken = Layer(raising(ModerationRevisit()))
    blocked = Screening(Words(), [broken, Layer(risky_if("坏"))], threaded)
    assert blocked.check_input("坏", CALLER).blocks
    for order in ([broken, Layer(passing)], [Layer(passing), broken]):
        with pytest.raises(ModerationRevisit):
            Screening(Words(), order, threaded).check_input("好", CALLER)


def test_a_layer_that_breaks_fails_closed() -> None:
    screening = Screening(Words(), [Layer(passing), Layer(raising(RuntimeError("secret words")))], threaded)
    with pytest.raises(ModerationUnavailable) as failed:
        screening.check_window("好", CALLER)
    assert "secret" not in failed.value.detail


def test_a_block_is_not_kept_waiting_by_a_slow_layer() -> None:
    gate = threading.Event()

    def slow(text: str) -> Verdict:
        gate.wait(60)
        return passing(text)

    try:
        assert Screening(Words(), [Layer(risky_if("坏")), Layer(slow)], threaded).check_input("坏", CALLER).blocks
        assert not gate.is_set()
    finally:
        gate.set()


def test_a_long_message_is_asked_about_in_overlapping_pieces() -> None:
    text = "".join(f"第{number}句话。" for number in range(1500))
    parts = pieces(text)
    assert all(len(part) <= 2500 for part in parts) and 4 <= len(parts) <= 6
    for start in range(len(text) - 24):
        assert any(text[start : start + 24] in part for part in parts)
    layer = Layer(risky_if("第1499句"))
    assert Screening(Words(), [layer], threaded).check_input(text, CALLER).blocks


def test_pressure_widens() -> None:
    assert Screening(Words(), [Layer(passing, 0.0)], threaded).widen() == 1.0
    assert Screening(Words(), [Layer(passing, 0.2), Layer(passing, 1.0)], threaded).widen() == 10.0
    assert Screening(Words(), [], threaded).widen() == 1.0


def test_only_full_pressure_is_a_strain() -> None:
    assert Screening(Words(), [Layer(passing, 0.2), Layer(passing, 1.0)], threaded).strained()
    assert not Screening(Words(), [Layer(passing, 0.99)], threaded).strained()
    assert not Screening(Words(), [], threaded).strained()


def test_an_empty_or_short_message_is_one_piece_or_none() -> None:
    assert pieces("") == [] and pieces("好") == ["好"] and pieces("\n") == ["\n"]
