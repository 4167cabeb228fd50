"""What an answer tells while other threads work on it."""

import threading

import pytest

from tests.fakes.clock import FakeClock
from yunliao.domain.guard import Guard, GuardPolicy, Wants
from yunliao.domain.verdict import PASS
from yunliao.services.screened_answer import ScreenedAnswer


def test_nothing_is_released_while_it_is_told_what_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """`release` drops text that `wants` counts: half of that seen would be a fault of ours, and end the answer."""
    inside: list[bool] = []

    def wants(guard: Guard, now_ms: int) -> Wants:
        """Asked in the midst of `wants`."""
        other = threading.Thread(target=answer.release, daemon=True)
        other.start()
        other.join(0.05)
        inside.append(other.is_alive())
        return Wants(7, 1000)

    monkeypatch.setattr(Guard, "wants", wants)
    answer = ScreenedAnswer(
        policy=GuardPolicy(), search=lambda text: PASS, check=lambda text: PASS, spawn=lambda task: task(),
        clock=FakeClock(), changed=lambda: None,
    )  # fmt: skip
    assert answer.wants().chars == 7
    assert inside == [True]
