"""What an operator sees: every number of the port in the exposition, and one JSON line without empty fields."""

import inspect
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from yunliao.adapters.logging import JsonTurnLog
from yunliao.adapters.metrics import PrometheusMetrics
from yunliao.ports import Metrics

CONTAINER = Path(__file__).resolve().parents[3] / "container"
SAMPLES = {
    "turn_ended": (("complete", "", 2.5), 'yunliao_turns_ended_total{code="",reason="complete"} 1.0'),
    "first_text": ((0.3,), "yunliao_first_text_seconds_count 1.0"),
    "relay_first_byte": ((0.3,), "yunliao_relay_first_byte_seconds_count 1.0"),
    "guard_delay": ((0.3,), "yunliao_guard_delay_seconds_count 1.0"),
    "live_turns": ((3,), "yunliao_live_turns 3.0"),
    "turn_used": ((300, 40, 7), 'yunliao_tokens_total{direction="output"} 7.0'),
    "moderation": (("wechat", "pass", 0.1), 'yunliao_moderation_seconds_count{layer="wechat",outcome="pass"} 1.0'),
    "relay_error": (("relay_timeout",), 'yunliao_relay_errors_total{code="relay_timeout"} 1.0'),
    "relay_attempt": (("main", "success"), 'yunliao_relay_attempts_total{outcome="success",upstream="main"} 1.0'),
    "relay_state": (("main", "open"), 'yunliao_relay_breaker{upstream="main"} 2.0'),
    "relay_hedge": (("won",), 'yunliao_relay_hedges_total{outcome="won"} 1.0'),
    "relay_continued": (("complete",), 'yunliao_relay_continued_total{outcome="complete"} 1.0'),
    "commit": ((7, 0.001), "yunliao_commit_rows_total 7.0"),
    "store_failed": ((), "yunliao_store_failures_total 1.0"),
    "started": ((1.2,), "yunliao_start_seconds 1.2"),
    "takeover": ((), "yunliao_takeovers_total 1.0"),
    "listeners": (("sse", 1), 'yunliao_listeners{transport="sse"} 1.0'),
    "credits_cost": ((250,), "yunliao_credits_cost_total 250.0"),
    "credits_refused": (("daily_limit",), 'yunliao_credits_refused_total{code="daily_limit"} 1.0'),
    "service_day": ((0.25,), "yunliao_service_day_part 0.25"),
}


def test_every_number_of_the_port_is_tried_here() -> None:
    assert {name for name, _ in inspect.getmembers(Metrics, inspect.isfunction) if not name.startswith("_")} == set(
        SAMPLES
    )


@pytest.mark.parametrize("name", SAMPLES)
def test_a_number_reaches_the_exposition(name: str) -> None:
    metrics = PrometheusMetrics()
    values, line = SAMPLES[name]
    getattr(metrics, name)(*values)
    text, kind = metrics.render()
    assert line in text.decode().splitlines()
    assert kind.startswith("text/plain")


def test_two_sets_of_metrics_do_not_share_numbers() -> None:
    one, other = PrometheusMetrics(), PrometheusMetrics()
    one.takeover()
    assert b"yunliao_takeovers_total 0.0" in other.render()[0]


def test_a_turn_is_one_line_without_empty_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.StringIO()
    monkeypatch.setattr(sys, "stdout", output)
    JsonTurnLog().turn(turn="turn_1", reason="complete", code="", total_ms=12, first_text_ms=None, takeovers=0)
    (line,) = output.getvalue().splitlines()
    fields = json.loads(line)
    assert fields.pop("timestamp").endswith("Z")
    assert fields == {
        "event": "turn", "level": "info", "turn": "turn_1", "reason": "complete", "total_ms": 12, "takeovers": 0,
    }  # fmt: skip


def test_a_start_loads_nothing_that_a_first_answer_does_not_need() -> None:
    """Start-up is felt after every scale to zero (platform.md §1.5)."""
    late = ["structlog", "yunliao.web.openapi", "yunliao.data.simplified"]
    code = f"import sys, yunliao.factory, yunliao.bootstrap; print([m for m in {late} if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(CONTAINER)}
    )
    assert found.stdout.strip() == "[]"
